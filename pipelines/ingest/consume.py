"""Kafka to batches of raw frames, each with the offsets it covers.

The offsets live in the warehouse, in the transaction that holds the rows, so Kafka's consumer groups are not used: every
partition of `TOPICS` is read by assignment, from where the warehouse says. A record that is not a raw record is kept as a
dead letter, never skipped.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaConnectionError

from collectors.envelope import MS_NS, NotARawRecordError, RawFrame, from_record
from collectors.errors import NetworkError
from collectors.topics import TOPICS
from pipelines.errors import PipelineError

Partition = tuple[str, int]
Offsets = Mapping[Partition, int]

PARTITION_FETCH_BYTES = 2 * 1024 * 1024
LOG_APPEND_TIME = 1  # a record's time stamp is the broker's; 0: whoever sent it
FETCH_BYTES = 8 * 1024 * 1024  # a larger record still comes, alone

log = logging.getLogger(__name__)


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


class Source:
    """An open consumer of every raw topic; `next` hands out slices in offset order."""

    def __init__(self, consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]) -> None:
        self._consumer = consumer
        self._partitions = partitions
        self._position: dict[Partition, int] = {}

    async def seek(self, offsets: Offsets) -> None:
        """Read on from `offsets`; a partition not named there, or named beyond its ends, from its earliest record."""
        earliest = await self._consumer.beginning_offsets(self._partitions)
        latest = await self._consumer.end_offsets(self._partitions)
        for partition in self._partitions:
            wanted = offsets.get((partition.topic, partition.partition), earliest[partition])
            if not earliest[partition] <= wanted <= latest[partition]:
                log.warning(
                    "%s[%d]: committed up to offset %d, but the log holds %d to %d; reading on from %d",
                    partition.topic, partition.partition, wanted, earliest[partition], latest[partition],
                    earliest[partition],
                )  # fmt: skip
                wanted = earliest[partition]
            self._consumer.seek(partition, wanted)
            self._position[(partition.topic, partition.partition)] = wanted

    async def next(self, max_records: int, timeout_ms: int, only: str | None = None) -> list[Slice]:
        """Return what has arrived, at most `max_records`; waits up to `timeout_ms` for the first record.

        `only`: of this topic; what others have brought waits.
        """
        wanted = [partition for partition in self._partitions if partition.topic == only] if only else []
        found = await self._consumer.getmany(*wanted, timeout_ms=timeout_ms, max_records=max_records)
        return [self._slice(partition, records) for partition, records in found.items() if records]

    async def ends(self) -> dict[Partition, int]:
        """Return the offset behind the last record of every partition."""
        ends = await self._consumer.end_offsets(self._partitions)
        return {(partition.topic, partition.partition): end for partition, end in ends.items()}

    async def starts(self) -> dict[Partition, int]:
        """Return the offset of the first record still kept of every partition."""
        starts = await self._consumer.beginning_offsets(self._partitions)
        return {(partition.topic, partition.partition): start for partition, start in starts.items()}

    def caught_up(self) -> set[Partition]:
        """Return the partitions of which everything that Kafka held when it last answered has been handed out."""
        return {
            key
            for partition in self._partitions
            if (end := self._consumer.highwater(partition)) is not None
            and self._position[key := (partition.topic, partition.partition)] >= end
        }

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
        auto_offset_reset="earliest",
        fetch_max_bytes=FETCH_BYTES,
        max_partition_fetch_bytes=PARTITION_FETCH_BYTES,
        fetch_max_wait_ms=100,
        check_crcs=True,
    )
    try:
        await _started(consumer, connection)
        partitions = [
            TopicPartition(topic.name, n) for topic in TOPICS for n in await _partitions(consumer, topic.name)
        ]
        consumer.assign(partitions)
        yield Source(consumer, partitions)
    finally:
        await consumer.stop()


async def _started(consumer: AIOKafkaConsumer, connection: Mapping[str, Any]) -> None:
    try:
        await consumer.start()
    except KafkaConnectionError as error:
        servers = connection["bootstrap_servers"]
        raise NetworkError(f"Kafka at {servers} cannot be reached; address, network or log-in may be wrong") from error


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> list[int]:
    for _ in range(50):
        await consumer._client.force_metadata_update()
        if found := consumer.partitions_for_topic(topic):
            return sorted(found)
        await asyncio.sleep(0.1)
    raise PipelineError(f"topic {topic} does not exist; `liq broker start` or the collectors create it")


def _unreadable(record: ConsumerRecord, appended_ms: int, now_ns: int) -> RawFrame:
    """What can be said of a record without its headers, so that its bytes are kept."""
    told_ns = min(max(record.timestamp * MS_NS, 0), now_ns)
    return RawFrame(
        "", "?", "", "ws", told_ns, "", 0, record.value or b"", record.topic, record.partition, record.offset,
        appended_ms * MS_NS, appended_ms,
    )  # fmt: skip
