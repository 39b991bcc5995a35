"""Frames to Kafka: idempotent, acknowledged by all replicas, in batches of one topic's partition.

Frames wait in memory until Kafka has acknowledged them. While Kafka is away they pile up to a bound; then `full` is
true and whoever reads must wait for `room()`, so that the network, not the memory, holds what comes next.
"""

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from itertools import islice
from types import TracebackType
from typing import Any
from zlib import crc32

from aiokafka import AIOKafkaProducer
from aiokafka.errors import InvalidTimestampError, KafkaError, MessageSizeTooLargeError, RecordListTooLargeError

from collectors.delivery.clock import Offset
from collectors.envelope import RawFrame, to_record
from collectors.errors import CollectorError
from collectors.events import event_frame
from collectors.retry import delays, describe
from collectors.settings import CollectorSettings
from collectors.topics import MAX_FRAME_BYTES, TOPICS

MIB = 1024 * 1024
BATCH_BYTES = MIB
MOST_FRAMES = 10_000
FRAME_OVERHEAD = 400
"""Bytes a waiting frame takes beside its payload."""
TELL_S = 15.0
UNTIMED_S = 60.0
NO_TIMESTAMP = -1
TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)

log = logging.getLogger(__name__)


class Lane:
    """The frames of one partition on their way, oldest first. `limit`: most frames in a batch; `sent`: in the last."""

    def __init__(self, topic: str, partition: int) -> None:
        self.topic = topic
        self.partition = partition
        self.frames: deque[RawFrame] = deque()
        self.filled = asyncio.Event()
        self.limit = MOST_FRAMES
        self.sent = 0
        self.untimed_until = 0.0
        """Until then (monotonic seconds) records carry no time: Kafka refused ours, on a topic with CreateTime."""


