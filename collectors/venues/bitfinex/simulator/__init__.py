"""Bitfinex, simulated: one host.

server.py   the channel, heartbeats, replies, refusals    market.py   what is listed, pushed and answered
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import orjson

from collectors.simulator.contracts import Contract
from collectors.simulator.faults import Faults
from collectors.simulator.host import Client, Protocol, framed, json_answer
from collectors.simulator.liquidation import Liquidation
from collectors.simulator.load import Frames, made_up
from collectors.simulator.plain import PlainFeed
from collectors.simulator.recordings import Recorded, RecordedRest
from collectors.simulator.simulated import Served, Simulated, World
from collectors.venues.bitfinex.simulator.market import CHANNEL_NAME, Positions, contract, endpoints
from collectors.venues.bitfinex.simulator.server import KEY, BitfinexLimits, BitfinexProtocol

__all__ = ["SIMULATED", "BitfinexLimits", "BitfinexProtocol"]


def _serve(world: World, limits: BitfinexLimits) -> Served:
    own, positions = [each for each in world.market.contracts if each.venue == "bitfinex"], Positions()
    protocol = BitfinexProtocol(None, endpoints(world.market, own, positions, limits), world.faults, limits)

    def greet(client: Client, _: str) -> None:
        world.truth.wrote("bitfinex", CHANNEL_NAME, positions.greet(client))

    protocol.on_subscribed = greet
    return Served((protocol,), PlainFeed(world, "bitfinex", (protocol,), positions.frames))


def _play(folder: Path, faults: Faults, limits: BitfinexLimits) -> Sequence[Protocol]:
    return (BitfinexProtocol(None, RecordedRest(folder, lambda status: json_answer([], status)), faults, limits),)


def _made_up(contracts: Sequence[Contract], now: Callable[[], int]) -> Frames:
    positions = Positions()
    for number, each, _, price, qty in made_up(contracts):
        text = price.decode()
        one = Liquidation(each, now(), "long" if number & 1 else "short", qty.decode(), text, text, text)
        for frame in positions.frames([one], now()):
            if frame.shows:
                yield frame.topic, framed(frame.payload)


def _recorded(_file: str, line: bytes) -> Recorded | None:
    message = orjson.loads(line)
    is_rows = isinstance(message, list) and len(message) > 1 and isinstance(message[1], list)
    if not is_rows or not all(isinstance(row, list) and row[:1] == ["pos"] for row in message[1]):
        return None
    return Recorded("bitfinex", "bitfinex", {KEY: line})


SIMULATED = Simulated(
    name="bitfinex",
    hosts={"bitfinex": "BITFINEX"},
    limits=BitfinexLimits(),
    refusals=BitfinexProtocol.http_kinds,
    contract=contract,
    serve=_serve,
    play=_play,
    made_up=_made_up,
    recorded=_recorded,
)
