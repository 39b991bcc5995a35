"""Files of any kind into Kafka: each is read by today's parsers first, so that it can be said what is in it and what is not."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
from aiokafka import AIOKafkaProducer

from collectors.envelope import RawFrame
from collectors.kafka import ensure_topics
from collectors.topics import LIQUIDATION, MAX_FRAME_BYTES, TOPICS
from pipelines.errors import NotADumpError
from pipelines.facts import Nothing, Rejected, Row
from pipelines.files.found import Found, Piece, topic_of
from pipelines.files.parts import digest
from pipelines.imports.publish import FEED, Import
from pipelines.reading.parse import parse_frames
from pipelines.venues import Held

AT_ONCE = 500
NAMED = 5  # reasons and damages that are named one by one


class Brought(msgspec.Struct):
    """What became of a file: frames, facts by their kind, what was left out with how often, and where it is damaged."""

    frames: int = 0
    rows: Counter[str] = msgspec.field(default_factory=Counter)
    left_out: Counter[str] = msgspec.field(default_factory=Counter)
    damaged: list[str] = msgspec.field(default_factory=list)


class _Read(NamedTuple):
    piece: Piece
    topic: str


async def bring(
    found: Sequence[Found], connection: dict[str, Any], told: Callable[[Found, Brought | NotADumpError], object]
) -> None:
    """Publish every file, of each venue as a session of its own; `told` is called after each file with what became of it.

    `connection`: what `collectors.kafka.connection` returns. Raises KafkaError, CollectorError. Published again, the same
    files give no row twice.
    """
    await ensure_topics(connection, TOPICS)
    async with AIOKafkaProducer(
        **connection, enable_idempotence=True, acks="all", compression_type="zstd", max_request_size=MAX_FRAME_BYTES
    ) as producer:
        for venue in dict.fromkeys(each.venue for each in found):
            await _venue(venue, [each for each in found if each.venue == venue], producer, told)


async def _venue(
    venue: str,
    found: Sequence[Found],
    producer: AIOKafkaProducer,
    told: Callable[[Found, Brought | NotADumpError], object],
) -> None:
    session = Import(venue, producer)
    await session.tell("started", files=len(found))
    reason = "cancelled"
    try:
        for each in found:
            try:
                told(each, await _file(session, each))
            except NotADumpError as error:
                told(each, error)
        reason = ""
    finally:
        await session.tell("stopped", reason)
        await session.settle()


async def _file(session: Import, found: Found) -> Brought:
    done, held, topics = Brought(), dict[tuple[str, str], Any](), dict[str, str]()
    sum_of_file, first = digest(found.path), session.frames + 1
    batch: list[Piece] = []
    for piece in found.pieces(done.damaged.append):
        batch.append(piece)
        if len(batch) >= AT_ONCE or len(piece.payload) > MAX_FRAME_BYTES // 16:
            await _publish(session, _read(found, batch, held, topics, done))
            batch = []
    await _publish(session, _read(found, batch, held, topics, done))
    await session.tell(
        "notice", "imported", file=found.path.name, sha256=sum_of_file, seq_first=first, seq_last=session.frames
    )
    return done


def _read(found: Found, pieces: Sequence[Piece], held: Held, topics: dict[str, str], done: Brought) -> list[_Read]:
    """Return the frames that are to be published, each with its topic, and count what is in all of them.

    What says nothing that is kept is not published; what cannot be read is, and becomes a dead letter with its bytes.
    """
    now = time.time_ns()
    frames = [RawFrame(found.venue, piece.channel, piece.symbol, piece.transport, now, found.path.name, FEED, "import", n + 1,
                       piece.payload) for n, piece in enumerate(pieces)]  # fmt: skip
    parsed = parse_frames(frames, held)
    kinds: list[set[type[Row]]] = [set() for _ in pieces]
    for kind, facts in parsed.facts.items():
        if kind not in (Nothing, Rejected):
            done.rows[kind.__name__] += len(facts.rows)
        for row, position in zip(facts.rows, facts.frames, strict=True):
            kinds[position].add(kind)
            if isinstance(row, Nothing):
                done.left_out[row.reason] += 1
            elif isinstance(row, Rejected):
                place = f"{found.path}:{pieces[position].line}" + (f" {row.item}" if row.item else "")
                done.damaged.append(f"{place}: {row.reason}")
    read = []
    for piece, own in zip(pieces, kinds, strict=True):
        if own != {Nothing}:
            topics[piece.channel] = topic_of(own) or topics.get(piece.channel, LIQUIDATION)
            read.append(_Read(piece, topics[piece.channel]))
    done.frames += len(read)
    return read


async def _publish(session: Import, read: Iterable[_Read]) -> None:
    for piece, topic in read:
        await session.put_piece(piece.payload, piece.channel, piece.symbol, piece.transport, topic)
