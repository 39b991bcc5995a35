"""Bitget v3, simulated: one host.

server.py   topics, replies, refusals    market.py   what is listed, pushed and answered
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import orjson

from collectors.simulator.contracts import Contract
from collectors.simulator.faults import Faults
from collectors.simulator.host import Protocol, framed
from collectors.simulator.load import Frames, made_up
from collectors.simulator.plain import Paced, PlainFeed
from collectors.simulator.recordings import Recorded, RecordedRest
from collectors.simulator.simulated import Served, Simulated, World
from collectors.venues.bitget.simulator.market import Largest, contract, endpoints, liquidation, ticker_frames
from collectors.venues.bitget.simulator.server import BitgetLimits, BitgetProtocol, answered

__all__ = ["SIMULATED", "BitgetLimits", "BitgetProtocol"]


def _serve(world: World, limits: BitgetLimits) -> Served:
    own = [each for each in world.market.contracts if each.venue == "bitget"]
    known = {f"{each.market.lower()}:ticker:{each.symbol}" for each in own}
    protocol = BitgetProtocol(known, endpoints(world.market, own, limits), world.faults, limits)
    largest = Largest()
    tickers = Paced(limits.ticker_ms, lambda now: ticker_frames(world.market, own, protocol.host.topics, now))
    return Served(
        (protocol,), PlainFeed(world, "bitget", (protocol,), largest.frames, (tickers,), lambda: largest.pending)
    )


def _play(folder: Path, faults: Faults, limits: BitgetLimits) -> Sequence[Protocol]:
    return (BitgetProtocol(None, RecordedRest(folder, lambda status: answered([], status)), faults, limits),)


def _made_up(contracts: Sequence[Contract], now: Callable[[], int]) -> Frames:
    for number, each, symbol, price, qty in made_up(contracts):
        topic = f"{each.market.lower()}:liquidation"
        side = "buy" if number & 1 else "sell"
        yield (
            topic,
            framed(liquidation(each.market, [(symbol.decode(), side, price.decode(), qty.decode(), now())], now())),
        )


def _recorded(_file: str, line: bytes) -> Recorded | None:
    message = orjson.loads(line)
    if not isinstance(message, dict) or "data" not in message or "topic" not in (arg := message.get("arg", {})):
        return None
    topic = ":".join(arg[name] for name in ("instType", "topic", "symbol") if name in arg)
    return Recorded("bitget", "bitget", {topic: line})


SIMULATED = Simulated(
    name="bitget",
    hosts={"bitget": "BITGET"},
    limits=BitgetLimits(),
    refusals=BitgetProtocol.http_kinds,
    contract=contract,
    serve=_serve,
    play=_play,
    made_up=_made_up,
    recorded=_recorded,
)
