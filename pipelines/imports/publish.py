"""Dump files to Kafka, as one session of raw frames with the feed `import`: rows of it have source import."""

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from aiokafka import AIOKafkaProducer

from collectors.envelope import RawFrame, to_record
from collectors.events import EventName, event_frame
from collectors.kafka import ensure_topics
from collectors.topics import MAX_FRAME_BYTES, TOPICS
from pipelines.errors import NotADumpError
from pipelines.imports.dumps import Dump, parts, read

FEED = "import"
AT_ONCE = 64


class Totals(msgspec.Struct):
    """What an import did: files and frames that Kafka has, and the files that could not be read, each with why."""

    files: int = 0
    frames: int = 0
    damaged: list[str] = msgspec.field(default_factory=list)


class Import:
    """One session. Kafka has everything handed to `put` once `settle` returns."""

    def __init__(self, venue: str, producer: AIOKafkaProducer) -> None:
        self.session = f"{venue}-{FEED}-{time.time_ns():x}-{secrets.token_hex(2)}"
        self.frames = 0
        self._venue = venue
        self._producer = producer
        self._waiting: list[asyncio.Future[Any]] = []

    async def put(self, dump: Dump, payload: bytes) -> None:
        """Publish a part of a file."""
        self.frames += 1
        await self._send(RawFrame(
            self._venue, dump.channel, dump.symbol, "rest", time.time_ns(), self.session, self.frames, payload, dump.topic
        ))  # fmt: skip

    async def tell(self, event: EventName, reason: str = "", **detail: Any) -> None:
        """Publish an event of the session."""
        await self._send(event_frame(self._venue, self.session, "rest", self.frames, event, reason, detail))

    async def settle(self) -> None:
        """Wait until Kafka has acknowledged everything. Raises KafkaError."""
        waiting, self._waiting = self._waiting, []
        await asyncio.gather(*waiting)

    async def _send(self, frame: RawFrame) -> None:
        record = to_record(frame)
        self._waiting.append(
            await self._producer.send(
                frame.topic, record.value, record.key, headers=record.headers, timestamp_ms=frame.recv_ns // 1_000_000
            )
        )
        if len(self._waiting) >= AT_ONCE:
            await self.settle()


async def publish(
    venue: str, dumps: Sequence[Dump], connection: dict[str, Any], told: Callable[[Dump], object]
) -> Totals:
    """Publish every file and return what was done; a damaged one is named there and the others go on.

    `connection`: what `collectors.kafka.connection` returns. `told` is called before each file. Raises KafkaError,
    CollectorError. Published again, the same files give no row twice.
    """
    await ensure_topics(connection, TOPICS)
    totals = Totals()
    async with AIOKafkaProducer(
        **connection, enable_idempotence=True, acks="all", compression_type="zstd", max_request_size=MAX_FRAME_BYTES
    ) as producer:
        session = Import(venue, producer)
        await session.tell("started", files=len(dumps))
        reason = "cancelled"
        try:
            for dump in dumps:
                told(dump)
                await _file(session, dump, totals)
            reason = ""
        finally:
            await session.tell("stopped", reason)
            await session.settle()
    totals.frames = session.frames
    return totals


async def _file(session: Import, dump: Dump, totals: Totals) -> None:
    try:
        text, digest = read(dump)
    except NotADumpError as error:
        totals.damaged.append(str(error))
        return
    first = session.frames + 1
    for part in parts(text):
        await session.put(dump, part)
    await session.tell(
        "notice", "imported", file=dump.path.name, sha256=digest, seq_first=first, seq_last=session.frames
    )
    totals.files += 1
