"""25,000 liquidations with one timestamp in one second, beside heavy other traffic."""

import asyncio
import time

import duckdb

from tests.chaos.memory import MB, Memory
from tests.chaos.run import Disturb, Disturbed, Tell
from tests.chaos.tickers import Tickers
from tests.chaos.verdict import Promise
from tests.chaos.world import World

LIQUIDATIONS = 25_000
PARTS = 25
BEFORE_S = 20.0
WITHIN_S = 60.0
AFTER_S = 60.0
MOST_BYTES = 300 * MB
MOST_LATE_S = 2.0
HELD = ("collect", "ingest")
LATE = """
WITH late AS (
    SELECT l.ts_recv, epoch_us(c.ts_commit - l.ts_recv) / 1e6 AS late_s
    FROM liquidations AS l JOIN ingest_commits AS c
        ON c.kafka_topic = l.kafka_topic AND c.kafka_partition = l.kafka_partition
        AND l.kafka_offset >= c.offset_from AND l.kafka_offset < c.offset_next
)
SELECT quantile_cont(late_s, 0.99), max(late_s), count(*)
FROM late WHERE ts_recv >= make_timestamp(?) AND ts_recv < make_timestamp(?)
"""


def burst(rate: float) -> Disturb:
    """Return what sends the burst beside `rate` frames of tickers a second."""

    async def disturb(world: World, tell: Tell) -> Disturbed:
        async with Tickers(world.simulator, rate).running() as tickers, Memory(world).running() as memory:
            await asyncio.sleep(BEFORE_S)
            at_us = time.time_ns() // 1000
            await _burst(world)
            tell(f"{LIQUIDATIONS:,} liquidations sent in {(time.time_ns() // 1000 - at_us) / 1e6:.2f} s")
            await asyncio.sleep(WITHIN_S + AFTER_S)
            tell(f"{tickers.written:,} frames of tickers; memory, most: {memory}")
        return Disturbed([], [], [lambda connection: _fresh(connection, at_us), lambda _: _small(memory)])

    return disturb


async def _burst(world: World) -> None:
    """Send them within a second, all of one time."""
    now = world.simulator.now()
    frames = world.simulator.liquidations("binance", lambda: now)
    began = time.monotonic()
    for part in range(PARTS):
        await asyncio.sleep(max(0.0, began + part / PARTS - time.monotonic()))
        world.simulator.flood("binance", frames, LIQUIDATIONS // PARTS)


def _fresh(connection: duckdb.DuckDBPyConnection, at_us: int) -> Promise:
    """Rows are as fresh as ever within a minute."""
    figures, broken = [], []
    for name, since, until in (("burst", 0.0, WITHIN_S), ("from a minute after", WITHIN_S, WITHIN_S + AFTER_S)):
        row = connection.execute(LATE, [at_us + int(since * 1e6), at_us + int(until * 1e6)]).fetchone()
        p99, most, count = row or (None, None, 0)
        figures.append(f"{name}: p99 {p99 or 0:.2f} s, most {most or 0:.2f} s of {count:,}")
        if since and (p99 is None or p99 > MOST_LATE_S):
            broken.append(f"p99 is {p99} s a minute after the burst")
    return Promise("p99 of freshness is under 2 s a minute after", not broken, "; ".join(figures), tuple(broken))


def _small(memory: Memory) -> Promise:
    over = [name for name, size in memory.most.items() if size > MOST_BYTES and name.startswith(HELD)]
    broken = tuple(f"{name} held {memory.most[name] / MB:.0f} MB" for name in over)
    return Promise("each process holds less than 300 MB", not over, str(memory), broken)
