"""How long cascades take to find on a day like the record one: 2,000,000 liquidations, 22,558 of them at one instant."""

import asyncio
import random
import resource
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

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
    seeded = random.Random(first)
    numbers = range(first, first + BATCH)
    at = [_moment(number, seeded) for number in numbers]
    coins = [int(COINS * seeded.random() ** 3) for _ in numbers]
    feeds = [("bybit", "all") if number % 5 else ("binance", "one_per_second_latest") for number in numbers]
    given = pl.DataFrame(
        {
            "venue": [venue for venue, _ in feeds], "completeness": [told for _, told in feeds],
            "symbol": [f"C{coin}USDT" for coin in coins], "base": [f"C{coin}" for coin in coins],
            "position_side": ["long" if seeded.random() < 0.84 else "short" for _ in numbers],
            "ts_event": at, "notional_usd": [seeded.lognormvariate(7, 2) for _ in numbers],
            "qty_base": [1.0] * BATCH, "event_key": pl.Series(numbers, dtype=pl.UInt64), "occurrence": [0] * BATCH,
        }
    )  # fmt: skip
    schema_ = TABLES["liquidations"].schema
    missing = [pl.lit(None, kind).alias(name) for name, kind in schema_.items() if name not in given.columns]
    return given.with_columns(missing).select(pl.col(name).cast(kind) for name, kind in schema_.items())


def _moment(number: int, seeded: random.Random) -> datetime:
    if number < BURST:
        return DAY + timedelta(seconds=21 * 3600 + 964.831874)
    span = CRASH_S if number % 3 else (0, 86_400)
    return DAY + timedelta(milliseconds=int(1000 * seeded.uniform(*span)))


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
