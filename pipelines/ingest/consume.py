"""Kafka to batches of raw frames, each with the offsets it covers.

The offsets live in the warehouse, in the transaction that holds the rows, so Kafka's consumer groups are not used: every
partition of `TOPICS` is read by assignment, from where the warehouse says. A record that is not a raw record is kept as a
dead letter, never skipped. A log that is no longer the one that was being read raises LogChangedError; nothing read since
the last commit may then be committed.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import (
    KafkaConnectionError,
    LeaderNotAvailableError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)

from collectors.envelope import MS_NS, NotARawRecordError, RawFrame, from_record
from collectors.errors import NetworkError
from collectors.topics import TOPICS
from pipelines.errors import LogChangedError, PipelineError
from pipelines.ingest import incarnation
from pipelines.ingest.incarnation import Partition, Standing
from pipelines.reading.parse import collector_paused

Offsets = Mapping[Partition, int]

PARTITION_FETCH_BYTES = 2 * 1024 * 1024
LOG_APPEND_TIME = 1  # a record's time stamp is the broker's; 0: whoever sent it
FETCH_BYTES = 8 * 1024 * 1024  # a larger record still comes, alone
ONE_RECORD_S = 30.0


class Malformed(NamedTuple):
    """A Kafka record that is no raw record: what it held, where it lay, why it could not be read."""

    frame: RawFrame
    reason: str


class Slice(NamedTuple):
    """Consecutive records of one partition: offsets [start, next), the frames, and what could not be read as one."""

    partition: Partition
    start: int
    next: int
    frames: list[RawFrame]
    malformed: list[Malformed]
    again: int = 0  # records that were left out, as they are stored already
    tail: RawFrame | None = None  # the last record, where it may be one of these

    @property
    def last(self) -> RawFrame | None:
        """The last record, as far as it could be read; None where the slice is empty."""
        if self.tail is not None:
            return self.tail
        ends = [*self.frames[-1:], *(each.frame for each in self.malformed[-1:])]
        return max(ends, key=lambda frame: frame.offset, default=None)

    @property
    def records(self) -> int:
        """How many records it has."""
        return len(self.frames) + len(self.malformed) + self.again


class Source:
    """An open consumer of every raw topic; `next` hands out slices in offset order, once `seek` has said from where."""

    def __init__(self, consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]) -> None:
        self._consumer = consumer
        self._partitions = partitions
        self._position: dict[Partition, int] = {}
        self._standings: dict[Partition, Standing] = {}
        self._left_out: frozenset[Partition] = frozenset()

    @property
    def partitions(self) -> list[Partition]:
        """The partitions it reads."""
        return [(each.topic, each.partition) for each in self._partitions]

    def only(self, wanted: Collection[Partition]) -> None:
        """Read no other partitions than these; one that is added to a topic later is noticed all the same."""
        self._left_out = frozenset(self.partitions) - set(wanted)
        self._partitions = [each for each in self._partitions if (each.topic, each.partition) in wanted]
        self._standings = {}

    async def standings(self) -> dict[Partition, Standing]:
        """Return which topic each partition is of; from now on `verify` compares with it. Raises KafkaError."""
        self._standings = await self._standing()
        return dict(self._standings)

    async def verify(self) -> None:
        """Return if everything that was read before is in the log as it is now, else raise LogChangedError.

        Raises KafkaError where Kafka does not answer.
        """
        now = await self._standing()
        if changed := [at for at in now if _other(self._standings.get(at), now[at])]:
            raise LogChangedError(f"{_named(changed)}: the topic was created again, or has another leader")

    async def _standing(self) -> dict[Partition, Standing]:
        wanted = set(self.partitions)
        found = await incarnation.standings(self._consumer._client, {topic for topic, _ in wanted | self._left_out})
        if gone := {topic for topic, _ in wanted} - {topic for topic, _ in found}:
            raise LogChangedError(f"{', '.join(sorted(gone))}: the topic does not exist any more")
        if missing := wanted - found.keys():
            raise LeaderNotAvailableError(f"{_named(missing)}: no broker leads it now")
        return {at: standing for at, standing in found.items() if at not in self._left_out}

    def seek(self, offsets: Offsets) -> None:
        """Read every partition from its offset."""
        self._consumer.assign(self._partitions)
        for partition in self._partitions:
            offset = offsets[partition.topic, partition.partition]
            self._consumer.seek(partition, offset)
            self._position[partition.topic, partition.partition] = offset

    async def record_at(self, at: Partition, offset: int) -> RawFrame | None:
        """Return the first record from an offset on, as far as it can be read; None where there is none. Before `seek`."""
        partition = TopicPartition(*at)
        self._consumer.assign([partition])
        self._consumer.seek(partition, offset)
        try:
            found = await self._consumer.getmany(partition, timeout_ms=int(ONE_RECORD_S * 1000), max_records=1)
        except (OffsetOutOfRangeError, NoOffsetForPartitionError):
            return None
        self._position[at] = offset
        slices = [self._slice(partition, records) for records in found.values() if records]
        return slices[0].last if slices else None

    async def next(self, max_records: int, timeout_ms: int, of: Collection[Partition] = ()) -> list[Slice]:
        """Return what has arrived, at most `max_records`; waits up to `timeout_ms` for the first record.

        `of`: only of these partitions, what others have brought waits; none named: of all. Raises LogChangedError where the
        log no longer has the offset that comes next.
        """
        wanted = [TopicPartition(*at) for at in of]
        try:
            with collector_paused():
                found = await self._consumer.getmany(*wanted, timeout_ms=timeout_ms, max_records=max_records)
                return [self._slice(partition, records) for partition, records in found.items() if records]
        except (OffsetOutOfRangeError, NoOffsetForPartitionError) as error:
            raise LogChangedError(f"{error.args[0]}: the log does not have these offsets") from None

    async def ends(self) -> dict[Partition, int]:
        """Return the offset behind the last record of every partition. Raises KafkaError where Kafka does not answer."""
        standings = self._standings or await self._standing()
        return await incarnation.ends(self._consumer._client, standings)

    async def starts(self) -> dict[Partition, int]:
        """Return the offset of the first record still kept of every partition."""
        starts = await self._consumer.beginning_offsets(self._partitions)
        return {(partition.topic, partition.partition): start for partition, start in starts.items()}

    def known_ends(self) -> dict[Partition, int]:
        """Return the offset behind the last record of every partition, as Kafka told it last; asks nothing."""
        return {
            (part.topic, part.partition): end
            for part in self._partitions
            if (end := self._consumer.highwater(part)) is not None
        }

    def position(self) -> dict[Partition, int]:
        """Return, per partition, the offset that `next` hands out next."""
        return dict(self._position)

    def _slice(self, partition: TopicPartition, records: list[ConsumerRecord]) -> Slice:
        key = (partition.topic, partition.partition)
        frames: list[RawFrame] = []
        malformed: list[Malformed] = []
        now_ns = time.time_ns()
        for record in records:
            appended_ms = record.timestamp if record.timestamp_type == LOG_APPEND_TIME else 0
            try:
                frames.append(from_record(
                    record.key, record.value, record.headers, record.topic, record.partition, record.offset, appended_ms,
                    now_ns,
                ))  # fmt: skip
            except NotARawRecordError as error:
                malformed.append(Malformed(_unreadable(record, appended_ms, now_ns), str(error)))
        start, self._position[key] = self._position[key], records[-1].offset + 1
        return Slice(key, start, self._position[key], frames, malformed)


@asynccontextmanager
async def source(connection: Mapping[str, Any]) -> AsyncIterator[Source]:
    """Open a consumer of every partition of `TOPICS`; `connection` is what `collectors.kafka.connection` returns.

    Raises NetworkError where Kafka cannot be reached.
    """
    consumer = AIOKafkaConsumer(
        **connection,
        enable_auto_commit=False,
        auto_offset_reset="none",  # a place that the log does not have is for `whence` to judge
        fetch_max_bytes=FETCH_BYTES,
        max_partition_fetch_bytes=PARTITION_FETCH_BYTES,
        fetch_max_wait_ms=100,
        check_crcs=True,
    )
    try:
        await _started(consumer, connection)
        yield Source(consumer, [
            TopicPartition(topic.name, n) for topic in TOPICS for n in await _partitions(consumer, topic.name)
        ])  # fmt: skip
    finally:
        await consumer.stop()


async def _started(consumer: AIOKafkaConsumer, connection: Mapping[str, Any]) -> None:
    try:
        await consumer.start()
    except KafkaConnectionError as error:
        servers = connection["bootstrap_servers"]
        raise NetworkError(
            f"Kafka at {servers} cannot be reached; check the address, the network and the login"
        ) from error


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> list[int]:
    for _ in range(50):
        await consumer._client.force_metadata_update()
        if found := consumer.partitions_for_topic(topic):
            return sorted(found)
        await asyncio.sleep(0.1)
    raise PipelineError(f"topic {topic} does not exist; `liq broker start` or the collectors create it")


def _other(before: Standing | None, now: Standing) -> bool:
    """Tell whether a partition may have another log than before. A new leader's log may lack what the old one had."""
    return before is None or (before.topic_id, before.epoch) != (now.topic_id, now.epoch)


def _named(partitions: Collection[Partition]) -> str:
    return ", ".join(f"{topic}[{partition}]" for topic, partition in sorted(partitions))


def _unreadable(record: ConsumerRecord, appended_ms: int, now_ns: int) -> RawFrame:
    """What can be said of a record without its headers, so that its bytes are kept."""
    told_ns = min(max(record.timestamp * MS_NS, 0), now_ns)
    return RawFrame(
        "", "?", "", "ws", told_ns, "", "", "live", 0, record.value or b"", record.topic, record.partition, record.offset,
        appended_ms * MS_NS, appended_ms,
    )  # fmt: skip
