"""Binance USD-M and COIN-M, simulated: two hosts, one feed for both, since the all-market streams of either carry both.

server.py      routes, subscriptions, replies, refusals    contracts.py   how it lists what is traded
feed.py        what is pushed, and when                    load.py        made-up liquidations
frames.py      payloads of its streams                     recordings.py  recorded lines, and who gets them
rest.py, lists.py   its REST
"""

from collections.abc import Sequence
from pathlib import Path

from collectors.simulator.budgets import Ladder
from collectors.simulator.faults import Faults
from collectors.simulator.host import Protocol
from collectors.simulator.recordings import RecordedRest
from collectors.simulator.simulated import Served, Simulated, World
from collectors.venues.binance.simulator import load
from collectors.venues.binance.simulator.contracts import contract
from collectors.venues.binance.simulator.feed import BinanceFeed
from collectors.venues.binance.simulator.recordings import nothing, recorded
from collectors.venues.binance.simulator.rest import BinanceRest
from collectors.venues.binance.simulator.server import BinanceLimits, BinanceProtocol

__all__ = ["SIMULATED", "BinanceFeed", "BinanceLimits", "BinanceProtocol"]


def _serve(world: World, limits: BinanceLimits) -> Served:
    ladder = Ladder(limits.weight)
    um = BinanceProtocol(True, BinanceRest(world.market, "um", ladder), world.faults, limits)
    cm = BinanceProtocol(False, BinanceRest(world.market, "cm", ladder), world.faults, limits)
    return Served((um, cm), BinanceFeed(world.market, um, cm, world.truth))


def _play(folder: Path, faults: Faults, limits: BinanceLimits) -> Sequence[Protocol]:
    um, cm = (RecordedRest(folder, nothing, prefix) for prefix in ("um_", "cm_"))
    return BinanceProtocol(True, um, faults, limits), BinanceProtocol(False, cm, faults, limits)


SIMULATED = Simulated(
    name="binance",
    hosts={"um": "BINANCE_UM", "cm": "BINANCE_CM"},
    limits=BinanceLimits(),
    refusals=BinanceProtocol.http_kinds,
    contract=contract,
    serve=_serve,
    play=_play,
    made_up=load.frames,
    recorded=recorded,
)
