"""`liq demo`: the whole pipeline, nothing left out, against local servers that speak the venues' protocols."""

import asyncio
import json
import os
import shutil
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich.console import Console

from collectors.ports import free_port
from collectors.proxies import direct
from pipelines.errors import AlreadyRunningError
from pipelines.ingest.alone import alone, is_held
from pipelines.up import board
from pipelines.up.commands import StartError, liq, often, own_name
from pipelines.up.parts import Parts
from pipelines.up.screen import Screen, read, show_rows
from pipelines.up.supervise import Child
from pipelines.up.up import TRIES, start_collectors, start_ingest, start_prefect, stop_on_signal, stop_pipeline
from warehouse.worlds import setting

VENUES = ("binance", "bybit", "okx")
SETTINGS = {
    "LIQ_GRID_S": "5",
    "LIQ_COLLECT_POLL_SCALE": "0.1",
}  # a minute's grid would show little of so short a market
SCRIPT = ("--calm", "20", "--cascade", "12", "--aftermath", "12")
PAST = {"binance": "BTCUSDT,ETHUSDT", "bybit": "BTCUSDT,ETHUSDT", "okx": "BTC-USDT-SWAP,ETH-USDT-SWAP"}
"""What the venues are asked about the day before."""
SET_ASIDE = ("LIQ_KAFKA_BOOTSTRAP", "LIQ_CATALOGUE", "LIQ_FILES")
"""An invented market goes into none of the user's own servers."""
START_S = 30.0
SIMULATOR_PORTS = 5
WHAT = "`liq demo` or `liq up`"

TABLES = {
    "liquidation_totals, last hour, the largest": "SELECT base, venue, position_side, usd, count, largest_usd, completeness "
    "FROM liquidation_totals WHERE hours = 1 ORDER BY usd DESC LIMIT 8",
    "liquidations_by_minute": "SELECT minute, venue, position_side, sum(usd) AS usd, sum(count) AS count, "
    "max(largest_usd) AS largest_usd FROM liquidations_by_minute GROUP BY ALL ORDER BY minute, venue, position_side",
    "cascades_recent": "SELECT ts_start, base, position_side, usd, seconds, multiple, count, move, lower_bound "
    "FROM cascades_recent ORDER BY usd DESC LIMIT 6",
    "liquidation_max_pain, an estimate": "SELECT ts, base, range_pct, price_now, long_price, long_usd_estimated, short_price, "
    "short_usd_estimated, score_verdict FROM liquidation_max_pain WHERE range_pct IN (5, 20) ORDER BY base, range_pct",
    "funding_current": "SELECT venue, instrument, funding_rate, interval_hours, next_funding_ts FROM funding_current "
    "WHERE base IN ('BTC', 'ETH') ORDER BY base, venue LIMIT 8",
    "open_interest_current": "SELECT venue, instrument, oi_base, oi_usd, usd_from FROM open_interest_current "
    "WHERE base IN ('BTC', 'ETH') ORDER BY oi_usd DESC LIMIT 8",
}


async def demo(world: Path, out: Console, kills: int = 0) -> int:
    """Run the scripted market through the pipeline and check every count against what the market did.

    Ends by itself when `out` is no terminal, else on Ctrl-C. `kills`: how often ingest is killed (SIGKILL) on the way.
    Returns 0 where every liquidation sent is stored once and no frame is missing, else 1. Raises AlreadyRunningError where
    a demo runs in this world.
    """
    _fresh(world)
    with alone(world, board.LOCK, WHAT):
        for name in SET_ASIDE:
            if os.environ.pop(name, None):
                out.print(f"{name} is set aside: the demo's market is invented and stays in {world}", soft_wrap=True)
        stop = stop_on_signal()
        parts = Parts(world, lambda line: out.print(line, soft_wrap=True), SETTINGS)
        with parts.measured():
            try:
                code = await _played(parts, out, stop, kills)
            finally:
                await parts.stop()
        board.remove(world)
        return code


async def _played(parts: Parts, out: Console, stop: asyncio.Event, kills: int) -> int:
    """Start everything, play the market to its end, stop everything, compare; return the exit code."""
    await parts.kafka()
    await start_prefect(parts, out)
    simulator = await _simulate(parts, "calm" if out.is_terminal else "quiet")
    await start_collectors(parts, VENUES)
    await start_ingest(parts)
    out.print(
        f"Three venues are simulated; a cascade is coming. Query beside it, from another terminal:\n{to_try(parts.world)}",
        soft_wrap=True,
        markup=False,
    )
    history = asyncio.create_task(_history(parts))
    await _watch(parts, simulator, out, stop, kills)
    await history
    code = await stop_pipeline(parts, out, alone_here=True)
    lost = parts.child("simulate").restarts
    return _told(parts.world, out, await _get(f"{simulator}/_truth"), lost) or code


