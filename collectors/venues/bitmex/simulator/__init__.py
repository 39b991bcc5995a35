"""BitMEX, simulated: one host.

server.py   the table, replies, refusals    market.py   what is listed, pushed and answered
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
from collectors.venues.bitmex.simulator.market import LIVES_MS, Orders, contract, endpoints
from collectors.venues.bitmex.simulator.server import TABLE, BitmexLimits, BitmexProtocol

__all__ = ["SIMULATED", "BitmexLimits", "BitmexProtocol"]


def _serve(world: World, limits: BitmexLimits) -> Served:
    own, orders = [each for each in world.market.contracts if each.venue == "bitmex"], Orders(world.seed)
    symbols = {each.symbol for each in own}
    protocol = BitmexProtocol(symbols, endpoints(world.market, own, limits), world.faults, limits)

    def greet(client: Client, topic: str) -> None:
        world.truth.wrote("bitmex", TABLE, orders.greet(client, topic.partition(":")[2]))

    protocol.on_subscribed = greet
    return Served((protocol,), PlainFeed(world, "bitmex", (protocol,), orders.frames, waits=lambda: orders.pending))


def _play(folder: Path, faults: Faults, limits: BitmexLimits) -> Sequence[Protocol]:
    return (BitmexProtocol(None, RecordedRest(folder, lambda status: json_answer([], status)), faults, limits),)


def _made_up(contracts: Sequence[Contract], now: Callable[[], int]) -> Frames:
    orders = Orders(0)
    for number, each, _, price, qty in made_up(contracts):
        text, at = price.decode(), now()
        one = Liquidation(each, at, "long" if number & 1 else "short", qty.decode(), text, text, text)
        for frame in (*orders.frames([one], at), *orders.frames([], at + LIVES_MS)):
            yield TABLE, framed(frame.payload)


def _recorded(_file: str, line: bytes) -> Recorded | None:
    message = orjson.loads(line)
    is_table = isinstance(message, dict) and message.get("table") == TABLE
    return Recorded("bitmex", "bitmex", {TABLE: line}) if is_table else None


SIMULATED = Simulated(
    name="bitmex",
    hosts={"bitmex": "BITMEX"},
    limits=BitmexLimits(),
    refusals=BitmexProtocol.http_kinds,
    contract=contract,
    serve=_serve,
    play=_play,
    made_up=_made_up,
    recorded=_recorded,
)
