"""HTX, simulated: one host.

server.py   topics, pings, replies, refusals    market.py   what is listed, pushed and answered
"""

import gzip
from collections.abc import Callable, Sequence
from pathlib import Path

import orjson

from collectors.simulator.contracts import Contract
from collectors.simulator.faults import Faults
from collectors.simulator.host import Protocol, framed
from collectors.simulator.liquidation import Liquidation
from collectors.simulator.load import Frames, made_up
from collectors.simulator.plain import Paced, PlainFeed
from collectors.simulator.recordings import Recorded, RecordedRest
from collectors.simulator.simulated import Served, Simulated, World
from collectors.venues.htx.simulator.market import Orders, code, contract, contract_info, endpoints, funding_frames
from collectors.venues.htx.simulator.server import PATHS, HtxLimits, HtxProtocol, answered

__all__ = ["SIMULATED", "HtxLimits", "HtxProtocol"]


def _serve(world: World, limits: HtxLimits) -> Served:
    own, orders = [each for each in world.market.contracts if each.venue == "htx"], Orders()
    codes = {"*", *(code(each) for each in own)}
    protocol = HtxProtocol(codes, endpoints(world.market, own, orders, limits), world.faults, limits)
    protocol.first = lambda topic: contract_info(own, topic, world.market.now)
    funding = Paced(limits.funding_ms, lambda now: funding_frames(world.market, own, now))
    return Served((protocol,), PlainFeed(world, "htx", (protocol,), orders.frames, (funding,)))


def _play(folder: Path, faults: Faults, limits: HtxLimits) -> Sequence[Protocol]:
    return (HtxProtocol(None, RecordedRest(folder, lambda status: answered([], status)), faults, limits),)


def _made_up(contracts: Sequence[Contract], now: Callable[[], int]) -> Frames:
    orders = Orders()
    for number, each, _, price, qty in made_up(contracts):
        side, text = "long" if number & 1 else "short", price.decode()
        one = Liquidation(each, now(), side, qty.decode(), text, text, text)  # type: ignore[arg-type]
        for frame in orders.frames([one], now()):
            path = frame.topic.partition("|")[0]
            yield f"{path}|public.*.liquidation_orders", framed(gzip.compress(frame.payload, 1), binary=True)


def _recorded(_file: str, line: bytes) -> Recorded | None:
    message = orjson.loads(line)
    if not isinstance(message, dict) or message.get("op") != "notify":
        return None
    _, _, rest = message["topic"].partition(".")
    code, _, kind = rest.rpartition(".")
    market = "linear" if code.endswith("USDT") else "swap" if "-" in code else "delivery"
    return Recorded("htx", "htx", {f"{PATHS[market]}|public.*.{kind}": line})


SIMULATED = Simulated(
    name="htx",
    hosts={"htx": "HTX"},
    limits=HtxLimits(),
    refusals=HtxProtocol.http_kinds,
    contract=contract,
    serve=_serve,
    play=_play,
    made_up=_made_up,
    recorded=_recorded,
)
