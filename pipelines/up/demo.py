"""`liq demo`: the whole pipeline, nothing left out, against local servers that speak the venues' protocols."""

import asyncio
import os
import shutil
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich.console import Console

from collectors.venues.known import RECORDS, USUAL
from collectors.venues.record import Record
from pipelines.errors import AlreadyRunningError
from pipelines.ingest.alone import alone, is_held
from pipelines.up import board
from pipelines.up.commands import StartError, liq, often
from pipelines.up.invented import OF_SCRIPT, get, heard_all, play, script_of, simulate
from pipelines.up.parts import Parts
from pipelines.up.past import backfills
from pipelines.up.phases import Phases
from pipelines.up.told import next_commands, tell
from pipelines.up.up import (
    TRIES,
    start_collectors,
    start_ingest,
    stop_on_signal,
    stop_pipeline,
    together,
    unless_stopped,
)
from pipelines.up.usage import Usage
from warehouse import schema

SETTINGS = {
    "LIQ_GRID_S": "5",
    "LIQ_COLLECT_POLL_SCALE": "0.1",
}  # a minute's grid would show little of so short a market
PHASES = {
    "start": "Kafka, Prefect, three simulated venues, collectors, ingest",
    "calm": "the market is calm; its past is asked of the venues meanwhile",
    "cascade": "prices fall, thousands of positions are liquidated",
    "settling": "the market settles, what was sent arrives",
    "commit": "the collectors hand over, all that is in Kafka is committed",
    "views": "coverage, bars, cascades and levels are brought up to date",
    "stop": "every part is stopped",
}
SET_ASIDE = ("LIQ_KAFKA_BOOTSTRAP", "LIQ_CATALOGUE", "LIQ_FILES")
"""An invented market goes into none of the user's own servers."""
FOLLOWS_S, HEARD_S = 120.0, 20.0
ALL = "all"
WHAT = "`liq demo` or `liq up`"


async def demo(
    world: Path, out: Console, kills: int = 0, venues: Sequence[str] | None = None, minutes: float | None = None
) -> int:
    """Run the scripted market through the pipeline, and check every count against what the market did. Ends by itself.

    Empties the world's folder first, if a demo made it. Ctrl-C (or q) ends the market early, a second one leaves the rest.
    `kills`: how often ingest is killed (SIGKILL) on the way. `venues`: which are simulated; none: the usual ones. `minutes`:
    how long the market lasts, most of it calm, at least those of `SCRIPT_S`. Returns 0 where every liquidation sent is stored
    once and no frame is missing, 130 where it was stopped before that is known, else 1.
    Raises AlreadyRunningError where a demo runs in this world, StartError for a venue that there is not.
    """
    chosen = _chosen(venues or USUAL)
    stop = stop_on_signal()
    fresh(world)
    with alone(world, board.LOCK, WHAT):
        for name in SET_ASIDE:
            if os.environ.pop(name, None):
                out.print(f"{name} is ignored: the demo's market is invented and stays in {world}", soft_wrap=True)
        parts = Parts(world, lambda line: out.print(line, soft_wrap=True), SETTINGS, is_quiet=out.is_terminal)
        script = script_of(minutes)
        phases = Phases(out, PHASES, {OF_SCRIPT[name]: seconds for name, seconds in script.items()})
        truth: dict[str, Any] = {}
        usage = Usage(parts.parts)
        watching = asyncio.create_task(usage.watch())
        with parts.measured():
            try:
                ended = await _played(parts, chosen, script, out, phases, stop, kills, truth)
            finally:
                watching.cancel()
                with phases.shown():
                    phases.begin("stop")
                    await parts.stop()
        board.remove(world)
        if not ended:
            out.print("Stopped before its end; `liq demo` starts it again from the beginning.")
            return 130
        code = tell(world, out, truth["venues"], truth["restarts"])
        usage.show(out)
        out.print(f"It took {phases.took_s:.0f} s. Its data stay in {world}. Try next:", soft_wrap=True, markup=False)
        out.print(next_commands(world), soft_wrap=True, markup=False)
        return max(code, int(truth["code"]))


