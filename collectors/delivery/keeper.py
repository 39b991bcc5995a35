"""Keeps lanes and spool in their bounds: to disk what has waited for a moment, out of it what is too much or too old."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from errno import EDQUOT, ENOSPC

from collectors.delivery.dropped import Name, events, named
from collectors.delivery.lane import Lane, in_thread
from collectors.delivery.segment import Segment
from collectors.delivery.spool import Spool
from collectors.envelope import RawFrame
from collectors.events import EventName
from collectors.topics import BY_WORTH, EVENTS

MOMENT_S = 0.05
MOMENTS = 5
"""So many moments a frame waits in memory for Kafka before it goes to disk."""
ADOPT_S = 10.0
RETRY_S = 2.0
HOUR_S = 3600.0
FULL = (ENOSPC, EDQUOT)
"""Errors of a disk that giving up files helps against."""

log = logging.getLogger(__name__)

Tell = Callable[[EventName, str], None]


class Keeper:
    """Watches the lanes of one spool; nothing on disk is to be older than `oldest_h` hours.

    `put` takes the events that name what was dropped, `tell` those of the process; `changed` is called when memory was freed.
    """

    def __init__(
        self,
        lanes: Mapping[str, Lane],
        spool: Spool,
        oldest_h: float,
        put: Callable[[RawFrame], None],
        tell: Tell,
        changed: Callable[[], None],
    ) -> None:
        self.dropped: Counter[str] = Counter()
        """Frames given up, by topic."""
        self.dropped_at = 0.0
        """When that last happened, UTC seconds."""
        self.trouble = ""
        """Why the disk does not take frames; empty while it does."""
        self.gapped: set[str] = set()
        """Sessions that have lost frames between others."""
        self._lanes = lanes
        self._spool = spool
        self._oldest_h = oldest_h
        self._put = put
        self._tell = tell
        self._changed = changed
        self._retry_at = 0.0
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Watch until `stop`; not to be cancelled, as a write to disk is not."""
        loop = asyncio.get_running_loop()
        adopt_at = loop.time()
        while not self._stop.is_set():
            try:
                if loop.time() >= adopt_at:
                    await self._adopt()
                    await self._drop_old()
                    adopt_at = loop.time() + ADOPT_S
                await self._look()
            except Exception:
                log.exception("the spool's keeper goes on")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), MOMENT_S)

    def stop(self) -> None:
        """Make `run` end."""
        self._stop.set()

    async def spill_all(self) -> None:
        """Bring everything to disk, what is worth most first."""
        for topic in BY_WORTH:
            await self._spill(self._lanes[topic])

    async def _look(self) -> None:
        late = [lane for topic in BY_WORTH if (lane := self._lanes[topic]).is_late()]
        if asyncio.get_running_loop().time() >= self._retry_at:
            for lane in late:
                await self._spill(lane)

    async def _spill(self, lane: Lane) -> None:
        error = (
            await lane.spill() if await self._make_room(lane) else OSError(ENOSPC, "it is full of what is worth more")
        )
        full = error is not None and error.errno in FULL
        if error and full and await self._drop_for(lane, f"the spool's disk does not take more: {error.strerror}"):
            error = await lane.spill()
        self._changed()
        if error is not None:
            self._retry_at = asyncio.get_running_loop().time() + RETRY_S
            if not self.trouble:
                self._tell("notice", f"the spool cannot be written, frames wait in memory: {error}")
            self.trouble = str(error)
        elif self.trouble:
            self.trouble = ""
            self._tell("notice", "the spool can be written again")

    async def _make_room(self, lane: Lane) -> bool:
        """Drop until what is in the lane's memory fits, nothing that is worth more; whether it does."""
        while self._spool.bytes + lane.bytes > self._spool.bound:
            if not await self._drop_for(lane, "the spool is full", own=True):
                return False
        return True

    async def _drop_for(self, lane: Lane, reason: str, own: bool = False) -> bool:
        """Give up the oldest file of the topic worth least, of those worth less than the lane's, or of its own too."""
        for topic in reversed(BY_WORTH[BY_WORTH.index(lane.topic) + (0 if own else 1) :]):
            if await self._drop(self._lanes[topic], reason):
                return True
        return False

    async def _drop_old(self) -> None:
        for lane in self._lanes.values():
            while (files := self._spool.of(lane.topic)) and self._spool.age_s(files[0]) > self._oldest_h * HOUR_S:
                if _is_out(lane, files[0]) or not await self._drop(lane, f"waited for more than {self._oldest_h:g} h"):
                    break

    async def _drop(self, lane: Lane, reason: str) -> bool:
        """Give up the oldest file of a topic that no producer has, and name its frames; whether there was one.

        A file that cannot be read is reported once, and stays on disk under another name.
        """
        async with lane.lock:
            segment = next((each for each in self._spool.of(lane.topic) if not _is_out(lane, each)), None)
            if segment is None:
                return False
            there: set[Name] = set()
            if lane.flying is not None and lane.flying.place is not None and lane.flying.place.segment is segment:
                lane.flying.is_dropped = True
                there = set(map(named, lane.flying.frames)) - set(map(named, lane.flying.rest))
            self._spool.take_out(segment)
        try:
            names = await in_thread(lambda: [named(frame) for frame in self._spool.remains(segment)])
        except OSError as error:
            self._spool.set_aside(segment)
            self._tell("notice", f"{segment.waiting} frames of {lane.topic} on disk cannot be read: {error}")
            return True
        await in_thread(self._spool.discard, segment)
        self._dropped(segment, [name for name in names if name not in there], reason)
        return True

    def _dropped(self, segment: Segment, names: list[Name], reason: str) -> None:
        topic = segment.topic
        self.dropped[topic] += len(names)
        self.dropped_at = time.time()
        log.error("given up topic=%s frames=%d bytes=%d reason=%r", topic, len(names), segment.size, reason)
        if topic == EVENTS:
            self._tell("notice", f"{len(names)} events were given up: {reason}")
            return
        self.gapped.update(name.origin.session for name in names)
        for event in events(topic, names, reason):
            self._put(event)

    async def _adopt(self) -> None:
        before = {topic: self._spool.of(topic) for topic in BY_WORTH}
        frames = await in_thread(self._spool.adopt)
        for topic in BY_WORTH:
            if self._spool.of(topic) != before[topic]:
                self._lanes[topic].filled.set()
        if frames:
            log.warning("frames=%d of a collector that has ended are on disk and go to Kafka now", frames)


def _is_out(lane: Lane, segment: Segment) -> bool:
    flying = lane.flying
    return flying is not None and flying.is_out and flying.place is not None and flying.place.segment is segment
