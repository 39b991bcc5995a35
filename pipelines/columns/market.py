"""Facts of state to their tables: funding, open interest, mark and index, klines, ratios.

State is kept on a time grid: of one bucket the last value stays. What a venue gives as history keeps every bar.
"""

from collections.abc import Sequence

import polars as pl

from collectors.envelope import RawFrame
from pipelines.columns.contracts.instruments import Instruments
from pipelines.columns.grid import arrival_bucket
from pipelines.columns.schemas import as_table, empty
from pipelines.columns.shared import bounded, facts_frame, finite, time, with_contracts
from pipelines.facts import FundingRate, FundingSettlement, Kline, LongShortRatio, MarkPrice, OpenInterest, Row
from pipelines.reading.parse import Parsed
from pipelines.venues.bounds import AMOUNT, INTEREST
from pipelines.venues.wire import BAR_SETTLES_MS
from warehouse.tables.shared import GRID

GRID_COLUMNS = tuple(column.name for column in GRID)
SETTLES = pl.duration(milliseconds=BAR_SETTLES_MS)
UNIT_US = {"m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000, "w": 604_800_000_000}


def _found(parsed: Parsed, kind: type[Row], instruments: Instruments) -> pl.DataFrame | None:
    facts = parsed.facts.get(kind)
    return with_contracts(facts_frame(facts, parsed.frames), instruments) if facts else None


def _on_grid(found: pl.DataFrame, frames: Sequence[RawFrame], grid_s: int) -> pl.DataFrame:
    """Return the last row of each contract, channel and bucket, and every row of a bar; all where `grid_s` is 0.

    A bucket is one of event times and one of arrival. Added are `ts`, the start of the bucket of the event, and
    GRID_COLUMNS as in the tables, null for bars; bars stay in order.
    """
    bucket_ms = max(grid_s * 1000, 1)
    found = found.with_columns(
        (pl.col("ts_event") // bucket_ms * bucket_ms * 1000).cast(pl.Datetime("us")).alias("ts"),
        *_arrivals([frames[position] for position in found["frame"]], grid_s),
    )
    of_a_file = pl.col("source") == "import"  # when it was imported says nothing of it: its own time does
    found = found.with_columns(
        ts_arrival=pl.when(of_a_file & pl.col("ts_arrival").is_not_null()).then("ts").otherwise("ts_arrival")
    )
    if "period" in found.columns:
        of_now = pl.col("period").is_null()
        found = found.with_columns(pl.when(of_now).then(name) for name in GRID_COLUMNS)
        now, bars = found.filter(of_now), found.filter(~of_now)
    else:
        now, bars = found, found.clear()
    if not grid_s:
        return found
    last = now.sort("ts_event", maintain_order=True).unique(
        ["venue", "symbol", "channel", "ts", "ts_arrival"], keep="last", maintain_order=True
    )
    return last if bars.is_empty() else pl.concat([last, bars])


def _arrivals(frames: Sequence[RawFrame], grid_s: int) -> list[pl.Series]:
    bucket_ns = grid_s * 1_000_000_000
    starts = [
        arrival_bucket(frame, bucket_ns) * grid_s * 1_000_000 if grid_s and frame.at_ns else None for frame in frames
    ]
    appended = pl.Series("ts_append", [frame.appended_ms for frame in frames], pl.Int64)
    return [
        pl.Series("channel", [frame.channel for frame in frames], pl.String),
        pl.Series("ts_arrival", starts, pl.Int64).cast(pl.Datetime("us")),
        (appended.set(appended == 0, None) * 1000).cast(pl.Datetime("us")),
    ]


def funding_rates(parsed: Parsed, instruments: Instruments, grid_s: int) -> pl.DataFrame:
    """Return the rows of table `funding_rates`; the interval is the message's own, else the contract's."""
    if (found := _found(parsed, FundingRate, instruments)) is None:
        return empty("funding_rates")
    found = _on_grid(found, parsed.frames, grid_s)
    found = found.with_columns(
        interval_hours=pl.coalesce("interval_hours", "interval_hours_known"),
        next_funding_ts=time("next_funding_ms"),
        ts_event=time("ts_event"),
    )
    return as_table(found, "funding_rates")


def funding_settlements(parsed: Parsed, instruments: Instruments) -> pl.DataFrame:
    """Return the rows of table `funding_settlements`, in the order of the frames; one that is told twice is stored once.

    The interval is the settlement's own, else the contract's as listed then; of before it was first listed none is known.
    """
    if (found := _found(parsed, FundingSettlement, instruments)) is None:
        return empty("funding_settlements")
    listed = pl.when(pl.col("ts_event") * 1000 >= pl.col("listed_us")).then("interval_hours_known")
    interval = pl.coalesce("interval_hours", listed)
    return as_table(found.with_columns(interval_hours=interval, ts_event=time("ts_event")), "funding_settlements")


def open_interest(parsed: Parsed, instruments: Instruments, grid_s: int) -> pl.DataFrame:
    """Return the rows of table `open_interest`, one side: a figure of both sides is halved, an undocumented one is not.

    Coins: as the venue gives them, else from units or contract size (linear). USD: as the venue gives it, else contracts
    x size (inverse); a linear amount needs a mark price and stays null.
    """
    if (found := _found(parsed, OpenInterest, instruments)) is None:
        return empty("open_interest")
    found = _on_grid(found, parsed.frames, grid_s)
    contract = pl.when(pl.col("metadata") == "venue").then("contract_known").otherwise(
        pl.coalesce("contract", "contract_known")
    )  # fmt: skip
    found = found.with_columns(contract=contract)
    linear, unit = pl.col("contract") == "linear", pl.col("unit")
    amount = (
        pl.when(unit == "contract")
        .then(pl.col("open_interest") * pl.col("contract_size"))
        .when(unit != "unknown")
        .then("open_interest")
    )
    in_coins = (linear & (unit != "usd")) | (unit == "base")
    share = pl.when(pl.col("sides") == "both").then(0.5).otherwise(1.0)
    coins = pl.coalesce("base_given", pl.when(in_coins).then(amount)) * pl.col("multiplier") * share
    usd = pl.coalesce("usd_given", pl.when(~linear & (unit != "base")).then(amount)) * share
    found = found.with_columns(coins=coins, dollars=usd)
    found = found.with_columns(oi_base=bounded(pl.col("coins"), AMOUNT), oi_usd=bounded(pl.col("dollars"), INTEREST))
    found = found.with_columns(null_reason=_why_null())
    found = found.rename({"open_interest": "oi_raw", "unit": "oi_unit"}).with_columns(ts_event=time("ts_event"))
    return as_table(found, "open_interest")


def _why_null() -> pl.Expr:
    return (
        pl.when(pl.col("oi_base").is_not_null() & pl.col("oi_usd").is_not_null())
        .then(pl.lit(None, pl.String))
        .when((pl.col("unit") == "contract") & pl.col("contract_size").is_null())
        .then(pl.lit("contract size not known"))
        .when(pl.col("unit") == "unknown")
        .then(pl.lit("unit not proven"))
        .when(pl.col("contract").is_null())
        .then(pl.lit("contract not known"))
        .when((pl.col("coins") > AMOUNT.most) | (pl.col("dollars") > INTEREST.most))
        .then(pl.lit("amount out of range"))
        .otherwise(pl.lit("a mark price is needed"))
    )


def mark_prices(parsed: Parsed, instruments: Instruments, grid_s: int) -> pl.DataFrame:
    """Return the rows of table `mark_prices`, per one coin; a mark and an index sent apart are two rows."""
    if (found := _found(parsed, MarkPrice, instruments)) is None:
        return empty("mark_prices")
    found = _on_grid(found, parsed.frames, grid_s)
    prices = [finite(pl.col(name) / pl.col("multiplier")).alias(name) for name in ("mark_price", "index_price")]
    return as_table(found.with_columns(*prices, ts_event=time("ts_event")), "mark_prices")


def klines(parsed: Parsed, instruments: Instruments) -> pl.DataFrame:
    """Return the rows of table `klines`: prices as quoted, volumes in coins and quote."""
    if (found := _found(parsed, Kline, instruments)) is None:
        return empty("klines")
    size = pl.col("contract_size") * pl.col("multiplier")
    linear = pl.col("contract") == "linear"
    coins = pl.coalesce(
        pl.col("volume_base") * pl.col("multiplier"),
        pl.when(linear & (pl.col("volume_unit") == "contract")).then(pl.col("volume") * size),
    )
    dollars = pl.when(~linear & (pl.col("volume_unit") == "contract")).then(pl.col("volume") * pl.col("contract_size"))
    found = (
        found.rename({"kind": "price_kind"})
        .with_columns(
            volume_base=finite(coins),
            volume_quote=finite(pl.coalesce("volume_quote", dollars)),
            taker_buy_base=finite(pl.col("taker_buy_volume") * pl.col("multiplier")),
            ts_event=time("ts_event"),
        )
        .with_columns(closed=pl.coalesce("closed", _ended("interval")))
    )
    return as_table(found, "klines")


def _ended(length: str) -> pl.Expr:
    """Whether a bar of that length had surely ended when it was received; null for months, or where either is not known."""
    parts = pl.col(length).str.extract_groups(r"^(\d+)([mhdw])(?:\+8)?$")
    unit = parts.struct[1].replace_strict(UNIT_US, default=None, return_dtype=pl.Int64)
    duration = (parts.struct[0].cast(pl.Int64) * unit).cast(pl.Duration("us"))
    return pl.col("ts_event") + duration + SETTLES <= pl.col("ts_recv")


def long_short_ratios(parsed: Parsed, instruments: Instruments) -> pl.DataFrame:
    """Return the rows of table `long_short_ratios`; shares and ratio complete each other: long = r / (1 + r)."""
    if (found := _found(parsed, LongShortRatio, instruments)) is None:
        return empty("long_short_ratios")
    of_accounts = pl.col("kind") != "taker"
    ratio = pl.coalesce("ratio", pl.when(pl.col("short_share") > 0).then(pl.col("long_share") / pl.col("short_share")))
    found = found.with_columns(ratio=finite(ratio))
    long = pl.coalesce("long_share", pl.when(of_accounts).then(pl.col("ratio") / (1 + pl.col("ratio"))))
    found = found.with_columns(long_share=long).with_columns(
        short_share=pl.coalesce("short_share", 1 - pl.col("long_share")),
        base=pl.when(pl.col("scope") == "coin").then("symbol").otherwise("base"),
        instrument=pl.when(pl.col("scope") == "symbol").then("instrument"),
        ts_event=time("ts_event"),
    )
    found = found.with_columns(closed=pl.when(of_accounts).then(True).otherwise(_ended("period")))
    return as_table(found, "long_short_ratios")
