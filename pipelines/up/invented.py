"""The invented market of `liq demo`: how long it does what, its venues as a part, and its course."""

import asyncio
import json
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from rich.console import Console

from collectors.ports import free_port
from collectors.proxies import direct
from pipelines.up.commands import StartError, liq
from pipelines.up.parts import Parts
from pipelines.up.phases import Phases
from pipelines.up.screen import show
from pipelines.up.supervise import Child

SCRIPT_S = {"calm": 6, "cascade": 10, "aftermath": 5}
"""How long the market does what, seconds."""
OF_SCRIPT = {"calm": "calm", "cascade": "cascade", "aftermath": "settling", "after": "settling"}
"""The phases of the simulated market, as they are told."""
START_S = 30.0
PORTS_A_VENUE = 3


def script_of(minutes: float | None) -> dict[str, float]:
    """Return how many seconds the market does what; what is asked for beyond `SCRIPT_S` is calm."""
    more = max(0.0, (minutes or 0) * 60 - sum(SCRIPT_S.values()))
    return {**SCRIPT_S, "calm": SCRIPT_S["calm"] + more}


async def simulate(parts: Parts, venues: Sequence[str], script: Mapping[str, float]) -> str:
    """Start the simulated venues, point the parts at them, return the address of their control port."""
    addresses = parts.world / "simulator.env"
    ports = free_port(1 + PORTS_A_VENUE * len(venues))  # the same where they are started again
    port = ("--port-base", str(ports))
    lasts = [each for name, seconds in script.items() for each in (f"--{name}", str(seconds))]
    command = liq("simulate", *venues, *lasts, "--then", "quiet", "--wait", "--write-env", str(addresses), *port)
    child = await parts.add("simulate", command)
    for _ in range(int(START_S / 0.1)):
        if addresses.exists() and (text := addresses.read_text()).endswith("\n"):
            parts.env.update(tuple(line.split("=", 1)) for line in text.splitlines())  # type: ignore[misc]
            return parts.env["LIQ_SIMULATOR"]
        await asyncio.sleep(0.1)
    raise StartError(f"the simulated venues did not start; the end of {child.log}:\n{child.last_lines()}")


async def heard_all(simulator: str) -> None:
    """Return when every venue has sent something: what its market does then is heard."""
    while not all((await get(f"{simulator}/_state"))["frames"].values()):
        await asyncio.sleep(0.2)


async def play(parts: Parts, out: Console, phases: Phases, simulator: str, stop: asyncio.Event, kills: int) -> None:
    """Show what comes until the script has ended, or `stop`, and the feeds have nothing pending."""
    await get(f"{simulator}/_begin", post=True)
    done = asyncio.Event()
    screen = asyncio.create_task(show(out, parts.world, "demo", done, phases.drawn))
    killing = asyncio.create_task(_kill(parts.child("ingest"), kills))
    try:
        while not (stop.is_set() or done.is_set()):
            state = await get(f"{simulator}/_state")
            phases.begin(OF_SCRIPT[state["phase"]])
            if state["finished"] and killing.done():
                break
            await asyncio.sleep(0.3)
        await get(f"{simulator}/_quiet", post=True)
        while any((await get(f"{simulator}/_state"))["pending"].values()):
            await asyncio.sleep(0.2)
    finally:
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


async def get(url: str, post: bool = False) -> Any:
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
