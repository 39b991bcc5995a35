"""Where rows come from: the columns that name the frame of each."""

from collections.abc import Sequence

import polars as pl

from collectors.envelope import RawFrame

SOURCES = ("backfill", "import")


def trace(frames: Sequence[RawFrame], venue: str | None = None) -> list[pl.Series]:
    """Return the trace columns of rows whose frames these are, and `venue`, if known the same of all."""
    sessions = [frame.session for frame in frames]
    venues = [venue] * len(frames) if venue else [frame.venue for frame in frames]
    received = pl.Series("ts_recv", [frame.arrived_ns or frame.recv_ns for frame in frames], pl.Int64) // 1000
    return [
        _repeated("venue", venues),
        received.set(received == 0, None).cast(pl.Datetime("us")),
        _sources(sessions, venues),
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


def _sources(sessions: list[str], venues: list[str]) -> pl.Series:
    of_one = sessions.count(sessions[0]) == len(sessions) and venues.count(venues[0]) == len(venues)
    pairs = {(sessions[0], venues[0])} if of_one else set(zip(sessions, venues, strict=True))
    sources = {pair: source_of(*pair) for pair in pairs}
    if len(set(sources.values())) == 1:
        return pl.Series("source", [*sources.values()][:1], pl.String).new_from_index(0, len(sessions))
    return pl.Series("source", [sources[pair] for pair in zip(sessions, venues, strict=True)], pl.String)


def source_of(session: str, venue: str) -> str:
    """Return backfill or import where the session's feed (`<venue>-<feed>-...`) is named so, else live.

    `venue`: the record's own word for it; a venue's name may contain hyphens, so the session alone does not say where it ends.
    """
    named = (source for source in SOURCES if session.startswith(f"{venue}-{source}-"))
    return next(named, "live")
