"""Kafka away for minutes under heavy traffic: what the spool holds arrives, and what it cannot hold is named."""

import asyncio
import json
import signal
import time
from collections import Counter

import duckdb

from collectors.topics import TICKER
from tests.chaos.act import Done
from tests.chaos.faults import KINDS, Planned
from tests.chaos.memory import Memory
from tests.chaos.run import Disturb, Disturbed, Tell
from tests.chaos.tickers import Tickers
from tests.chaos.verdict import Promise
from tests.chaos.world import World

BEFORE_S = 10.0
AFTER_S = 60.0
TOLD_S = 30.0
SIGKILL = next(each for each in KINDS if each.name == "SIGKILL" and each.where == "broker")
DROPPED = "SELECT detail FROM collector_events WHERE event = 'dropped'"
MISSING = """
SELECT state, count(*)::BIGINT, sum(missing)::BIGINT, sum(dropped)::BIGINT, sum(frames)::BIGINT
FROM frames_accounted GROUP BY ALL ORDER BY ALL
"""


def kafka_away(seconds: float, rate: float, kill: bool, suffices: bool) -> Disturb:
    """Return what takes Kafka away for so long at `rate` frames of tickers a second; `kill`: the collector is killed in the
    middle of it; `suffices`: the spool is large enough for all of it."""

    async def disturb(world: World, tell: Tell) -> Disturbed:
        async with Tickers(world.simulator, rate).running() as tickers, Memory(world).running() as memory:
            await asyncio.sleep(BEFORE_S)
            tell(f"Kafka goes for {seconds:.0f} s, at {rate:,.0f} frames of tickers a second")
            began = time.time_ns()
            killing = asyncio.create_task(_killed(world, seconds / 2, tell)) if kill else None
            telling = asyncio.create_task(_told(world, tickers, tell))
            await world.broker.away(seconds)
            ended = time.time_ns()
            tell(f"Kafka is back; {tickers.written:,} frames of tickers so far")
            if killing:
                await killing
            await asyncio.sleep(AFTER_S)
            telling.cancel()
            tell(f"{tickers.written:,} frames of tickers; memory, most: {memory}")
        planned = Planned(0.0, SIGKILL, "broker", seconds, 1, 0.0)
        return Disturbed(
            [Done(planned, began, ended, 1)], [], [lambda connection: given_up(connection, suffices, kill)]
        )

    return disturb


async def _killed(world: World, after_s: float, tell: Tell) -> None:
    await asyncio.sleep(after_s)
    for name in world.names:
        world.signal(name, signal.SIGKILL)
        tell(f"{name} killed")


async def _told(world: World, tickers: Tickers, tell: Tell) -> None:
    while True:
        await asyncio.sleep(TOLD_S)
        files = [path.stat().st_size for path in (world.folder / "spool").rglob("*.seg")]
        tell(f"{tickers.written:,} frames of tickers written; spool {sum(files) / 1e6:,.1f} MB in {len(files)} files")


def given_up(connection: duckdb.DuckDBPyConnection, suffices: bool, killed: bool) -> Promise:
    """Only tickers are given up, each frame of them by name, and none where the spool suffices."""
    dropped: Counter[str] = Counter()
    for (detail,) in connection.execute(DROPPED).fetchall():
        told = json.loads(detail)
        dropped[told["topic"]] += told["frames"]
    states = connection.execute(MISSING).fetchall()
    broken = [f"{frames:,} frames of {topic} were given up" for topic, frames in dropped.items() if topic != TICKER]
    if suffices and dropped:
        broken.append(f"{dropped.total():,} frames were given up though there was room")
    if not suffices and not dropped:
        broken.append("nothing was given up: the bound was not reached")
    for state, _, missing, named, _ in states:
        if missing and not (killed and state == "killed"):
            broken.append(
                f"{missing:,} numbers of sessions that are {state} are missing without a name ({named:,} named)"
            )
    by_topic = ", ".join(f"{n:,} of {topic}" for topic, n in dropped.most_common()) or "none"
    by_state = "; ".join(f"{n} {state}: {frames:,} stored, {m:,} missing" for state, n, m, _, frames in states)
    return Promise(
        "only tickers are given up, by name", not broken, f"given up: {by_topic}; sessions {by_state}", tuple(broken)
    )
