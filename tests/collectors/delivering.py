"""A publisher whose Kafka is played, and what its tests ask of it."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from collectors.delivery.publisher import MIB, Publisher
from collectors.delivery.recorder import Recorder
from collectors.delivery.spool import Spool
from collectors.envelope import RawFrame
from collectors.settings import CollectorSettings
from collectors.topics import EVENTS, LIQUIDATION
from collectors.venues.venue import Frame
from tests.collectors.fake_kafka import PATIENCE_S, FakeKafka

QUICK = CollectorSettings(linger_ms=0, buffer_mib=1, flush_timeout_s=30)


def publisher(world: Path | None = None, mib: float = 64, **more: Any) -> Publisher:
    spool = Spool(world / "spool", int(mib * MIB)) if world else None
    return Publisher(dict, more.pop("settings", QUICK), spool=spool, **more)


def recorder(to: Publisher) -> Recorder:
    return Recorder("bybit", "linear", "ws", to)


def put(session: Recorder, count: int, topic: str = LIQUIDATION, size: int = 100) -> None:
    for _ in range(count):
        number = session.frames + 1
        session.frame(b"%d" % number + b" " * size, Frame("c", f"S{number % 7}", topic), number)


async def until(holds: Callable[[], Any]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await asyncio.sleep(0.001)


def files(world: Path, named: str = "*.seg") -> list[Path]:
    return list(world.rglob(named))


def in_order_once(frames: list[RawFrame], count: int) -> bool:
    """Say whether numbers 1 to `count` are there once each, and rise in every partition."""
    numbers: dict[int, list[int]] = {}
    for frame in frames:
        numbers.setdefault(frame.partition, []).append(frame.seq)
    return sorted(frame.seq for frame in frames) == list(range(1, count + 1)) and all(
        each == sorted(each) for each in numbers.values()
    )


def events(fake: FakeKafka, name: str) -> list[dict[str, Any]]:
    return [each for frame in fake.stored(EVENTS) if (each := json.loads(frame.payload))["event"] == name]