def _chosen(venues: Sequence[str]) -> tuple[Record, ...]:
    if ALL in venues:
        return tuple(RECORDS.values())
    if unknown := [name for name in venues if name not in RECORDS]:
        raise StartError(f"no venue {', '.join(unknown)}; there are {', '.join(RECORDS)}")
    return tuple(RECORDS[name] for name in dict.fromkeys(venues))


async def _played(
    parts: Parts,
    venues: Sequence[Record],
    script: Mapping[str, float],
    out: Console,
    phases: Phases,
    stop: asyncio.Event,
    kills: int,
    truth: dict[str, Any],
) -> bool:
    """Start everything, play the market to its end, stop what feeds the lake; return whether it came so far.

    `truth` gets what the market did: venues, restarts of the simulation, code: the exit code.
    """
    simulator: list[str] = []
    with phases.shown():
        phases.begin("start")
        if not await unless_stopped(stop, _started(parts, venues, script, simulator)):
            return False
    if not out.is_terminal:
        out.print(
            f"Query beside it, from another terminal:\n{next_commands(parts.world)}", soft_wrap=True, markup=False
        )
    history = asyncio.create_task(_history(parts, venues))
    try:
        await play(parts, out, phases, simulator[0], stop, kills)
        stop.clear()  # from here on Ctrl-C leaves the rest
        with phases.shown():
            return await unless_stopped(stop, _finished(parts, out, phases, simulator[0], history, truth))
    finally:
        history.cancel()
        await asyncio.gather(history, return_exceptions=True)


async def _started(parts: Parts, venues: Sequence[Record], script: Mapping[str, float], simulator: list[str]) -> None:
    """Start every part, what needs no other at the same time, and return when the venues are heard and ingest follows.

    `simulator` gets the address of the simulated venues' control port.
    """

    async def heard() -> None:
        names = [venue.name for venue in venues]
        await together(parts.kafka(), _told_to(simulator, simulate(parts, names, script)))
        await start_collectors(parts, names)

    await together(heard(), parts.prefect(), asyncio.to_thread(schema.create_or_migrate, parts.world))
    await start_ingest(parts)
    # the market begins all the same on a slow machine, and where a venue sends nothing but liquidations
    with suppress(TimeoutError):
        await asyncio.wait_for(parts.answers("ingest"), FOLLOWS_S)
    with suppress(TimeoutError):
        await asyncio.wait_for(heard_all(simulator[0]), HEARD_S)


async def _told_to(found: list[str], work: Coroutine[Any, Any, str]) -> None:
    found.append(await work)


async def _finished(
    parts: Parts, out: Console, phases: Phases, simulator: str, history: "asyncio.Task[None]", truth: dict[str, Any]
) -> None:
    phases.begin("settling", "the market's past is still being asked for")
    await history
    truth["code"] = await stop_pipeline(parts, out, phases.begin, alone_here=True)
    truth["restarts"] = parts.child("simulate").restarts
    truth["venues"] = await get(f"{simulator}/_truth")


def holds_a_demo(world: Path) -> bool:
    """Tell whether the folder has what a demo left behind: `fresh` would delete it."""
    return (world / board.DEMO).exists() and any(each.name != board.DEMO for each in world.iterdir())


def fresh(world: Path) -> None:
    """Empty the world's folder if a demo made it. Raises StartError for a folder that holds anything else."""
    if is_held(world, board.LOCK):
        raise AlreadyRunningError(f"{WHAT} runs in {world} already")
    if world.exists() and any(world.iterdir()):
        if not (world / board.DEMO).exists():
            raise StartError(
                f"{world} is not empty and no demo's; `liq demo` starts afresh, so name another with LIQ_DATA"
            )
        shutil.rmtree(world)
    world.mkdir(parents=True, exist_ok=True)
    (world / board.DEMO).write_text("made by `liq demo`, which empties this folder when it starts\n")


async def _history(parts: Parts, venues: Sequence[Record]) -> None:
    """Ask each venue for its past, so that prices, open interest, funding, levels and signals have one. Raises StartError."""
    await together(*(_past_of(parts, venue) for venue in venues))


async def _past_of(parts: Parts, venue: Record) -> None:
    for asked in backfills(venue.history().endpoints):
        command = liq("backfill", venue.name, "--symbols", ",".join(venue.known), *asked)
        await often(TRIES, command, parts.env, parts.world / "logs" / f"backfill-{venue.name}.log")
