"""How long cascades take to find on a day like the record one: 2,000,000 liquidations, 22,558 of them at one instant."""

import asyncio
import resource
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from pipelines.derive.cascades.run import detect
from warehouse import lake, schema
from warehouse.lake import Lake
from warehouse.tables import TABLES
from warehouse.writer import append

DAY = datetime(2026, 10, 10)  # noqa: DTZ001 the warehouse's times are UTC without a zone
ROWS, BATCH = 2_000_000, 100_000
BURST = 22_558
COINS = 160
CRASH_S = (21 * 3600, 21 * 3600 + 40 * 60)


async def run(world: Path) -> None:
    """Fill a lake, then find its cascades in a process of its own."""
    schema.create_or_migrate(world)
    with lake.open(world, read_only=False) as warehouse:
        for first in range(0, ROWS, BATCH):
            append(warehouse, {"liquidations": _rows(first)})
    command = [sys.executable, "-m", "tests.bench.cascades", str(world)]
    process = await asyncio.create_subprocess_exec(*command)
    await process.wait()


def _rows(first: int) -> pl.DataFrame:
    """A batch: two thirds in the 40 minutes of the crash, the burst of one instant among them."""
    draw = np.random.default_rng(first)
    numbers = np.arange(first, first + BATCH)
    coins = pl.Series((COINS * draw.random(BATCH) ** 3).astype(int)).cast(pl.String)
    is_other = pl.Series(numbers % 5 == 0)
    given = pl.DataFrame({
        "symbol": "C" + coins + "USDT", "base": "C" + coins, "is_other": is_other, "is_long": draw.random(BATCH) < 0.84,
        "ts_event": _moments(numbers, draw), "notional_usd": draw.lognormal(7, 2, BATCH), "event_key": numbers,
    }).with_columns(
        venue=pl.when("is_other").then(pl.lit("binance")).otherwise(pl.lit("bybit")),
        completeness=pl.when("is_other").then(pl.lit("one_per_second_latest")).otherwise(pl.lit("all")),
        position_side=pl.when("is_long").then(pl.lit("long")).otherwise(pl.lit("short")),
        qty_base=pl.lit(1.0), occurrence=pl.lit(0),
    )  # fmt: skip
    schema_ = TABLES["liquidations"].schema
    missing = [pl.lit(None, kind).alias(name) for name, kind in schema_.items() if name not in given.columns]
    return given.with_columns(missing).select(pl.col(name).cast(kind) for name, kind in schema_.items())


def _moments(numbers: np.ndarray, draw: np.random.Generator) -> pl.Series:
    """Return when each was, to the millisecond; those of the burst to the microsecond."""
    is_crash = numbers % 3 > 0
    starts = np.where(is_crash, CRASH_S[0], 0)
    spans = np.where(is_crash, CRASH_S[1] - CRASH_S[0], 86_400)
    us = ((starts + spans * draw.random(len(numbers))) * 1_000).astype(np.int64) * 1_000
    us[numbers < BURST] = (21 * 3600 + 964) * 1_000_000 + 831_874
    return pl.Series(us).cast(pl.Duration("us")) + DAY


def _time(warehouse: Lake, what: str, since: datetime, until: datetime) -> None:
    began = time.perf_counter()
    done = detect(warehouse, since, until, DAY + timedelta(days=2))
    print(f"{what:48}{time.perf_counter() - began:>8.1f} s   {done.found:,} cascades, {done.stored:,} rows stored")


def _main(world: Path) -> None:
    with lake.open(world, read_only=False) as warehouse:
        _time(warehouse, "the whole day, 2,000,000 liquidations:", DAY, DAY + timedelta(days=1))
        _time(warehouse, "the whole day again:", DAY, DAY + timedelta(days=1))
        crash = DAY + timedelta(hours=20), DAY + timedelta(hours=22)
        _time(warehouse, "two hours with the crash in them, as scheduled:", *crash)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory:                                    {peak:>8,.0f} MB")


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
