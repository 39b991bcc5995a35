"""Crypto.com, simulated: one host; it does not publish its liquidations.

server.py   channels, heartbeats, replies, refusals    market.py   what is listed, pushed and answered
"""

from collections.abc import Sequence
from pathlib import Path

import orjson

from collectors.simulator.faults import Faults
from collectors.simulator.host import Protocol
from collectors.simulator.plain import Paced, PlainFeed, unpublished
from collectors.simulator.recordings import Recorded, RecordedRest
from collectors.simulator.simulated import Served, Simulated, World
from collectors.venues.cryptocom.simulator.market import channels, contract, endpoints, state_frames
from collectors.venues.cryptocom.simulator.server import CryptocomLimits, CryptocomProtocol, answered

__all__ = ["SIMULATED", "CryptocomLimits", "CryptocomProtocol"]


def _serve(world: World, limits: CryptocomLimits) -> Served:
    own = [each for each in world.market.contracts if each.venue == "cryptocom"]
    protocol = CryptocomProtocol(channels(own), endpoints(world.market, own, limits), world.faults, limits)
    state = Paced(limits.state_ms, lambda now: state_frames(world.market, own, protocol.host.topics, now))
    return Served((protocol,), PlainFeed(world, "cryptocom", (protocol,), unpublished, (state,)))


def _play(folder: Path, faults: Faults, limits: CryptocomLimits) -> Sequence[Protocol]:
    return (CryptocomProtocol(None, RecordedRest(folder, lambda _: answered([])), faults, limits),)


def _recorded(_file: str, line: bytes) -> Recorded | None:
    result = orjson.loads(line).get("result") or {}
    return Recorded("cryptocom", "cryptocom", {result["subscription"]: line}) if "subscription" in result else None


SIMULATED = Simulated(
    name="cryptocom",
    hosts={"cryptocom": "CRYPTOCOM"},
    limits=CryptocomLimits(),
    refusals=CryptocomProtocol.http_kinds,
    contract=contract,
    serve=_serve,
    play=_play,
    recorded=_recorded,
    funding_hours=1.0,
)
