"""The files of ../shared/real as the model takes them: bars of five minutes, and what was liquidated."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import polars as pl

from pipelines.derive.levels.model import BARS

FOLDER = Path(__file__).parents[2].parent / "shared" / "real"
BAR = timedelta(minutes=5)
FIRST = datetime(2025, 12, 1, 1)  # noqa: DTZ001 the model's times are UTC without a zone
SHIFTS = {"BTC": 0.0038, "DOGE": 0.0078}
"""How far the prices of the single liquidations lie beyond the market, as liquidation_price_shifts has it."""
INTEREST, CANDLES = "binance_oi_5m_2025-12_2026-04", "candles_1h_binance_bybit_okx_2025-03_2026-03"
TOTALS, EVENTS = "coinglass_btc_liquidations_2025-11_2026-04", "okx_liquidations_2026-03-04_05_BTC_DOGE_HYPE"
CONTRACT_SIZE = {"BTC": 0.01, "DOGE": 1000.0, "HYPE": 0.1}  # coins; the file's size_usd is without it


class Events(NamedTuple):
    """Liquidations of a coin at a venue, and the time covered. rows: contract, ts (start of its bar), long, price, usd."""

    base: str
    venue: str
    start: datetime
    end: datetime
    rows: pl.DataFrame

    def by_bar(self) -> pl.DataFrame:
        """Sums by bar and side, as `Files.bars` takes them."""
        return self.rows.group_by("ts", "long").agg(pl.col("usd").sum()).select(
            at="ts", long="long", usd="usd", minutes=pl.lit(5)
        )  # fmt: skip


class Files(NamedTuple):
    """What the folder has."""

    folder: Path

    @classmethod
    def found(cls) -> "Files | None":
        """The files, None where they are not there."""
        return cls(FOLDER) if FOLDER.is_dir() else None

    @property
    def last(self) -> datetime:
        """End of the totals, at a full day."""
        return datetime(2026, 4, 17)  # noqa: DTZ001

    @property
    def first_half(self) -> datetime:
        """Start of the totals by half hours, at a full day."""
        return datetime(2026, 2, 28)  # noqa: DTZ001

    def read(self, name: str) -> pl.DataFrame:
        """A file's rows, times without a zone."""
        return pl.read_parquet(self.folder / f"{name}.parquet").with_columns(
            pl.col("timestamp").dt.replace_time_zone(None).cast(pl.Datetime("us"))
        )  # fmt: skip

    def totals(self, minutes: int) -> pl.DataFrame:
        """USD liquidated of BTC by window and side, all venues: at (start), long, usd, minutes."""
        of = self.read(TOTALS).filter(pl.col("minutes") == minutes).sort("timestamp")
        return pl.concat([
            of.select(at="timestamp", long=pl.lit(long), usd=f"{'long' if long else 'short'}_usd", minutes="minutes")
            for long in (True, False)
        ])  # fmt: skip

    def bars(self, base: str, liquidated: pl.DataFrame) -> pl.DataFrame:
        """BARS of a coin by start: marks and open interest of one venue, its volume as far as known, and what was liquidated
        (at, long, usd, minutes), evenly over the bars of its window."""
        marks = self.read(INTEREST).filter(pl.col("coin") == base).sort("timestamp").select(
            ts=pl.col("timestamp") - BAR, close=pl.col("oi_usd") / pl.col("oi_coins"), oi="oi_coins"
        )  # fmt: skip
        hours = self.read(CANDLES).filter((pl.col("coin") == base) & (pl.col("venue") == INTEREST.partition("_")[0]))
        volume = hours.select(hour="timestamp", volume=pl.col("v") / 12)
        found = marks.with_columns(hour=pl.col("ts").dt.truncate("1h")).join(volume, on="hour", how="left")
        for long, name in ((True, "liquidated_long"), (False, "liquidated_short")):
            own = _by_bar(liquidated.filter(pl.col("long") == long)).rename({"usd": name})
            found = found.join(own, on="ts", how="left").with_columns(pl.col(name) / pl.col("close"))
        found = found.with_columns(contract=pl.lit(0, pl.UInt32), low="close", high="close").sort("ts")
        return found.select(BARS.names()).cast(dict(BARS))  # type: ignore[arg-type]

    def events(self) -> list[Events]:
        """The venue's single liquidations, of the coins whose open interest is known."""
        every = self.read(EVENTS)
        known = self.read(INTEREST)["coin"].unique()
        return [
            _events(str(base), rows) for (base,), rows in sorted(every.group_by("coin")) if base in known
        ]  # fmt: skip


def _by_bar(windows: pl.DataFrame) -> pl.DataFrame:
    bars = pl.col("minutes").cast(pl.Int64) // 5
    each = windows.with_columns(n=pl.int_ranges(0, bars), usd=pl.col("usd") / bars).explode("n")
    return (
        each.select(ts=pl.col("at") + pl.duration(minutes=5 * pl.col("n")), usd="usd")
        .group_by("ts")
        .agg(pl.col("usd").sum())
    )


def _events(base: str, rows: pl.DataFrame) -> Events:
    step = timedelta(minutes=15)
    first, last = rows["timestamp"].min(), rows["timestamp"].max()
    epoch = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)
    assert isinstance(first, datetime)
    assert isinstance(last, datetime)
    start = epoch + ((first - epoch) // step) * step
    end = epoch + ((last - epoch) // step + 1) * step
    beyond = pl.when(pl.col("side") == "sell").then(1.0).otherwise(-1.0)
    told = rows.select(
        contract=pl.lit(0, pl.UInt32), ts=pl.col("timestamp").dt.truncate("5m"), long=pl.col("side") == "sell",
        price=pl.col("price") / (1 - beyond * SHIFTS.get(base, 0.0)), usd=pl.col("size_usd") * CONTRACT_SIZE[base],
    )  # fmt: skip
    return Events(base, str(rows["venue"][0]), start, end, told.sort("ts"))
