"""Deribit, simulated: its host, and the host with the past.

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
from collectors.venues.deribit.simulator.market import Trades, contract, endpoints, past_endpoints, ticker_frames
from collectors.venues.deribit.simulator.server import DeribitLimits, DeribitProtocol

__all__ = ["SIMULATED", "DeribitLimits", "DeribitProtocol"]

NOTHING = {"jsonrpc": "2.0", "result": []}


def _serve(world: World, limits: DeribitLimits) -> Served:
    own, trades = [each for each in world.market.contracts if each.venue == "deribit"], Trades(world.seed, limits.late)
    main = DeribitProtocol({each.symbol for each in own}, endpoints(world.market, own, limits), world.faults, limits)
    past = DeribitProtocol(set(), past_endpoints(trades, limits), world.faults, limits)
    tickers = Paced(limits.state_ms, lambda now: ticker_frames(world.market, own, main.host.topics, now))
    return Served((main, past), PlainFeed(world, "deribit", (main,), trades.frames, (tickers,)))


def _play(folder: Path, faults: Faults, limits: DeribitLimits) -> Sequence[Protocol]:
    rest = RecordedRest(folder, lambda status: json_answer(NOTHING, status))
    return tuple(DeribitProtocol(None, rest, faults, limits) for _ in SIMULATED.hosts)


def _made_up(contracts: Sequence[Contract], now: Callable[[], int]) -> Frames:
    trades = Trades(0)
    for number, each, _, price, qty in made_up(contracts):
        text = price.decode()
        one = Liquidation(each, now(), "long" if number & 1 else "short", qty.decode(), text, text, text)
        for frame in trades.frames([one], now()):
            yield frame.topic, framed(frame.payload)


def _recorded(_file: str, line: bytes) -> Recorded | None:
    message = orjson.loads(line)
    channel = str((message.get("params") or {}).get("channel", "")) if isinstance(message, dict) else ""
    kind, _, rest = channel.partition(".")
    pace = {"trades": "100ms", "ticker": "agg2"}.get(kind)
    return Recorded("deribit", "deribit", {f"{kind}.{rest.rpartition('.')[0]}.{pace}": line}) if pace else None


SIMULATED = Simulated(
    name="deribit",
    hosts={"deribit": "DERIBIT", "deribit_history": "DERIBIT_HISTORY"},
    limits=DeribitLimits(),
    refusals=DeribitProtocol.http_kinds,
    contract=contract,
    serve=_serve,
    play=_play,
    made_up=_made_up,
    recorded=_recorded,
    funding_hours=1.0,
)
