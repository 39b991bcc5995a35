"""`liq up`: the whole pipeline on this machine against the live venues, until it is told to stop."""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from collectors.ports import free_port, is_free
from pipelines.derive.coverage.cover import cover_to_the_end
from pipelines.ingest.alone import alone
from pipelines.ingest.apart import COMMAND
from pipelines.serve.settings import ServeSettings
from pipelines.settings import AlertsSettings
from pipelines.up import board
from pipelines.up.commands import Run, StartError, ending, liq, often, ready
from pipelines.up.parts import Parts
from pipelines.up.phases import Phases
from pipelines.up.screen import show
from warehouse import lake
from warehouse.worlds import setting

RUNNING = """\
Running; logs in {world}/logs, addresses of metrics in {world}/up.json; query with `{liq} sql` beside it. Ctrl-C stops."""
PHASES = {
    "commit": "the collectors hand over, all that is in Kafka is committed",
    "views": "coverage, bars and cascades are brought up to date",
    "stop": "every part is stopped",
}
SOON = ("rollup", "detect_cascades", "estimate_levels")
"""What is brought up to date where somebody waits for it, coverage apart. Signals are of full hours, so they can wait."""
AT_STOP = ("refresh",)
"""What is brought up to date where `liq up` ends: levels and signals are made by the next start."""
SERVE_PORT = "LIQ_SERVE_PORT"
TRIES = 3
"""How often the last steps are tried; each may be repeated."""


async def up(world: Path, venues: Sequence[str], out: Console) -> int:
    """Start collectors, broker and ingest, show what arrives, and stop all in order; return the exit code.

    Raises AlreadyRunningError where another one runs in this world, StartError.
    """
    with alone(world, board.LOCK, "`liq up`"):
        stop = stop_on_signal()
        parts = Parts(world, lambda line: out.print(line, soft_wrap=True))
        phases = Phases(out, PHASES)
        with parts.measured():
            try:
                if await unless_stopped(stop, _start(parts, venues, out)):
                    out.print(RUNNING.format(world=world, liq=f"{setting(world)} liq"), soft_wrap=True, markup=False)
                    await show(out, world, f"live: {', '.join(venues) or 'the usual venues'}", stop)
                    code = await _stopped(parts, out, phases, stop)
                else:
                    out.print("Stopped before everything ran; what the collectors received is kept.")
                    code = 0
            finally:
                with phases.shown():
                    phases.begin("stop")
                    await parts.stop()
        board.remove(world)
        return code


async def _stopped(parts: Parts, out: Console, phases: Phases, stop: asyncio.Event) -> int:
    """Stop what feeds the lake, in good order; a second Ctrl-C leaves the rest to the next start."""
    out.print("Stopping: committing what was received, then bars and cascades. Ctrl-C again leaves that for later.")
    stop.clear()
    codes: list[int] = []

    async def work() -> None:
        codes.append(await stop_pipeline(parts, out, phases.begin))

    with phases.shown():
        if await unless_stopped(stop, work()):
            return codes[0]
    out.print("Left for the next start; what is in Kafka stays there.")
    return 0


async def _start(parts: Parts, venues: Sequence[str], out: Console) -> None:
    await start_collectors(parts, venues)  # needs nothing else: nothing is missed while the rest starts
    await parts.kafka()
    await start_prefect(parts, out)
    await start_ingest(parts)
    await parts.add("flows", liq("flows", "serve"), metrics="LIQ_FLOWS_METRICS_PORT")
    await start_serve(parts, out)
    await start_alerts(parts, out)


async def unless_stopped(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Do something that may wait for long, unless `stop` is set meanwhile; return whether it was done."""
    doing, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((doing, stopping), return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            await doing
            return True
        return False
    finally:
        for task in (doing, stopping):
            task.cancel()
        await asyncio.gather(doing, stopping, return_exceptions=True)


async def start_collectors(parts: Parts, venues: Sequence[str]) -> None:
    """Start the collectors of these venues, one process."""
    await parts.add("collect", liq("collect", *venues), metrics="LIQ_COLLECT_METRICS_PORT")


async def start_ingest(parts: Parts) -> None:
    """Start the ingest that follows; Prefect's server answers already."""
    await parts.add("ingest", liq("ingest", "--follow"), metrics="LIQ_INGEST_METRICS_PORT")


async def start_serve(parts: Parts, out: Console) -> None:
    """Start the service over HTTP, at its own port or, where that is taken, at a free one."""
    settings = ServeSettings()
    if not parts.setting(SERVE_PORT) and not is_free(settings.port):
        out.print(f"port {settings.port} is taken; LIQ_SERVE_PORT chooses the service's", soft_wrap=True)
        port = free_port()
    else:
        port = settings.port
    parts.env[SERVE_PORT] = str(port)
    await parts.add("serve", metrics=SERVE_PORT)
    out.print(f"The warehouse over HTTP: http://127.0.0.1:{port}/v1/catalogue", soft_wrap=True)


async def start_alerts(parts: Parts, out: Console) -> None:
    """Start `liq alerts run` where there is a file of rules."""
    file = AlertsSettings().file(parts.world)
    if file.exists():
        await parts.add("alerts", liq("alerts", "run"))
        out.print(f"Alerts by the rules of {file}", soft_wrap=True, markup=False)


async def start_prefect(parts: Parts, out: Console) -> None:
    """Start Prefect's server, saying so: the first time it makes its database, which takes a while."""
    with out.status("Starting Prefect's server"):
        out.print(f"Prefect at {await parts.prefect()}", soft_wrap=True)


async def stop_pipeline(parts: Parts, out: Console, phase: Callable[[str], None], alone_here: bool = False) -> int:
    """Stop the collectors, then the ingest, commit what is left in Kafka, bring up to date what is derived from it.

    `phase` is told which of "commit" and "views" begins. `alone_here`: nothing else feeds this world, so that the minute that
    runs can be told now. Returns 1 where a part ended badly.
    """
    log = parts.world / "logs" / "flows.log"
    flows = liq("flows", "run", *(SOON if alone_here else AT_STOP))
    async with ready([*flows, "--when-told"], parts.env, log) as begin:
        code = await _committed(parts, out, phase)
        phase("views")
        if alone_here:
            await asyncio.to_thread(_cover, parts.world)  # before cascades, which say how much of them was heard
        else:
            await parts.stop("flows")
        await _once_or_again(begin, flows, parts.env, log)
    return code


async def _committed(parts: Parts, out: Console, phase: Callable[[str], None]) -> int:
    """Stop what feeds the lake and commit what is left in Kafka; return 1 where a part ended badly."""
    phase("commit")
    codes = {name: (await parts.stop(name))[name] for name in ("collect", "ingest")}
    for name, code in codes.items():
        if code:
            out.print(f"{name} ended with {ending(code)}; log: {parts.world}/logs/{name}.log", soft_wrap=True)
    await often(TRIES, COMMAND, parts.env, parts.world / "logs" / "ingest.log")
    return 1 if any(codes.values()) else 0


async def _once_or_again(begin: Run, command: Sequence[str], env: Mapping[str, str], log: Path) -> None:
    try:
        await begin()
    except StartError:
        await often(TRIES - 1, command, env, log)


async def together(*works: Coroutine[Any, Any, Any]) -> None:
    """Do several things at a time; where one fails the others are given up, and its error is raised."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _cover(world: Path) -> None:
    with lake.open(world, read_only=False) as warehouse:
        cover_to_the_end(warehouse, datetime.now(UTC).replace(tzinfo=None))


def stop_on_signal() -> asyncio.Event:
    """Return an event that Ctrl-C and SIGTERM set."""
    stop = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    return stop
