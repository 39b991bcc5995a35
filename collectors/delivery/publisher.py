"""Takes the frames of every session of this process and sees to it that Kafka has each of them, in order per partition.

Frames wait in memory until Kafka has acknowledged them; what has waited for a moment goes to disk (`keeper.py`), so an end
of the process, whatever it is, loses no more than that. Where the disk takes nothing either, memory fills; then `takes` is
false, first for the topics worth least, and whoever reads must wait for `room`.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Any

from collectors.delivery import dropped
from collectors.delivery.clock import Offset
from collectors.delivery.keeper import MOMENTS, Keeper
from collectors.delivery.lane import Chunk, Lane, Pool, UnreadableError
from collectors.delivery.link import Link
from collectors.delivery.recorder import Recorder
from collectors.delivery.sending import MOST_FRAMES, Sender
from collectors.delivery.spool import Spool
from collectors.envelope import RawFrame
from collectors.settings import CollectorSettings
from collectors.topics import BY_WORTH, DEAD_LETTER, EVENTS, KLINE, LIQUIDATION, REFERENCE, TICKER

FEED = "collector"
MIB = 1024 * 1024
CHUNK_BYTES = 4 * MIB
AFTER_A_BUG_S = 1.0
SHARES = {LIQUIDATION: 1.0, EVENTS: 1.0, REFERENCE: 1.0, DEAD_LETTER: 1.0, KLINE: 0.5, TICKER: 0.5}
SHARE = 0.75
"""How full memory may be for a topic's frames to be taken; of those not in SHARES."""

log = logging.getLogger(__name__)


class Publisher:
    """Frames to Kafka. `connect` returns the arguments of any aiokafka client; `prepare` sees to it that the topics are there.

    `spool` None: memory only. `clock`: UTC nanoseconds, the clock by which frames have their `recv_ns`.
    """

    def __init__(
        self,
        connect: Callable[[], dict[str, Any]],
        settings: CollectorSettings,
        clock: Callable[[], int] = time.time_ns,
        spool: Spool | None = None,
        prepare: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        self.recorder = Recorder("", FEED, "rest", self)
        """The session of the process itself."""
        self.offset = Offset()
        """How far `clock` is ahead of Kafka's."""
        self.pool = Pool()
        """What waits in memory."""
        self.taken_bytes: Counter[str] = Counter()
        self.acknowledged: Counter[str] = Counter()
        """Payload bytes taken, and frames that Kafka has acknowledged, by topic, since the start."""
        self.acknowledged_at = time.monotonic()
        self.refused = 0
        """Frames that Kafka will not take at any time; each is told as an event and in the log."""
        self.spool = spool
        self.spool_left = 0
        """Frames left on disk at the end, for the next collector."""
        self.link = Link(connect, settings, prepare)
        self._settings = settings
        self._bound = settings.buffer_mib * MIB
        self._takes = {topic: SHARES.get(topic, SHARE) * self._bound for topic in BY_WORTH}
        self._changed = asyncio.Event()
        self.lanes = {topic: Lane(topic, self.pool, spool, MOMENTS) for topic in BY_WORTH}
        self.keeper = (
            Keeper(self.lanes, spool, settings.spool_hours, self.put, self.recorder.event, self._changed.set)
            if spool
            else None
        )
        self._clock = clock
        self._keeping: asyncio.Task[None] | None = None
        self._delivering: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Publisher":
        """Begin to deliver; Kafka need not be there."""
        work = [self._deliver(lane) for lane in self.lanes.values()]
        self._delivering = [asyncio.create_task(each) for each in (self.link.connect(), *work)]
        if self.keeper is not None:
            self._keeping = asyncio.create_task(self.keeper.run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hand over what waits, for at most the set time, bring the rest to disk, and close."""
        await self.flush(self._settings.flush_timeout_s if self.link.is_there or self.spool is None else 0.0)
        for task in self._delivering:
            task.cancel()
        await asyncio.gather(*self._delivering, return_exceptions=True)
        if self.keeper is not None and self._keeping is not None:
            self.keeper.stop()
            await self._keeping
            await self.keeper.spill_all()
        if self.pending:
            log.error("lost frames=%d bytes=%d reason='Kafka did not take them in time'", self.pending, self.pool.bytes)
        await self.link.close()
        if self.spool is not None:
            self.spool_left = self.spool.frames
            self.spool.close()

    def put(self, frame: RawFrame) -> None:
        """Take a frame for its topic; returns at once. Frames of one key keep their order."""
        self.taken_bytes[frame.topic] += len(frame.payload)
        self.lanes[frame.topic].put(frame)

    @property
    def pending(self) -> int:
        """Frames in memory that Kafka has not acknowledged."""
        return self.pool.frames

    @property
    def waits(self) -> bool:
        """Whether Kafka lacks anything that is in memory or on disk."""
        return any(lane.waits for lane in self.lanes.values())

    def takes(self, topic: str) -> bool:
        """Say whether memory has room for a topic's frames; if not, a reader must wait for `room()`."""
        return self.pool.bytes < self._takes[topic]

    async def room(self, topic: str = LIQUIDATION) -> None:
        """Wait until there is room for a topic's frames."""
        while not self.takes(topic):
            await self._change()

    def is_gapped(self, session: str) -> bool:
        """Say, once, that frames of a session were given up between others and all that was left has gone to Kafka."""
        if self.keeper is None or session not in self.keeper.gapped or self.lanes[TICKER].is_on_disk:
            return False
        self.keeper.gapped.discard(session)
        return True

    async def flush(self, timeout_s: float) -> bool:
        """Wait until Kafka has acknowledged everything; False when it did not within the time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while self.waits:
                    await self._change()
        return not self.waits

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    async def _deliver(self, lane: Lane) -> None:
        """Send a lane's frames, oldest first, for ever."""
        sender = Sender(lane, self.link, self.offset, self._clock, partial(self._refuse, lane.topic))
        while True:
            if not lane.waits:
                lane.filled.clear()
            await lane.filled.wait()
            await asyncio.sleep(self._settings.linger_ms / 1000)
            await self.link.producer()  # nothing is taken before it can be sent
            try:
                while (chunk := await lane.take(MOST_FRAMES, CHUNK_BYTES)) is not None:
                    self._tell_damage(lane)
                    await sender.send(chunk)
                    await lane.settle(chunk)
                    self._count(lane, chunk)
                self._tell_damage(lane)
            except UnreadableError as error:
                self.recorder.event("notice", f"frames of {lane.topic} on disk cannot be read: {error}")
            except Exception:
                log.exception("died topic=%s, goes on; nothing is forgotten", lane.topic)
                await asyncio.sleep(AFTER_A_BUG_S)

    def _count(self, lane: Lane, chunk: Chunk) -> None:
        if not chunk.is_dropped:
            self.acknowledged[lane.topic] += chunk.count
            self.acknowledged_at = time.monotonic()
        self._changed.set()

    def _refuse(self, topic: str, frame: RawFrame, reason: str) -> None:
        self.refused += 1
        log.error("lost session=%s seq=%d reason=%r", frame.session, frame.seq, reason)
        for event in dropped.events(topic, [dropped.named(frame)], reason):
            self.put(event)

    def _tell_damage(self, lane: Lane) -> None:
        if lane.damaged:
            self.recorder.event(
                "notice", f"{lane.damaged} bytes of {lane.topic} on disk are torn or damaged and are left out"
            )
            lane.damaged = 0
