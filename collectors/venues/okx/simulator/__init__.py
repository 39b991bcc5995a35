"""OKX v5 swaps and futures, simulated: one host.

server.py      channels, replies, refusals                    contracts.py   how it lists what is traded
feed.py        what is pushed, and when                       load.py        made-up liquidations
frames.py      data of its channels, which REST shares        recordings.py  recorded lines, and who gets them
rest.py        its REST
"""

from collections.abc import Sequence
from pathlib import Path

from collectors.simulator.faults import Faults
from collectors.simulator.host import Protocol
from collectors.simulator.recordings import RecordedRest
from collectors.simulator.simulated import Served, Simulated, World
from collectors.venues.okx.simulator import load
from collectors.venues.okx.simulator.contracts import contract
from collectors.venues.okx.simulator.feed import OkxFeed
from collectors.venues.okx.simulator.recordings import nothing, recorded
from collectors.venues.okx.simulator.rest import OkxRest
from collectors.venues.okx.simulator.server import OkxLimits, OkxProtocol, known_topics

__all__ = ["SIMULATED", "OkxFeed", "OkxLimits", "OkxProtocol", "known_topics"]


def _serve(world: World, limits: OkxLimits) -> Served:
    known = known_topics([each for each in world.market.contracts if each.venue == "okx"])
    rest = OkxRest(world.market)
    protocol = OkxProtocol(known, rest, world.faults, limits)
    return Served((protocol,), OkxFeed(world.market, protocol, world.truth, world.seed, rest.liquidated))


def _play(folder: Path, faults: Faults, limits: OkxLimits) -> Sequence[Protocol]:
    return (OkxProtocol(None, RecordedRest(folder, nothing), faults, limits),)


SIMULATED = Simulated(
    name="okx",
    hosts={"okx": "OKX"},
    limits=OkxLimits(),
    refusals=OkxProtocol.http_kinds,
    contract=contract,
    serve=_serve,
    play=_play,
    made_up=load.frames,
    recorded=recorded,
)
