"""What collectors tell of their connections and polls, to the rows of `collector_events`.

Whoever reads that table may trust its rows: an event that is not as `collectors/events.py` describes it is a dead letter.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import polars as pl

from collectors.envelope import MOST, RawFrame
from pipelines.columns.schemas import empty, schema
from pipelines.facts import Rejected
from pipelines.reading.parse import Facts, Parsed

DEEPEST = 16
LARGEST = 1024 * 1024  # bytes
DAY_NS = 86_400 * 1_000_000_000
LONGEST_PAUSE_NS = 366 * DAY_NS
BAD = (msgspec.MsgspecError, ValueError, RecursionError)

Count = Annotated[int, msgspec.Meta(ge=0, le=MOST)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class _Event(msgspec.Struct):
    event: Name
    venue: Annotated[str, msgspec.Meta(max_length=200)]
    session: Name
    transport: Annotated[str, msgspec.Meta(pattern="^(ws|rest)$")]
    ts_ns: Count
    frames: Count
    reason: str | None = None
    detail: dict[str, Any] | None = None


class _Channel(msgspec.Struct):
    channel: Name
    topic: Name
    arguments: Count | None = None


class _Channels(msgspec.Struct):
    channels: list[_Channel] = []


class _Since(msgspec.Struct):
    since_ns: Count | None = None


class _Dropped(msgspec.Struct):
    topic: Name
    first_seq: Count
    last_seq: Count
    frames: Count | None = None
    partition: Count | None = None
    runs: list[tuple[Count, Count]] = []


DETAILS: dict[str, type[msgspec.Struct]] = {
    "subscribed": _Channels, "started": _Channels, "paused": _Since, "resumed": _Since, "dropped": _Dropped,
}  # fmt: skip
"""What is asked of the detail of an event that somebody counts with."""

_decode = msgspec.json.Decoder(_Event).decode


def collector_events(records: Sequence[RawFrame]) -> tuple[pl.DataFrame, Parsed]:
    """Return the rows of `collector_events` in the records' order, and the records that are no event, as rejected."""
    rows: list[tuple[Any, ...]] = []
    rejected = Facts([], [])
    for position, record in enumerate(records):
        try:
            rows.append(_row(record))
        except BAD as error:
            rejected.rows.append(Rejected(f"not a collector event: {error}"))
            rejected.frames.append(position)
    parsed = Parsed(records, {Rejected: rejected} if rejected.rows else {}, bytearray(len(records)), Counter())
    if not rows:
        return empty("collector_events"), parsed
    types = schema("collector_events")
    table = pl.DataFrame(rows, schema={**types, "ts": pl.Int64()}, orient="row")
    return table.with_columns(pl.col("ts").cast(pl.Datetime("us"))), parsed


def _row(record: RawFrame) -> tuple[Any, ...]:
    """Return an event's row; its times are brought to the clock that `arrived_ns` is of. Raises one of BAD."""
    if len(record.payload) > LARGEST:
        raise ValueError(f"{len(record.payload)} bytes")
    if _deepest(record.payload) > DEEPEST:
        raise ValueError(f"nested more than {DEEPEST} deep")
    told = _decode(record.payload)
    if record.recv_ns and abs(told.ts_ns - record.recv_ns) > DAY_NS:
        raise ValueError(f"ts_ns {told.ts_ns} is more than a day from when it was sent")
    off_ns = record.at_ns - record.recv_ns
    detail = _detail(told, off_ns)
    text = msgspec.json.encode(detail).decode() if detail else None
    return (
        (told.ts_ns + off_ns) // 1000, told.venue, told.session, told.transport, told.event, told.reason, told.frames, text,
        record.topic, record.partition, record.offset, told.ts_ns, record.feed, record.source,
    )  # fmt: skip


def _detail(told: _Event, off_ns: int) -> dict[str, Any]:
    detail = told.detail or {}
    if (known := DETAILS.get(told.event)) is not None:
        msgspec.convert(detail, known)
    if (since_ns := msgspec.convert(detail, _Since).since_ns) is None:
        return detail
    if not 0 <= told.ts_ns - since_ns <= LONGEST_PAUSE_NS:
        raise ValueError(f"since_ns {since_ns} is not of the year before ts_ns {told.ts_ns}")
    return detail | {"since_ns": since_ns + off_ns}


def _deepest(payload: bytes) -> int:
    """Return how deep lists and objects are nested at most."""
    if payload.count(b"{") + payload.count(b"[") <= DEEPEST:
        return 0
    depth = deepest = 0
    inside = escaped = False
    for byte in payload:
        if escaped:
            escaped = False
        elif inside:
            inside, escaped = byte != 0x22, byte == 0x5C
        elif byte == 0x22:
            inside = True
        elif byte in b"{[":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"}]":
            depth -= 1
    return deepest
