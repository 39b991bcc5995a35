"""Where rows come from: the columns that name the frame of each."""

from collections.abc import Sequence

import polars as pl

from collectors.envelope import RawFrame


def trace(frames: Sequence[RawFrame], venue: str | None = None) -> list[pl.Series]:
    """Return the trace columns of rows whose frames these are, and `venue`, if known the same of all."""
    sessions = [frame.session for frame in frames]
    venues = [venue] * len(frames) if venue else [frame.venue for frame in frames]
    received = pl.Series("ts_recv", [frame.arrived_ns or frame.recv_ns for frame in frames], pl.Int64) // 1000
    return [
        _repeated("venue", venues),
        received.set(received == 0, None).cast(pl.Datetime("us")),
        _repeated("source", [frame.source for frame in frames]),
        _repeated("kafka_topic", [frame.topic for frame in frames]),
        pl.Series("kafka_partition", [frame.partition for frame in frames], pl.Int32),
        pl.Series("kafka_offset", [frame.offset for frame in frames], pl.Int64),
        _repeated("session", sessions),
        pl.Series("seq", [frame.seq for frame in frames], pl.Int64),
    ]


def _repeated(name: str, values: list[str]) -> pl.Series:
    """Return a column of text that is mostly one and the same."""
    if values and values.count(values[0]) == len(values):
        return pl.Series(name, values[:1], pl.String).new_from_index(0, len(values))
    return pl.Series(name, values, pl.String)
