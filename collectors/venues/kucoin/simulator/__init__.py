"""KuCoin, simulated: one host, asked by REST; it does not publish its liquidations.

market.py   what is listed and answered
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from collectors.simulator.contracts import Contract
from collectors.simulator.faults import Faults
from collectors.simulator.host import Protocol
from collectors.simulator.load import Frames
from collectors.simulator.plain import AnswersOnly, PlainFeed, unpublished
from collectors.simulator.recordings import Recorded, RecordedRest
from collectors.simulator.simulated import Served, Simulated, World
from collectors.venues.kucoin.simulator.market import KucoinLimits, answered, contract, endpoints, refusal

__all__ = ["SIMULATED", "KucoinLimits"]


def _serve(world: World, limits: KucoinLimits) -> Served:
    own = [each for each in world.market.contracts if each.venue == "kucoin"]
    protocol = AnswersOnly("kucoin", endpoints(world.market, own, limits), refusal, world.faults)
    return Served((protocol,), PlainFeed(world, "kucoin", (protocol,), unpublished))


def _play(folder: Path, faults: Faults, _limits: KucoinLimits) -> Sequence[Protocol]:
    return (AnswersOnly("kucoin", RecordedRest(folder, lambda _: answered([])), refusal, faults),)


def _made_up(_contracts: Sequence[Contract], _now: Callable[[], int]) -> Frames:
    yield from ()


def _recorded(_file: str, _line: bytes) -> Recorded | None:
    return None


SIMULATED = Simulated(
    name="kucoin",
    hosts={"kucoin": "KUCOIN"},
    limits=KucoinLimits(),
    refusals=AnswersOnly.http_kinds,
    contract=contract,
    serve=_serve,
    play=_play,
    made_up=_made_up,
    recorded=_recorded,
)
