"""Sessions that have ended, so that what is held of them is dropped and memory stays bounded.

An end is told in `collector.events`, while the session's last frames may still wait in `raw.ticker`. So what it held is
dropped only some minutes later by two clocks: ours, and that of the frames, in every ticker partition that has been read.
"""

import time
from collections.abc import Callable, Iterable, Mapping

import msgspec

from collectors.envelope import RawFrame
from collectors.topics import EVENTS, TICKER
from pipelines.ingest.consume import Slice
from pipelines.ingest.events import BAD
from pipelines.ingest.incarnation import Partition
from pipelines.venues import Held

ENDS = frozenset(("disconnected", "stopped"))
WAIT_S = 300.0


class _Told(msgspec.Struct):
    event: str
    ts_ns: int


_told = msgspec.json.Decoder(_Told).decode


class Endings:
    """Drops from `held` what belongs to sessions that have ended. `ended`: those known from before, UTC nanoseconds."""

    def __init__(
        self, held: Held, ended: Mapping[str, int] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._held = held
        self._clock = clock
        self._ended = {session: (at, clock()) for session, at in (ended or {}).items()}
        self._read: dict[Partition, int] = {}

    def add(self, slices: Iterable[Slice]) -> None:
        """Take what was read: ends of sessions, and how far tickers have been read."""
        for found in slices:
            if found.partition[0] == EVENTS:
                for frame in found.frames:
                    if (at := _end(frame)) is not None:
                        self._ended[frame.session] = (at, self._clock())
            elif found.partition[0] == TICKER and found.frames:
                before = self._read.get(found.partition, 0)
                self._read[found.partition] = max(before, found.frames[-1].at_ns)

    def drop(self) -> None:
        """Drop what is held of sessions that ended long enough ago."""
        if not self._ended or not self._read:
            return
        read, now = min(self._read.values()) - int(WAIT_S * 1e9), self._clock() - WAIT_S
        due = {session for session, (at, told) in self._ended.items() if at <= read and told <= now}
        if due:
            self._ended = {session: each for session, each in self._ended.items() if session not in due}
            for key in [key for key in self._held if key[0] in due]:
                del self._held[key]


def _end(frame: RawFrame) -> int | None:
    try:
        told = _told(frame.payload)
    except BAD:  # nested too deeply, too: it becomes a dead letter where events are read
        return None
    return told.ts_ns if told.event in ENDS else None
