"""Aster, simulated: one host.

server.py   streams, replies, refusals    market.py   what is listed, pushed and answered
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
from collectors.venues.aster.simulator.market import (
    LIQUIDATIONS,
    MARKS,
    Latest,
    contract,
    endpoints,
    force_order,
    mark_frames,
)
from collectors.venues.aster.simulator.server import AsterLimits, AsterProtocol

__all__ = ["SIMULATED", "AsterLimits", "AsterProtocol"]


def _serve(world: World, limits: AsterLimits) -> Served:
    own, latest = [each for each in world.market.contracts if each.venue == "aster"], Latest()
    protocol = AsterProtocol(None, endpoints(world.market, own, limits), world.faults, limits)
    marks = Paced(limits.marks_ms, lambda now: mark_frames(world.market, own, now))
    feed = PlainFeed(world, "aster", (protocol,), latest.frames, (marks,), lambda: latest.pending)
    return Served((protocol,), feed)


def _play(folder: Path, faults: Faults, limits: AsterLimits) -> Sequence[Protocol]:
    return (AsterProtocol(None, RecordedRest(folder, lambda status: json_answer([], status)), faults, limits),)


def _made_up(contracts: Sequence[Contract], now: Callable[[], int]) -> Frames:
    for number, each, _, price, qty in made_up(contracts):
        text = price.decode()
        one = Liquidation(each, now(), "long" if number & 1 else "short", qty.decode(), text, text, text)
        yield LIQUIDATIONS, framed(force_order(one, now()))


def _recorded(_file: str, line: bytes) -> Recorded | None:
    message = orjson.loads(line)
    inner = message.get("data", message) if isinstance(message, dict) else message
    event = inner[0] if isinstance(inner, list) and inner else inner
    kind = event.get("e") if isinstance(event, dict) else None
    topic = {"forceOrder": LIQUIDATIONS, "markPriceUpdate": MARKS}.get(str(kind))
    return Recorded("aster", "aster", {topic: line}) if topic else None


SIMULATED = Simulated(
    name="aster",
    hosts={"aster": "ASTER"},
    limits=AsterLimits(),
    refusals=AsterProtocol.http_kinds,
    contract=contract,
    serve=_serve,
    play=_play,
    made_up=_made_up,
    recorded=_recorded,
)