def _fresh(world: Path) -> None:
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


async def _simulate(parts: Parts, then: str) -> str:
    """Start the simulated venues, point the parts at them, return the address of their control port."""
    addresses = parts.world / "simulator.env"
    port = ("--port-base", str(free_port(SIMULATOR_PORTS)))  # where they are found again when they were started again
    command = liq("simulate", *SCRIPT, "--then", then, "--write-env", str(addresses), *port)
    child = await parts.add("simulate", command)
    for _ in range(int(START_S / 0.1)):
        if addresses.exists() and (text := addresses.read_text()).endswith("\n"):
            parts.env.update(tuple(line.split("=", 1)) for line in text.splitlines())  # type: ignore[misc]
            return parts.env["LIQ_SIMULATOR"]
        await asyncio.sleep(0.1)
    raise StartError(f"the simulated venues did not start; the end of {child.log}:\n{child.last_lines()}")


async def _history(parts: Parts) -> None:
    """Ask each venue for the day before, so that prices, open interest and levels have a past. Raises StartError."""
    for venue, symbols in PAST.items():
        what = ("--what", "klines,open-interest,funding", "--since", "1d", "--symbols", symbols)
        await often(TRIES, liq("backfill", venue, *what), parts.env, parts.world / "logs" / "backfill.log")


async def _watch(parts: Parts, simulator: str, out: Console, stop: asyncio.Event, kills: int) -> None:
    """Show the counters until the script has ended (on a terminal: until Ctrl-C) and the feeds have nothing pending."""
    done = asyncio.Event()
    screen = asyncio.create_task(Screen(out, parts.world, "demo; Ctrl-C ends it").show(done))
    killing = asyncio.create_task(_kill(parts.child("ingest"), kills))
    while not stop.is_set():
        state = await _get(f"{simulator}/_state")
        if state["finished"] and killing.done() and not out.is_terminal:
            break
        await asyncio.sleep(0.5)
    await _get(f"{simulator}/_quiet", post=True)
    while any((await _get(f"{simulator}/_state"))["pending"].values()):
        await asyncio.sleep(0.2)
    killing.cancel()
    done.set()
    await screen


async def _kill(child: Child, times: int) -> None:
    for _ in range(times):
        started = child.restarts
        await asyncio.sleep(8)  # let it get into its work
        child.kill()
        while child.restarts == started:
            await asyncio.sleep(0.2)


def _told(world: Path, out: Console, truth: dict[str, Any], lost: int = 0) -> int:
    """Show what is stored beside what was sent; return 0 where it is the same. `lost`: how often the venues themselves died."""
    for title, sql in TABLES.items():
        show_rows(out, title, read(world, sql))
    stored = {row["venue"]: row for row in read(world, "FROM frames_by_venue")}
    rows = [
        {
            "venue": venue,
            "frames received": stored[venue]["frames_received"],
            "frames committed": stored[venue]["frames"],
            "missing": stored[venue]["missing"],
            "liquidations sent": truth[venue]["sent"],
            "liquidations stored": stored[venue]["liquidations"],
        }
        for venue in VENUES
        if venue in stored
    ]
    show_rows(out, "What arrived, against what was sent", rows)
    if lost:
        out.print(
            f"The simulated venues were started again {lost} times; what they sent before is in no count of theirs."
        )
    right = (
        not lost
        and len(rows) == len(VENUES)
        and all(row["missing"] == 0 and row["liquidations sent"] == row["liquidations stored"] for row in rows)
    )
    out.print(
        "Zero missing: every frame and every liquidation is stored, once." if right else "NOT everything is stored."
    )
    out.print(f"It stays on disk, in {world}:\n{to_try(world)}", soft_wrap=True, markup=False)
    return 0 if right else 1


def to_try(world: Path) -> str:
    """Return commands to try on the world, as they are typed in this folder."""
    run = f"  {setting(world)} {own_name()}"
    return f'{run} sql "from liquidation_totals"\n{run} shell\n{run} status'


async def _get(url: str, post: bool = False) -> Any:
    """Ask the simulated venues; where they are being started again, as often as it takes, for some seconds."""

    def fetch() -> Any:
        request = urllib.request.Request(url, data=b"" if post else None)
        with direct().open(request, timeout=10) as answer:
            return json.load(answer)

    for _ in range(int(START_S)):
        with suppress(OSError):
            return await asyncio.to_thread(fetch)
        await asyncio.sleep(1.0)
    return await asyncio.to_thread(fetch)
