"""What collectors tell of their connections and polls, to the rows of `collector_events`."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
import polars as pl

from collectors.envelope import RawFrame
from pipelines.columns.schemas import empty, schema
from pipelines.reading.parse import Facts, Parsed
from pipelines.rows import Rejected


class _Event(msgspec.Struct):
    event: str
    venue: str
    session: str
    transport: str
    ts_ns: int
    frames: int
    reason: str | None = None
    detail: dict[str, Any] | None = None


_decode = msgspec.json.Decoder(_Event).decode


def collector_events(records: Sequence[RawFrame]) -> tuple[pl.DataFrame, Parsed]:
    """Return the rows of `collector_events` in the records' order, and the records that are no event, as rejected."""
    rows: list[tuple[Any, ...]] = []
    rejected = Facts([], [])
    for position, record in enumerate(records):
        try:
            told = _decode(record.payload)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            rejected.rows.append(Rejected(f"not a collector event: {error}"))
            rejected.frames.append(position)
            continue
        detail = msgspec.json.encode(told.detail).decode() if told.detail else None
        rows.append(
            (told.ts_ns // 1000, told.venue, told.session, told.transport, told.event, told.reason, told.frames, detail,
             record.topic, record.partition, record.offset)
        )  # fmt: skip
    parsed = Parsed(records, {Rejected: rejected} if rejected.rows else {}, bytearray(len(records)), Counter())
    if not rows:
        return empty("collector_events"), parsed
    types = schema("collector_events")
    table = pl.DataFrame(rows, schema={**types, "ts": pl.Int64()}, orient="row")
    return table.with_columns(pl.col("ts").cast(pl.Datetime("us"))), parsed
