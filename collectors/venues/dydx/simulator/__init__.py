"""dYdX v4, simulated: one host.

server.py   channels, first data, replies, refusals    market.py   what is listed, pushed and answered
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson

from collectors.simulator.contracts import Contract
from collectors.simulator.faults import Faults
from collectors.simulator.host import Client, Protocol, framed, json_answer
from collectors.simulator.liquidation import Liquidation
from collectors.simulator.load import Frames, made_up
from collectors.simulator.plain import Paced, PlainFeed
from collectors.simulator.recordings import Recorded, RecordedRest
from collectors.simulator.simulated import Served, Simulated, World
from collectors.venues.dydx.simulator.market import FIRST, Trades, contract, endpoints, market_frames, markets
from collectors.venues.dydx.simulator.server import MARKETS, TRADES, DydxLimits, DydxProtocol

__all__ = ["SIMULATED", "DydxLimits", "DydxProtocol"]


def _serve(world: World, limits: DydxLimits) -> Served:
    own, trades = [each for each in world.market.contracts if each.venue == "dydx"], Trades(world.seed)
    rest = endpoints(world.market, own, trades, limits)
    protocol = DydxProtocol({each.symbol for each in own}, rest, world.faults, limits)

    def first(topic: str) -> Any:
        channel, _, market = topic.partition(":")
        return {"trades": list(trades.kept[market])[:FIRST]} if channel == TRADES else markets(world.market, own)

    def told(_: Client, topic: str) -> None:
        world.truth.wrote("dydx", topic.partition(":")[0], 1)

    protocol.first, protocol.on_subscribed = first, told
    state = Paced(limits.markets_ms, lambda _: market_frames(world.market, own))
    return Served((protocol,), PlainFeed(world, "dydx", (protocol,), trades.frames, (state,)))


def _play(folder: Path, faults: Faults, limits: DydxLimits) -> Sequence[Protocol]:
    nothing: dict[str, Any] = {"markets": {}, "trades": [], "historicalFunding": [], "candles": []}
    return (DydxProtocol(None, RecordedRest(folder, lambda status: json_answer(nothing, status)), faults, limits),)


def _made_up(contracts: Sequence[Contract], now: Callable[[], int]) -> Frames:
    trades = Trades(0)
    for number, each, _, price, qty in made_up(contracts):
        text = price.decode()
        one = Liquidation(each, now(), "long" if number & 1 else "short", qty.decode(), text, text, text)
        for frame in trades.frames([one], now()):
            yield frame.topic, framed(frame.payload)


def _recorded(_file: str, line: bytes) -> Recorded | None:
    message = orjson.loads(line)
    if not isinstance(message, dict) or message.get("channel") not in (TRADES, MARKETS):
        return None
    is_trades = message["channel"] == TRADES
    return Recorded("dydx", "dydx", {f"{TRADES}:{message.get('id', '')}" if is_trades else MARKETS: line})


SIMULATED = Simulated(
    name="dydx",
    hosts={"dydx": "DYDX"},
    limits=DydxLimits(),
    refusals=DydxProtocol.http_kinds,
    contract=contract,
    serve=_serve,
    play=_play,
    made_up=_made_up,
    recorded=_recorded,
    funding_hours=1.0,
)
