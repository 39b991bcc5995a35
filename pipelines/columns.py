"""Facts to columns: one polars series a field, beside them where each fact's frame lies, joined with what contracts are."""

from collections.abc import Sequence
from functools import cache
from operator import attrgetter
from typing import Any, get_type_hints

import polars as pl

from collectors.envelope import RawFrame
from pipelines.instruments import Instruments
from pipelines.parse import Facts
from pipelines.rows import Row

SOURCES = ("backfill", "import")

_POLARS = {str: pl.String, int: pl.Int64, float: pl.Float64, bool: pl.Boolean}


def facts_frame(facts: Facts, frames: Sequence[RawFrame]) -> pl.DataFrame:
    """Return a row per fact, in order: the fields of its kind, `venue`, and the trace columns of its frame."""
    rows, kind = facts.rows, type(facts.rows[0])
    fields = [pl.Series(name, list(map(attrgetter(name), rows)), dtype) for name, dtype in _fields(kind)]
    return pl.DataFrame(fields + _trace(facts, frames))


@cache
def _fields(kind: type[Row]) -> list[tuple[str, type[pl.DataType]]]:
    return [(name, _dtype(hint)) for name, hint in get_type_hints(kind).items()]


def _dtype(hint: Any) -> type[pl.DataType]:
    """Polars' type of str, int, float, bool, of a Literal of text, and of one of them or None."""
    options = [option for option in getattr(hint, "__args__", (hint,)) if option is not type(None)]
    return _POLARS.get(options[0], pl.String)


def _trace(facts: Facts, frames: Sequence[RawFrame]) -> list[pl.Series]:
    whole = len(facts.frames) == len(frames) and facts.frames == list(range(len(frames)))
    own = frames if whole else [frames[position] for position in facts.frames]
    sessions = [frame.session for frame in own]
    sources = {session: source_of(session) for session in set(sessions)}
    received = pl.Series("ts_recv", [frame.recv_ns for frame in own], pl.Int64) // 1000
    return [
        pl.Series("venue", [frame.venue for frame in own], pl.String),
        received.set(received == 0, None).cast(pl.Datetime("us")),
        pl.Series("source", [sources[session] for session in sessions], pl.String),
        pl.Series("kafka_topic", [frame.topic for frame in own], pl.String),
        pl.Series("kafka_partition", [frame.partition for frame in own], pl.Int32),
        pl.Series("kafka_offset", [frame.offset for frame in own], pl.Int64),
        pl.Series("session", sessions, pl.String),
        pl.Series("seq", [frame.seq for frame in own], pl.Int64),
    ]


def source_of(session: str) -> str:
    """Return backfill or import where the session's feed (`<venue>-<feed>-...`) is named so, else live."""
    feed = session.split("-", 2)[1:2]
    return feed[0] if feed and feed[0] in SOURCES else "live"


def with_contracts(facts: pl.DataFrame, instruments: Instruments, at: str = "ts_event") -> pl.DataFrame:
    """Return `facts` with the columns of `Resolved`, as of the time in column `at` (UTC milliseconds), order kept.

    A column of the fact that is also one of the contract's keeps its name; the contract's gets `_known` behind.
    """
    symbols = facts.select("venue", "symbol").unique(maintain_order=True)
    known = instruments.dimension(symbols.rows())
    if known.height == symbols.height:
        return facts.join(known.drop("since_us"), on=["venue", "symbol"], how="left", suffix="_known")
    return (
        facts.with_row_index("position")
        .with_columns(at_us=pl.col(at) * 1000)
        .sort("at_us")
        .join_asof(
            known.sort("since_us"), left_on="at_us", right_on="since_us", by=["venue", "symbol"], suffix="_known",
            check_sortedness=False,
        )
        .sort("position")
    )  # fmt: skip


def time(column: str) -> pl.Expr:
    """Return a column of UTC milliseconds as a time."""
    return (pl.col(column) * 1000).cast(pl.Datetime("us"))


def finite(value: pl.Expr) -> pl.Expr:
    """Return null for what left the range of a float."""
    return pl.when(value.is_finite()).then(value)
