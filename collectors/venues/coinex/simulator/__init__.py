"""CoinEx, simulated: one host, asked by REST.

server.py   refusals    market.py   what is listed and answered
"""

from collections.abc import Sequence
from pathlib import Path

from collectors.simulator.faults import Faults
from collectors.simulator.host import Protocol
from collectors.simulator.plain import AnswersOnly, PlainFeed
from collectors.simulator.recordings import RecordedRest
from collectors.simulator.simulated import Served, Simulated, World
from collectors.venues.coinex.simulator.market import Past, contract, endpoints
from collectors.venues.coinex.simulator.server import CoinexLimits, answered, refusal

__all__ = ["SIMULATED", "CoinexLimits"]


def _serve(world: World, limits: CoinexLimits) -> Served:
    own, past = [each for each in world.market.contracts if each.venue == "coinex"], Past(world.truth)
    protocol = AnswersOnly("coinex", endpoints(world.market, own, past, limits), refusal, world.faults)
    return Served((protocol,), PlainFeed(world, "coinex", (protocol,), past.frames))


def _play(folder: Path, faults: Faults, _limits: CoinexLimits) -> Sequence[Protocol]:
    return (AnswersOnly("coinex", RecordedRest(folder, lambda _: answered([])), refusal, faults),)


SIMULATED = Simulated(
    name="coinex",
    hosts={"coinex": "COINEX"},
    limits=CoinexLimits(),
    refusals=AnswersOnly.http_kinds,
    contract=contract,
    serve=_serve,
    play=_play,
)
