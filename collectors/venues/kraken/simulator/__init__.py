"""Kraken Futures, simulated: one host.

server.py   feeds, replies, refusals    market.py   what is listed and pushed
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import orjson

from collectors.simulator.contracts import Contract
from collectors.simulator.faults import Faults
from collectors.simulator.host import Client, Protocol, framed, json_answer
from collectors.simulator.liquidation import Liquidation
from collectors.simulator.load import Frames, made_up
from collectors.simulator.plain import Paced, PlainFeed
from collectors.simulator.recordings import Recorded, RecordedRest
from collectors.simulator.simulated import Served, Simulated, World
from collectors.venues.kraken.simulator.market import Trades, contract, endpoints, ticker_frames
from collectors.venues.kraken.simulator.server import KrakenLimits, KrakenProtocol

__all__ = ["SIMULATED", "KrakenLimits", "KrakenProtocol"]


def _serve(world: World, limits: KrakenLimits) -> Served:
    own, trades = [each for each in world.market.contracts if each.venue == "kraken"], Trades(world.seed)
    protocol = KrakenProtocol(
        {each.symbol for each in own}, endpoints(world.market, own, trades, limits), world.faults, limits
    )

    def greet(client: Client, topic: str) -> None:
        world.truth.wrote("kraken", "trade", trades.greet(client, topic))

    protocol.on_subscribed = greet
    tickers = Paced(limits.ticker_ms, lambda now: ticker_frames(world.market, own, protocol.host.topics, now))
    return Served((protocol,), PlainFeed(world, "kraken", (protocol,), trades.frames, (tickers,)))


def _play(folder: Path, faults: Faults, limits: KrakenLimits) -> Sequence[Protocol]:
    nothing = {"result": "success", "instruments": [], "tickers": [], "rates": [], "history": [], "candles": []}
    return (KrakenProtocol(None, RecordedRest(folder, lambda status: json_answer(nothing, status)), faults, limits),)


def _made_up(contracts: Sequence[Contract], now: Callable[[], int]) -> Frames:
    trades = Trades(0)
    for number, each, _, price, qty in made_up(contracts):
        text = price.decode()
        one = Liquidation(each, now(), "long" if number & 1 else "short", qty.decode(), text, text, text)
        for frame in trades.frames([one], now()):
            if frame.shows:
                yield frame.topic, framed(frame.payload)


def _recorded(_file: str, line: bytes) -> Recorded | None:
    message = orjson.loads(line)
    if not isinstance(message, dict) or "product_id" not in message or "feed" not in message:
        return None
    feed = "trade" if message["feed"] == "trade_snapshot" else message["feed"]
    return Recorded("kraken", "kraken", {f"{feed}:{message['product_id']}": line})


SIMULATED = Simulated(
    name="kraken",
    hosts={"kraken": "KRAKEN"},
    limits=KrakenLimits(),
    refusals=KrakenProtocol.http_kinds,
    contract=contract,
    serve=_serve,
    play=_play,
    made_up=_made_up,
    recorded=_recorded,
)
