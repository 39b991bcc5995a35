"""Venues that acknowledge and are silent, beside ones that go on: when each state of a feed becomes known."""

import asyncio
import time
from pathlib import Path

from collectors.simulator import Phases, Simulator
from tests.chaos.faults import LIQUIDATIONS
from tests.chaos.run import Disturb, Disturbed, Tell
from tests.chaos.verdict import Promise
from tests.chaos.world import World

LOOK_S = 2.0
SILENT_WITHIN_S = 60.0
SUSPECT_WITHIN_S = 600.0
FOR_GOOD_S = 86_400.0
STATES = """
SELECT venue, state FROM feed_states
WHERE state <> 'LIVE' AND channel IN ('forceOrder', 'allLiquidation', 'liquidation-orders')
"""
Known = dict[tuple[str, str], float]


class LivelyWorld(World):
    """A market as lively as that of `liq demo`, of all its coins, and without an end."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed, settings={"LIQ_COLLECT_POLL_SCALE": "1"})
        self.simulator = Simulator(seed=seed, phases=Phases(calm_s=86_400.0))


def silence(learning_s: float, suspect: str = "okx", silent: str = "bybit") -> Disturb:
    """Return what lets the market go on for `learning_s`, then the liquidations of `suspect` stop while its marks tick, and
    when that is known, or ten minutes later, everything of `silent`."""

    async def disturb(world: World, tell: Tell) -> Disturbed:
        tell(f"{learning_s:.0f} s in which nothing is wrong")
        early = await _watched(world, learning_s)
        world.simulator.fault(venue=suspect, kind="silent", channel=LIQUIDATIONS[suspect], seconds=FOR_GOOD_S)
        tell(f"liquidations of {suspect} stop, its marks go on")
        found = await _watched(world, SUSPECT_WITHIN_S, suspect)
        tell(f"{suspect}: {_said(found)}")
        world.simulator.fault(venue=silent, kind="silent", seconds=FOR_GOOD_S)
        tell(f"everything of {silent} stops")
        other = await _watched(world, SILENT_WITHIN_S * 2, silent)
        tell(f"{silent}: {_said(other)}")
        return Disturbed([], [], [lambda _: _noticed(early, found, other, suspect, silent)])

    return disturb


async def _watched(world: World, seconds: float, until: str = "") -> Known:
    """Look for so long, or until a venue is SILENT; return after how many seconds which state of which venue was known."""
    began = time.monotonic()
    known: Known = {}
    while (after := time.monotonic() - began) < seconds:
        for row in await world.read(STATES):
            known.setdefault((row["venue"], row["state"]), after)
        if (until, "SILENT") in known:
            break
        await asyncio.sleep(LOOK_S)
    return known


def _noticed(early: Known, found: Known, other: Known, suspect: str, silent: str) -> Promise:
    broken = [
        f"{venue} was {state} after {after:.0f} s though nothing was wrong" for (venue, state), after in early.items()
    ]
    if not any(venue == suspect for venue, _ in found):
        broken.append(f"{suspect} was not SUSPECT within {SUSPECT_WITHIN_S:.0f} s")
    broken += [f"{venue} was {state} though it went on" for venue, state in found if venue != suspect]
    if other.get((silent, "SILENT"), SILENT_WITHIN_S + 1) > SILENT_WITHIN_S:
        broken.append(f"{silent} was not SILENT within {SILENT_WITHIN_S:.0f} s")
    figures = f"{suspect}, whose marks ticked: {_said(found)}; {silent}, of which nothing came: {_said(other)}"
    return Promise("silences become known", not broken, figures, tuple(broken))


def _said(known: Known) -> str:
    return (
        ", ".join(f"{venue} {state} after {after:.0f} s" for (venue, state), after in known.items()) or "nothing known"
    )
