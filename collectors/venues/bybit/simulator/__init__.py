"""Bybit v5 linear and inverse, simulated: one host.

server.py      topics, replies, refusals     contracts.py   how it lists what is traded
feed.py        what is pushed, and when      load.py        made-up liquidations
frames.py      payloads of its topics        recordings.py  recorded lines, and who gets them
rest.py        its REST
"""

from collections.abc import Sequence
from pathlib import Path

from collectors.simulator.faults import Faults
from collectors.simulator.host import Protocol
from collectors.simulator.recordings import RecordedRest
from collectors.simulator.simulated import Served, Simulated, World
from collectors.venues.bybit.simulator import load
from collectors.venues.bybit.simulator.contracts import contract
from collectors.venues.bybit.simulator.feed import BybitFeed
from collectors.venues.bybit.simulator.recordings import nothing, recorded
from collectors.venues.bybit.simulator.rest import BybitRest
from collectors.venues.bybit.simulator.server import BybitLimits, BybitProtocol

__all__ = ["SIMULATED", "BybitFeed", "BybitLimits", "BybitProtocol"]


def _serve(world: World, limits: BybitLimits) -> Served:
    symbols: dict[str, set[str]] = {"linear": set(), "inverse": set()}
    for each in world.market.contracts:
        if each.venue == "bybit":
            symbols[each.market].add(each.symbol)
    protocol = BybitProtocol(symbols, BybitRest(world.market, limits), world.faults, limits)
    return Served((protocol,), BybitFeed(world.market, protocol, world.truth, world.seed))


def _play(folder: Path, faults: Faults, limits: BybitLimits) -> Sequence[Protocol]:
    return (BybitProtocol(None, RecordedRest(folder, nothing), faults, limits),)


SIMULATED = Simulated(
    name="bybit",
    hosts={"bybit": "BYBIT"},
    limits=BybitLimits(),
    refusals=BybitProtocol.http_kinds,
    contract=contract,
    serve=_serve,
    play=_play,
    made_up=load.frames,
    recorded=recorded,
)
