"""A run: start the world, disturb it, heal, drain, and judge."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import duckdb

from pipelines.check.checking import audit
from pipelines.derive.bars.run import rollup
from pipelines.derive.coverage.cover import cover_to_the_end
from tests.chaos import clock, healing
from tests.chaos.act import Done, act
from tests.chaos.faults import VENUES, Planned, Where, kills, plan
from tests.chaos.replay import replayed
from tests.chaos.verdict import Promise, judge
from tests.chaos.world import World
from warehouse import lake

CLOCKED: tuple[Where, ...] = ("clock", "slow disk")
START_S = 180.0
HEAL_S = 180.0
LOOK_S = 0.5
NEWEST = """
SELECT venue, max(recv_last) AS newest FROM session_frames WHERE kafka_topic = 'raw.liquidation' GROUP BY venue
"""
MISSING_UNKILLED = "SELECT session FROM frames_accounted WHERE state <> 'killed' AND (missing > 0 OR duplicates > 0)"
Tell = Callable[[str], object]


class Found(NamedTuple):
    """What came of a run."""

    promises: list[Promise]
    healed: list[healing.Line]
    done: list[Done]
    skipped: list[str]
    restarts: dict[str, int]


class Disturbed(NamedTuple):
    """What was done to a world, and what could not be; `judges`: what is promised of this alone, asked when all is stored."""

    done: list[Done]
    skipped: list[str]
    judges: Sequence[Callable[[duckdb.DuckDBPyConnection], Promise]] = ()


Disturb = Callable[[World, Tell], Awaitable[Disturbed]]


async def chaos(world: World, disturb: Disturb, tell: Tell) -> Found:
    """Run it all and stop the world. Raises TimeoutError where it does not come up."""
    try:
        began = datetime.now(UTC).replace(tzinfo=None)
        await world.start()
        if late := await _until_committed(world, began, START_S, tell):
            raise TimeoutError(f"nothing of {', '.join(late)} arrived in the beginning")
        disturbed = await disturb(world, tell)
        world.heal()
        promises = [await _heals(world, tell)]
        promises.append(await _drained(world, tell))
        tell("judging")
        promises += await asyncio.to_thread(judge, world)
        promises.append(await replayed(world))
        promises.append(await asyncio.to_thread(_audited, world, began))
        with lake.open(world.folder) as warehouse:
            promises += [judged(warehouse.connection) for judged in disturbed.judges]
            healed = healing.healed(warehouse.connection, disturbed.done)
        return Found(promises, healed, disturbed.done, disturbed.skipped, world.restarts())
    finally:
        await world.stop()


def at_random(seed: int, faults: int, seconds: float, only_kills: bool = False) -> Disturb:
    """Return what does so many faults in so many seconds; `only_kills`: SIGKILLs of every process, and nothing else."""

    async def disturb(world: World, tell: Tell) -> Disturbed:
        planned, skipped = _plan(world, seed, faults, seconds)
        if only_kills:
            planned, skipped = kills(seed, faults, seconds, world.programs), []
        tell(f"{len(planned):,} faults in {seconds:.0f} s begin; left out: {'; '.join(skipped)}")
        return Disturbed(await _disturbed(world, planned, seconds, tell), skipped)

    return disturb


def _plan(world: World, seed: int, faults: int, seconds: float) -> tuple[list[Planned], list[str]]:
    found: dict[Where, str] = {"disk": world.disk.missing, **dict.fromkeys(CLOCKED, clock.missing()), **world.without}
    missing = {where: why for where, why in found.items() if why}
    planned = plan(seed, faults, seconds, world.programs, missing)
    return planned, [f"{where}: {why}" for where, why in missing.items()]


async def _disturbed(world: World, planned: list[Planned], seconds: float, tell: Tell) -> list[Done]:
    started, running, told = time.monotonic(), list[asyncio.Task[Done]](), 0
    for each in planned:
        await asyncio.sleep(max(0.0, started + each.at - time.monotonic()))
        running.append(asyncio.create_task(act(world, each)))
        if time.monotonic() - started > told * 30:
            told += 1
            tell(
                f"{time.monotonic() - started:5.0f} s: {len(running):,} faults, {len(world.sent.passed):,} frames written"
            )
    await asyncio.sleep(max(0.0, started + seconds - time.monotonic()))
    outcomes = await asyncio.gather(*running, return_exceptions=True)
    for each, outcome in zip(planned, outcomes, strict=True):
        if isinstance(outcome, BaseException):
            raise RuntimeError(f"{each.name} could not be done") from outcome
    return [outcome for outcome in outcomes if isinstance(outcome, Done)]


async def _heals(world: World, tell: Tell) -> Promise:
    """After the last fault liquidations of each venue are committed again, and nobody has helped."""
    now = datetime.now(UTC).replace(tzinfo=None)
    began = time.monotonic()
    late = await _until_committed(world, now, HEAL_S, tell)
    figures = (
        f"all venues again {time.monotonic() - began:.1f} s after the last fault" if not late else f"never: {late}"
    )
    return Promise("it heals by itself", not late, figures, tuple(late))


async def _until_committed(world: World, since: datetime, within_s: float, tell: Tell) -> list[str]:
    """Wait until liquidations of each venue that arrived after `since` are committed; return the venues that lack them."""
    deadline = time.monotonic() + within_s
    while True:
        newest = {row["venue"]: row["newest"] for row in await world.read(NEWEST)}
        late = [venue for venue in VENUES if venue not in newest or newest[venue] < since]
        if not late or time.monotonic() > deadline:
            if late:
                tell(f"nothing new committed of {', '.join(late)} within {within_s:.0f} s")
            return late
        await asyncio.sleep(LOOK_S)


async def _drained(world: World, tell: Tell) -> Promise:
    """Stop in the order that loses nothing, and take in what Kafka holds."""
    world.simulator.quiet()
    while any(world.simulator.state()["pending"].values()):
        await asyncio.sleep(0.1)
    tell("stopping")
    codes = await world.drain()
    await asyncio.to_thread(_cover, world)
    bad = tuple(f"{name} ended with {code}" for name, code in codes.items() if code)
    return Promise("it stops in good order", not bad, ", ".join(f"{name} {code}" for name, code in codes.items()), bad)


def _cover(world: World) -> None:
    with lake.open(world.folder, read_only=False) as warehouse:
        cover_to_the_end(warehouse, datetime.now(UTC).replace(tzinfo=None))
        rollup(warehouse)


def _audited(world: World, began: datetime) -> Promise:
    with lake.open(world.folder) as warehouse:
        found = audit(warehouse, began.replace(second=0, microsecond=0), datetime.now(UTC).replace(tzinfo=None))
        unkilled = warehouse.connection.execute(MISSING_UNKILLED).fetchall()
    told = set() if unkilled else {"session_frames_accounted"}  # a kill may lose what was in memory, by number
    bad = [
        each for each in found
        if each.offenders and each.check.severity == "failure" and each.check.name not in told
    ]  # fmt: skip
    warned = [each for each in found if each.offenders and each.check.severity != "failure"]
    figures = (
        f"{len(found)} checks, {len(bad)} failed, {len(warned)} warned ({', '.join(e.check.name for e in warned)})"
    )
    broken = tuple(f"{each.check.name}: {each.offenders} offend, such as {str(each.first[:1])[:300]}" for each in bad)
    return Promise("the audit passes", not bad, figures, broken)
