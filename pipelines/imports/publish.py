"""Files to Kafka, as one session of raw frames whose feed and source are `import`."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

import msgspec
from aiokafka import AIOKafkaProducer

from collectors.envelope import Origin, RawFrame, to_record
from collectors.events import EventName, event_frame
from collectors.kafka import ensure_topics
from collectors.session_names import session_name
from collectors.topics import MAX_FRAME_BYTES, TOPICS
from pipelines.errors import NotADumpError

FEED = "import"
AT_ONCE = 64


class File(Protocol):
    """What a file is, and its bytes as the frames it becomes, with its SHA-256; those raise NotADumpError."""

    @property
    def path(self) -> Path: ...
    @property
    def channel(self) -> str: ...
    @property
    def symbol(self) -> str: ...
    @property
    def topic(self) -> str: ...
    def parts(self) -> tuple[Iterable[bytes], str]: ...


AFile = TypeVar("AFile", bound=File)


class Totals(msgspec.Struct):
    """What an import did: files and frames that Kafka has, and the files that could not be read, each with why."""

    files: int = 0
    frames: int = 0
    damaged: list[str] = msgspec.field(default_factory=list)


class Import:
    """One session. Kafka has everything handed to `put` once `settle` returns."""

    def __init__(self, venue: str, producer: AIOKafkaProducer) -> None:
        self.origin = Origin(venue, "rest", session_name(venue, FEED), FEED, "import")
        self.frames = 0
        self._producer = producer
        self._waiting: list[asyncio.Future[Any]] = []

    async def put(self, file: File, payload: bytes) -> None:
        """Publish a part of a file."""
        await self.put_piece(payload, file.channel, file.symbol, self.origin.transport, file.topic)

    async def put_piece(
        self, payload: bytes, channel: str, symbol: str, transport: Literal["ws", "rest"], topic: str
    ) -> None:
        """Publish a frame as what it is said to be."""
        self.frames += 1
        venue, _, session, feed, source = self.origin
        await self._send(RawFrame(
            venue, channel, symbol, transport, time.time_ns(), session, feed, source, self.frames, payload, topic
        ))  # fmt: skip

    async def tell(self, event: EventName, reason: str = "", **detail: Any) -> None:
        """Publish an event of the session."""
        await self._send(event_frame(self.origin, self.frames, event, reason, detail))

    async def settle(self) -> None:
        """Wait until Kafka has acknowledged everything. Raises KafkaError."""
        waiting, self._waiting = self._waiting, []
        await asyncio.gather(*waiting)

    async def _send(self, frame: RawFrame) -> None:
        record = to_record(frame, time.time_ns())
        self._waiting.append(
            await self._producer.send(
                frame.topic, record.value, record.key, headers=record.headers, timestamp_ms=frame.recv_ns // 1_000_000
            )
        )
        if len(self._waiting) >= AT_ONCE:
            await self.settle()


async def publish(
    venue: str, files: Sequence[AFile], connection: dict[str, Any], told: Callable[[AFile], object]
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
        await session.tell("started", files=len(files))
        reason = "cancelled"
        try:
            for file in files:
                told(file)
                await _file(session, file, totals)
            reason = ""
        finally:
            await session.tell("stopped", reason)
            await session.settle()
    totals.frames = session.frames
    return totals


async def _file(session: Import, file: File, totals: Totals) -> None:
    try:
        payloads, digest = file.parts()
    except NotADumpError as error:
        totals.damaged.append(str(error))
        return
    first = session.frames + 1
    for payload in payloads:
        await session.put(file, payload)
    await session.tell(
        "notice", "imported", file=file.path.name, sha256=digest, seq_first=first, seq_last=session.frames
    )
    totals.files += 1
