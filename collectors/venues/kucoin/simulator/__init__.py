"""KuCoin, simulated: one host, asked by REST; it does not publish its liquidations.

market.py   what is listed and answered
"""

from collections.abc import Sequence
from pathlib import Path

from collectors.simulator.faults import Faults
from collectors.simulator.host import Protocol
from collectors.simulator.plain import AnswersOnly, PlainFeed, unpublished
from collectors.simulator.recordings import RecordedRest
from collectors.simulator.simulated import Served, Simulated, World
from collectors.venues.kucoin.simulator.market import KucoinLimits, answered, contract, endpoints, refusal

__all__ = ["SIMULATED", "KucoinLimits"]


def _serve(world: World, limits: KucoinLimits) -> Served:
    own = [each for each in world.market.contracts if each.venue == "kucoin"]
    protocol = AnswersOnly("kucoin", endpoints(world.market, own, limits), refusal, world.faults)
    return Served((protocol,), PlainFeed(world, "kucoin", (protocol,), unpublished))


def _play(folder: Path, faults: Faults, _limits: KucoinLimits) -> Sequence[Protocol]:
    return (AnswersOnly("kucoin", RecordedRest(folder, lambda _: answered([])), refusal, faults),)


SIMULATED = Simulated(
    name="kucoin",
    hosts={"kucoin": "KUCOIN"},
    limits=KucoinLimits(),
    refusals=AnswersOnly.http_kinds,
    contract=contract,
    serve=_serve,
    play=_play,
)
