"""Gate, simulated: one host.

server.py   channels, replies, refusals    market.py   what is listed, pushed and answered
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import orjson

from collectors.simulator.contracts import Contract
from collectors.simulator.faults import Faults
from collectors.simulator.host import Protocol, framed, json_answer
from collectors.simulator.liquidation import Liquidation
from collectors.simulator.load import Frames, made_up
from collectors.simulator.plain import Paced, PlainFeed
from collectors.simulator.recordings import Recorded, RecordedRest
from collectors.simulator.simulated import Served, Simulated, World
from collectors.venues.gateio.simulator.market import Liquidations, contract, endpoints, ticker_frames
from collectors.venues.gateio.simulator.server import LIQUIDATIONS, SETTLES, TICKERS, GateioLimits, GateioProtocol

__all__ = ["SIMULATED", "GateioLimits", "GateioProtocol"]


def _serve(world: World, limits: GateioLimits) -> Served:
    own, shown = [each for each in world.market.contracts if each.venue == "gateio"], Liquidations()
    known = {f"{settle}/{LIQUIDATIONS}:!all" for settle in SETTLES}
    known |= {f"{each.market}/{TICKERS}:{each.symbol}" for each in own}
    protocol = GateioProtocol(known, endpoints(world.market, own, shown, limits), world.faults, limits)
    tickers = Paced(limits.ticker_ms, lambda now: ticker_frames(world.market, own, now))
    return Served((protocol,), PlainFeed(world, "gateio", (protocol,), shown.frames, (tickers,)))


def _play(folder: Path, faults: Faults, limits: GateioLimits) -> Sequence[Protocol]:
    return (GateioProtocol(None, RecordedRest(folder, lambda status: json_answer([], status)), faults, limits),)


def _made_up(contracts: Sequence[Contract], now: Callable[[], int]) -> Frames:
    shown = Liquidations()
    for number, each, _, price, qty in made_up(contracts):
        text = price.decode()
        one = Liquidation(each, now(), "long" if number & 1 else "short", qty.decode(), text, text, text)
        for frame in shown.frames([one], now()):
            yield frame.topic, framed(frame.payload)


def _recorded(_file: str, line: bytes) -> Recorded | None:
    message = orjson.loads(line)
    if not isinstance(message, dict) or message.get("event") != "update":
        return None
    rows = message["result"] if isinstance(message["result"], list) else [message["result"]]
    names = [row.get("contract", "") for row in rows if isinstance(row, dict)]
    settle = "btc" if any(name.endswith("_USD") for name in names) else "usdt"
    payload = "!all" if message["channel"] == LIQUIDATIONS else "".join(names[:1])
    return Recorded("gateio", "gateio", {f"{settle}/{message['channel']}:{payload}": line})


SIMULATED = Simulated(
    name="gateio",
    hosts={"gateio": "GATEIO"},
    limits=GateioLimits(),
    refusals=GateioProtocol.http_kinds,
    contract=contract,
    serve=_serve,
    play=_play,
    made_up=_made_up,
    recorded=_recorded,
)
