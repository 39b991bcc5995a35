"""A place for frames in memory, on which a test can wait for what must arrive."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from collectors.envelope import RawFrame
from collectors.topics import EVENTS, LIQUIDATION

PATIENCE_S = 60.0


class Frames:
    """Keeps what a session publishes. A topic in `full` has no room, as when Kafka is away and the disk is full."""

    def __init__(self) -> None:
        self.all: list[RawFrame] = []
        self.full: set[str] = set()
        self.gapped: set[str] = set()
        self._changed = asyncio.Event()

    def put(self, frame: RawFrame) -> None:
        self.all.append(frame)
        self._changed.set()

    def takes(self, topic: str) -> bool:
        return topic not in self.full

    async def room(self, topic: str = LIQUIDATION) -> None:
        await self.until(lambda: self.takes(topic))

    def is_gapped(self, session: str) -> bool:
        return session in self.gapped

    def empty(self) -> None:
        """Make room again."""
        self.full.clear()
        self._changed.set()

    @property
    def data(self) -> list[RawFrame]:
        return [frame for frame in self.all if frame.topic != EVENTS]

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(frame.payload) for frame in self.all if frame.topic == EVENTS]

    def told(self, event: str) -> list[dict[str, Any]]:
        """Return the events of one name, oldest first."""
        return [each for each in self.events if each["event"] == event]

    async def until(self, holds: Callable[[], Any]) -> None:
        """Wait until something holds; it is looked at whenever a frame or event arrives."""
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                self._changed.clear()
                await self._changed.wait()
