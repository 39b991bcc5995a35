"""One lane's frames to Kafka, in order per partition, until every one is acknowledged. Nothing here drops a frame but one
that Kafka will never take, and that is told."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple
from zlib import crc32

from aiokafka import AIOKafkaProducer
from aiokafka.errors import InvalidTimestampError, KafkaError, MessageSizeTooLargeError, RecordListTooLargeError

from collectors import moment
from collectors.delivery.clock import Offset
from collectors.delivery.lane import Chunk, Lane
from collectors.delivery.link import Link, is_connected
from collectors.envelope import RawFrame, to_record
from collectors.retry import delays, describe

MOST_FRAMES = 10_000
LOOK_S = 1.0
HANGS_S = 20.0
LONGEST_HANG_S = 50.0
"""After so long without an answer a batch is sent again: its `sent_ns` must not be a minute before Kafka has it."""
UNTIMED_S = 60.0
NO_TIMESTAMP = -1
TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)

log = logging.getLogger(__name__)


class NoAnswerError(KafkaError):  # type: ignore[misc]
    """Kafka has not acknowledged a batch for too long; it may have it or not."""


class Batch(NamedTuple):
    """What goes to one partition at once: the frames, and when they were handed over by our clock."""

    partition: int
    builder: Any
    frames: list[RawFrame]
    sent_ns: int


class Sender:
    """Sends one lane. `refused` is called with each frame that Kafka will never take, and why."""

    def __init__(
        self, lane: Lane, link: Link, offset: Offset, clock: Callable[[], int], refused: Callable[[RawFrame, str], None]
    ) -> None:
        self._lane = lane
        self._link = link
        self._offset = offset
        self._clock = clock
        self._refused = refused
        self._limit = MOST_FRAMES
        self._hangs_s = HANGS_S
        self._untimed_until = 0.0

    async def send(self, chunk: Chunk) -> None:
        """Send what is left of a chunk, again and again, until Kafka has it or it was given up meanwhile."""
        pauses = delays()
        while chunk.rest and not chunk.is_dropped:
            producer = await self._link.producer()
            try:
                await self._round(producer, chunk)
            except TOO_LARGE as error:
                self._shrink(chunk, error)
                self._link.fail(producer, error, refused=True)
            except InvalidTimestampError as error:
                log.warning("kafka topic=%s %s: sent again without a time", self._lane.topic, describe(error))
                self._untimed_until = time.monotonic() + UNTIMED_S
                self._link.fail(producer, error, refused=True)
            except Exception as error:
                if not isinstance(error, (KafkaError, OSError)):
                    log.exception("kafka topic=%s, sent again", self._lane.topic)
                self._link.is_away(error)
                self._link.fail(producer, error)
                await asyncio.sleep(next(pauses))
            else:
                self._link.is_back()
                self._hangs_s, self._limit = HANGS_S, min(MOST_FRAMES, self._limit * 2)
                pauses = delays()

    async def _round(self, producer: AIOKafkaProducer, chunk: Chunk) -> None:
        """Send a batch to each partition and wait for all answers; what is acknowledged leaves `chunk.rest`."""
        partitions = sorted(await producer.partitions_for(self._lane.topic))
        batches = self._batches(producer, partitions, chunk.rest)
        chunk.is_out = True
        try:
            sent = {await producer.send_batch(b.builder, self._lane.topic, partition=b.partition): b for b in batches}
            for answer in sent:
                answer.add_done_callback(_heard)
            why = await self._answered(producer, sent)
            self._take_answers(chunk, {answer: batch for answer, batch in sent.items() if answer.done()})
            if why:
                raise NoAnswerError(why)
        finally:
            chunk.is_out = False

    async def _answered(self, producer: AIOKafkaProducer, answers: Iterable[asyncio.Future[Any]]) -> str:
        """Wait for all answers; return why some will not come: no broker is connected, or it took too long."""
        ends_at = time.monotonic() + self._hangs_s
        hanging = set(answers)
        while hanging:
            _, hanging = await asyncio.wait(hanging, timeout=min(LOOK_S, self._hangs_s))
            if hanging and not is_connected(producer):
                return "the connection is lost"
            if hanging and time.monotonic() >= ends_at:
                waited_s, self._hangs_s = self._hangs_s, min(LONGEST_HANG_S, self._hangs_s * 2)
                return f"no answer for {waited_s:.0f} s"
        return ""

    def _batches(self, producer: AIOKafkaProducer, partitions: list[int], frames: list[RawFrame]) -> list[Batch]:
        """Cut the oldest frames into one batch for each partition; behind the first that does not fit, none of it."""
        sent_ns, steady_ns = self._clock(), moment.steady_ns()
        untimed = time.monotonic() < self._untimed_until
        batches: dict[int, Batch] = {}
        full: set[int] = set()
        for frame in frames:
            partition = partitions[_spread(frame) % len(partitions)]
            if partition in full:
                continue
            batch = batches.get(partition)
            if batch is None:
                batch = batches[partition] = Batch(partition, producer.create_batch(), [], sent_ns)
            waited_ns = steady_ns - frame.steady_ns if frame.steady_ns else sent_ns - frame.recv_ns
            key, value, headers = to_record(frame, frame.recv_ns + waited_ns)
            stamp = NO_TIMESTAMP if untimed else frame.recv_ns // 1_000_000
            if len(batch.frames) < self._limit and batch.builder.append(
                timestamp=stamp, key=key, value=value, headers=headers
            ):
                batch.frames.append(frame)
            else:
                full.add(partition)
                if len(full) == len(partitions):
                    break
        for batch in batches.values():
            batch.builder.close()
        return list(batches.values())

    def _take_answers(self, chunk: Chunk, answers: Mapping[asyncio.Future[Any], Batch]) -> None:
        """Forget what is acknowledged. Raises the first error among the answers, with the batch it is about."""
        acknowledged: set[int] = set()
        failed: BaseException | None = None
        for answer, batch in answers.items():
            if (error := answer.exception()) is not None:
                error.batch = batch  # type: ignore[attr-defined]
                failed = failed or error
                continue
            acknowledged.update(map(id, batch.frames))
            if (stamp := answer.result().timestamp) != NO_TIMESTAMP:  # the topic keeps Kafka's time
                self._offset.saw(batch.sent_ns, stamp, self._clock(), time.monotonic_ns())
        if acknowledged:
            chunk.rest = [frame for frame in chunk.rest if id(frame) not in acknowledged]
        if failed is not None:
            raise failed

    def _shrink(self, chunk: Chunk, error: KafkaError) -> None:
        """Halve the batches where Kafka calls one too large; a single frame of that kind is given up, and told."""
        batch: Batch = error.batch
        if len(batch.frames) > 1:
            self._limit = len(batch.frames) // 2
            return
        frame = batch.frames[0]
        chunk.rest = [each for each in chunk.rest if each is not frame]
        self._refused(frame, f"Kafka refused a frame of {len(frame.payload)} bytes: {describe(error)}")


def _spread(frame: RawFrame) -> int:
    return crc32(frame.symbol.encode(), crc32(frame.channel.encode()))


def _heard(answer: asyncio.Future[Any]) -> None:
    """Take note of an answer, so that asyncio does not complain of one that comes when nobody waits any more."""
    if not answer.cancelled():
        answer.exception()
