"""A made warehouse for the page: `python -m tests.pipelines.serve.page.made FOLDER DAYS` writes one to look at."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.derive.bars.run import rollup
from pipelines.derive.cascades.run import detect
from tests.pipelines.serve.page.market import COINS, VENUES, Coin, candles, levels, liquidations, named, path, state
from warehouse import lake, schema
from warehouse.lake import Lake
from warehouse.tables import TABLES
from warehouse.writer import append

CHANNELS = (
    ("liquidation", "ws", True),
    ("tickers", "ws", False),
    ("klines", "rest", False),
    ("openInterest", "rest", False),
)


def make(world: Path, days: float, coins: Sequence[Coin] = COINS) -> datetime:
    """Write `days` of an invented market that ends now into a new world, and return its end (UTC, without a zone)."""
    schema.create_or_migrate(world)
    end = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    minutes = int(days * 1440)
    with lake.open(world, read_only=False) as opened:
        found: dict[str, list[pl.DataFrame]] = {
            "instruments": [_listed(coins, end, days)],
            "leverage_tiers": [_tiers(coins, end)],
        }
        for number, coin in enumerate(coins):
            for table, frame in _of_coin(coin, end, minutes, 11 + number):
                found.setdefault(table, []).append(frame)
        found["feed_coverage"] = [_heard(end, minutes)]
        found["dead_letters"] = [_dead(end)]
        found["ingest_commits"] = [_committed(end, 0)]
        append(
            opened, {table: pl.concat([shaped(table, frame) for frame in frames]) for table, frames in found.items()}
        )
        _derive(opened, end - timedelta(days=days), end)
    return end


def stored_now(world: Path, now: datetime) -> None:
    """Let the world look as if ingest had stored something at this moment."""
    with lake.open(world, read_only=False) as opened:
        append(opened, {"ingest_commits": _committed(now, int((now - datetime(2026, 1, 1)).total_seconds()))})  # noqa: DTZ001


def _committed(at: datetime, offset: int) -> pl.DataFrame:
    return _rows("ingest_commits", {
        "ts_commit": at, "cluster_id": "c", "kafka_topic": "raw.liquidation", "kafka_partition": 0, "offset_from": offset,
        "offset_next": offset + 1, "appended_last": at - timedelta(seconds=4), "frames": 900, "rows": 900, "dead_letters": 3,
        "commit_id": f"{offset}", "incarnation": "i",
    })  # fmt: skip


def _of_coin(coin: Coin, end: datetime, minutes: int, seed: int) -> list[tuple[str, pl.DataFrame]]:
    made = path(coin, end, minutes, seed)
    found = [("liquidations", liquidations(coin, made, seed)), ("liquidation_levels", levels(coin, made, end))]
    for number, (venue, *_) in enumerate(VENUES):
        found.append(("klines", candles(coin, made, venue)))
        found += state(coin, made, venue, seed * 100 + number).items()
    return found


def _derive(opened: Lake, since: datetime, end: datetime) -> None:
    rollup(opened, everything=True)
    detect(opened, since, end, end)


def shaped(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame with all columns of its table, those not given null."""
    columns = TABLES[table].schema
    return frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in columns.items()
    )


def _rows(table: str, *given: dict[str, Any]) -> pl.DataFrame:
    columns = TABLES[table].schema
    return pl.DataFrame([dict.fromkeys(columns) | row for row in given], schema=columns)


def _listed(coins: Sequence[Coin], end: datetime, days: float) -> pl.DataFrame:
    since = end - timedelta(days=days + 1)
    return _rows("instruments", *(
        {**named(coin, venue), "contract_size": 1.0, "multiplier": 1, "status": "Trading",
         "family": f"{coin.base}USDT", "pays_funding": True,
         "asset_class": "crypto", "interval_hours": 8.0, "valid_from": since, "ts_recv": since}
        for coin in coins for venue, *_ in VENUES))  # fmt: skip


