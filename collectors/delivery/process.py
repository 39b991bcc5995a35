"""The session of the collector process itself: that it lives, what waits, and how its clock differs from Kafka's."""

import asyncio
import os
import socket
from typing import Any

from collectors.delivery.publisher import Publisher
from collectors.events import ALIVE_S

LOOK_S = 0.5
MS = 1_000_000


class Process:
    """Tells `alive` every 30 s, and `clock` when the clock has become wrong or right. `run` until cancelled."""

    def __init__(self, publisher: Publisher) -> None:
        self.recorder = publisher.recorder
        self._publisher = publisher
        self._is_wrong = False

    async def run(self) -> None:
        """Look and tell until cancelled; the last event is `stopped`."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        try:
            while True:
                self._look_at_clock()
                if loop.time() >= due:
                    self.recorder.event("alive", "", **self._detail())
                    due = loop.time() + ALIVE_S
                await asyncio.sleep(LOOK_S)
        finally:
            self.recorder.event("stopped")

    def _look_at_clock(self) -> None:
        wrong, ns = self._publisher.offset.is_wrong, self._publisher.offset.ns or 0
        if wrong == self._is_wrong:
            return
        self._is_wrong = wrong
        lead_s, side = abs(ns) / 1e9, "ahead of" if ns > 0 else "behind"
        reason = f"this machine's clock is {lead_s:.1f} s {side} Kafka's" if wrong else "the clock is right again"
        self.recorder.event("clock", reason, clock_offset_ms=ns // MS)

    def _detail(self) -> dict[str, Any]:
        ns = self._publisher.offset.ns
        return {
            "clock_offset_ms": None if ns is None else ns // MS,
            "waiting_bytes": self._publisher.pool.bytes,
            "spool_bytes": self._publisher.spool.bytes if self._publisher.spool else 0,
            "spool_frames": self._publisher.spool.frames if self._publisher.spool else 0,
            "host": socket.gethostname(),
            "pid": os.getpid(),
        }
