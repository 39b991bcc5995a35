"""Lighter, simulated: one host.

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
from collectors.venues.lighter.simulator.market import Trades, contract, endpoints, stats, stats_frames
from collectors.venues.lighter.simulator.server import ALL, TRADE, LighterLimits, LighterProtocol

__all__ = ["SIMULATED", "LighterLimits", "LighterProtocol"]


def _serve(world: World, limits: LighterLimits) -> Served:
    own, trades = [each for each in world.market.contracts if each.venue == "lighter"], Trades(world.seed)
    protocol = LighterProtocol(
        {each.symbol for each in own}, endpoints(world.market, own, limits), world.faults, limits
    )

    def first(topic: str) -> dict[str, Any]:
        if topic == ALL:
            return {"market_stats": stats(world.market, own), "timestamp": world.market.now}
        return {"nonce": 1, "trades": [], "liquidation_trades": list(trades.kept[topic.partition("/")[2]])}

    def told(_: Client, topic: str) -> None:
        world.truth.wrote("lighter", topic.partition("/")[0], 1)

    protocol.first, protocol.on_subscribed = first, told
    state = Paced(limits.stats_ms, lambda _: stats_frames(world.market, own))
    return Served((protocol,), PlainFeed(world, "lighter", (protocol,), trades.frames, (state,)))


def _play(folder: Path, faults: Faults, limits: LighterLimits) -> Sequence[Protocol]:
    nothing: dict[str, Any] = {"code": 200, "order_book_details": [], "fundings": []}
    return (LighterProtocol(None, RecordedRest(folder, lambda status: json_answer(nothing, status)), faults, limits),)


def _made_up(contracts: Sequence[Contract], now: Callable[[], int]) -> Frames:
    trades = Trades(0)
    for number, each, _, price, qty in made_up(contracts):
        text = price.decode()
        one = Liquidation(each, now(), "long" if number & 1 else "short", qty.decode(), text, text, text)
        for frame in trades.frames([one], now()):
            yield frame.topic, framed(frame.payload)


def _recorded(_file: str, line: bytes) -> Recorded | None:
    message = orjson.loads(line)
    channel = str(message.get("channel", "")).replace(":", "/") if isinstance(message, dict) else ""
    return Recorded("lighter", "lighter", {channel: line}) if channel.startswith((f"{TRADE}/", ALL)) else None


SIMULATED = Simulated(
    name="lighter",
    hosts={"lighter": "LIGHTER"},
    limits=LighterLimits(),
    refusals=LighterProtocol.http_kinds,
    contract=contract,
    serve=_serve,
    play=_play,
    made_up=_made_up,
    recorded=_recorded,
    funding_hours=1.0,
)