class Publisher:
    """Takes frames from every session of this process. `connect` returns the arguments of any aiokafka client.

    `clock`: UTC nanoseconds, the clock by which frames have their `recv_ns`.
    """

    def __init__(
        self,
        connect: Callable[[], dict[str, Any]],
        settings: CollectorSettings,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._connect = connect
        self._clock = clock
        self._settings = settings
        self._bound = settings.buffer_mib * MIB
        self._lanes: dict[str, list[Lane]] = {}
        self._room = asyncio.Event()
        self._room.set()
        self._producer: AIOKafkaProducer | None = None
        self._renewing = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self.pending = 0
        """Frames not yet acknowledged."""
        self.pending_bytes = 0
        self.acknowledged: Counter[str] = Counter()
        """Frames and events that Kafka has acknowledged, by session."""
        self.offset = Offset()
        """How far `clock` is ahead of Kafka's."""
        self.refused = 0
        """Frames that Kafka will not take at any time; each is told as an event and in the log."""

    async def __aenter__(self) -> "Publisher":
        """Connect to Kafka. Raises CollectorError or KafkaError when it cannot be reached."""
        self._producer = await self._open()
        for topic in TOPICS:
            partitions = await self._producer.partitions_for(topic.name)
            self._lanes[topic.name] = [Lane(topic.name, partition) for partition in sorted(partitions)]
            for lane in self._lanes[topic.name]:
                self._start(self._deliver(lane))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hand over what waits, for at most the set time, and close."""
        await self.flush(self._settings.flush_timeout_s)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.pending:
            log.error(
                "lost frames=%d bytes=%d reason='Kafka did not take them in time'", self.pending, self.pending_bytes
            )
        if self._producer is not None:
            await _close(self._producer)

    def put(self, frame: RawFrame) -> None:
        """Take a frame for its topic; returns at once. Frames of one key keep their order."""
        lanes = self._lanes[frame.topic]
        lane = lanes[0] if len(lanes) == 1 else lanes[_spread(frame) % len(lanes)]
        lane.frames.append(frame)
        lane.filled.set()
        self.pending += 1
        self.pending_bytes += len(frame.payload) + FRAME_OVERHEAD

    @property
    def full(self) -> bool:
        """Whether as much waits as memory is meant to hold; then a reader must wait for `room()`."""
        return self.pending_bytes >= self._bound

    async def room(self) -> None:
        """Wait until there is room again."""
        while self.full:
            self._room.clear()
            await self._room.wait()

    async def flush(self, timeout_s: float) -> bool:
        """Wait until Kafka has acknowledged everything; False when it did not within the time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while self.pending:
                    self._room.clear()
                    await self._room.wait()
        return not self.pending

    async def _open(self) -> AIOKafkaProducer:
        compression = self._settings.compression
        producer = AIOKafkaProducer(
            **self._connect(),
            enable_idempotence=True,
            acks="all",
            compression_type=None if compression == "none" else compression,
            max_batch_size=BATCH_BYTES,
            max_request_size=MAX_FRAME_BYTES,
            retry_backoff_ms=250,
        )
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        return producer

    async def _deliver(self, lane: Lane) -> None:
        while True:
            await lane.filled.wait()
            await asyncio.sleep(self._settings.linger_ms / 1000)
            pauses = delays()
            while lane.frames:
                producer = self._producer
                try:
                    await self._send(lane, producer)
                except TOO_LARGE as error:
                    self._shrink(lane, error)
                    await self._renew(producer)
                except InvalidTimestampError as error:
                    log.warning("kafka topic=%s %s: sent again without a time", lane.topic, describe(error))
                    lane.untimed_until = time.monotonic() + UNTIMED_S
                    await self._renew(producer)
                except Exception as error:
                    known = isinstance(error, (KafkaError, OSError))
                    log.warning("kafka topic=%s %s", lane.topic, describe(error), exc_info=not known)
                    await asyncio.sleep(next(pauses))
                    await self._renew(producer)
            lane.filled.clear()

    async def _send(self, lane: Lane, producer: AIOKafkaProducer) -> None:
        """Send one batch and wait for Kafka's acknowledgement; an idempotent producer repeats by itself till then."""
        batch = producer.create_batch()
        sent_ns, untimed = self._clock(), time.monotonic() < lane.untimed_until
        for frame in islice(lane.frames, lane.limit):
            key, value, headers = to_record(frame, sent_ns)
            stamp = NO_TIMESTAMP if untimed else frame.recv_ns // 1_000_000
            if batch.append(timestamp=stamp, key=key, value=value, headers=headers) is None:
                break
        lane.sent = batch.record_count()
        batch.close()
        delivered = await producer.send_batch(batch, lane.topic, partition=lane.partition)
        while not (await asyncio.wait([delivered], timeout=TELL_S))[0]:
            log.warning("kafka topic=%s does not acknowledge waiting=%d", lane.topic, self.pending)
        stamp = (await delivered).timestamp
        if stamp != NO_TIMESTAMP:  # the topic has LogAppendTime
            self.offset.saw(sent_ns, stamp, self._clock(), time.monotonic_ns())
        self._settle(lane)
        lane.limit = min(MOST_FRAMES, lane.limit * 2)

    def _settle(self, lane: Lane) -> None:
        done = [lane.frames.popleft() for _ in range(lane.sent)]
        self.acknowledged.update([frame.session for frame in done])
        self.pending -= len(done)
        self.pending_bytes -= sum(len(frame.payload) + FRAME_OVERHEAD for frame in done)
        self._room.set()

    def _shrink(self, lane: Lane, error: KafkaError) -> None:
        """Halve a batch that Kafka calls too large; a single frame of that kind is given up, and told."""
        if lane.sent > 1:
            lane.limit = lane.sent // 2
            return
        frame = lane.frames.popleft()
        size = len(frame.payload)
        self.pending -= 1
        self.pending_bytes -= size + FRAME_OVERHEAD
        self.refused += 1
        reason = f"Kafka refused a frame of {size} bytes: {describe(error)}"
        log.error("lost session=%s seq=%d reason=%r", frame.session, frame.seq, reason)
        detail = {"seq": frame.seq, "channel": frame.channel, "symbol": frame.symbol}
        self.put(event_frame(frame.venue, frame.session, frame.transport, frame.seq, "notice", reason, detail))

    async def _renew(self, failed: AIOKafkaProducer) -> None:
        """Replace a producer that failed for good: after a lost batch its sequence numbers no longer fit."""
        async with self._renewing:
            pauses = delays()
            while self._producer is failed:
                try:
                    self._producer = await self._open()
                except (KafkaError, CollectorError, OSError) as error:
                    log.warning("kafka %s", describe(error))
                    await asyncio.sleep(next(pauses))
                else:
                    self._start(_close(failed))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _spread(frame: RawFrame) -> int:
    return crc32(frame.symbol.encode(), crc32(frame.channel.encode()))


async def _close(producer: AIOKafkaProducer) -> None:
    with suppress(TimeoutError, KafkaError):
        async with asyncio.timeout(5):
            await producer.stop()