def _tiers(coins: Sequence[Coin], end: datetime) -> pl.DataFrame:
    steps = ((0.0, 2e6, 0.005, 100.0), (2e6, 1e7, 0.01, 50.0), (1e7, None, 0.025, 20.0))
    return _rows("leverage_tiers", *(
        {"venue": venue, "symbol": named(coin, venue)["symbol"], "tier": number + 1, "floor": low, "cap": cap, "unit": "quote",
         "maintenance_margin_rate": rate, "initial_margin_rate": 1 / most, "max_leverage": most,
         "valid_from": end - timedelta(days=2), "ts_recv": end - timedelta(days=2), "source": "live"}
        for coin in coins for venue, *_ in VENUES[:1] for number, (low, cap, rate, most) in enumerate(steps)))  # fmt: skip


def _heard(end: datetime, minutes: int) -> pl.DataFrame:
    """Return coverage: whole but for a lost hour, a suspect stretch, and a second venue that begins late."""
    last = end.replace(second=0)
    ts = pl.datetime_range(last - timedelta(minutes=minutes - 1), last, "1m", time_unit="us", eager=True)
    ago = pl.Series(range(minutes - 1, -1, -1))
    frames = []
    for place, (venue, *_) in enumerate(VENUES):
        for channel, transport, carries in CHANNELS:
            lost = ago.is_between(400, 447) if place else ago.is_between(700, 711) & carries
            suspect = ago.is_between(260, 275) & bool(place) & carries
            frames.append(
                pl.DataFrame({"minute": ts, "hour": ts.dt.truncate("1h"), "lost": lost, "suspect": suspect}).select(
                    "minute", "hour", venue=pl.lit(venue), channel=pl.lit(channel), transport=pl.lit(transport),
                    topic=pl.lit("raw.liquidation" if carries else "raw.ticker"),
                    connected_share=pl.when("lost").then(0.0).otherwise(1.0), frames=pl.lit(60), rows=pl.lit(1),
                    contract_seconds=pl.lit(10), saturated_seconds=pl.lit(3 if place and carries else 0),
                    gap_reason=pl.when("lost").then(pl.lit("disconnected: keepalive ping timeout")),
                    repaired=pl.when("lost").then(pl.lit(False)), carries_liquidations=pl.lit(carries),
                    state=pl.when(not carries).then(None).when("lost").then(pl.lit("SILENT"))
                    .when("suspect").then(pl.lit("SUSPECT")).otherwise(pl.lit("LIVE")),
                    state_reason=pl.when(not carries).then(None)
                    .when("lost").then(pl.lit("disconnected: keepalive ping timeout"))
                    .when("suspect").then(pl.lit("nothing came, 41 were expected")),
                )
            )  # fmt: skip
    return pl.concat(frames)


def silent(end: datetime, minutes: int) -> pl.DataFrame:
    """Return coverage in which the second venue's liquidations are not heard in the last half."""
    heard = _heard(end, minutes)
    lost = (pl.col("venue") == VENUES[1][0]) & pl.col("carries_liquidations") & (
        pl.col("minute") > end - timedelta(minutes=minutes // 2)
    )  # fmt: skip
    return shaped(
        "feed_coverage",
        heard.with_columns(
            state=pl.when(lost).then(pl.lit("SILENT")).otherwise("state"),
            state_reason=pl.when(lost).then(pl.lit("nothing came, 41 were expected")).otherwise("state_reason"),
        ),
    )


def _dead(end: datetime) -> pl.DataFrame:
    at = end - timedelta(hours=3)
    return _rows("dead_letters", *(
        {"venue": VENUES[1][0], "channel": "liquidation", "reason": "a field of this name is not known: bkLoss2",
         "item": f"data[{number}]", "ts_recv": at, "kafka_topic": "raw.liquidation", "kafka_partition": 0,
         "kafka_offset": 1000 + number, "payload": b"{}"}
        for number in range(3)))  # fmt: skip


if __name__ == "__main__":
    print(make(Path(sys.argv[1]), float(sys.argv[2])))
