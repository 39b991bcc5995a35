"""What a commit took in of each partition: the rows of `ingest_commits`, by which the next ingest knows where to go on.

Offsets mean something in one log only. A log is named by its `incarnation`: the id of its topic, and how often it has lost
records since. The last record taken in is kept too, so that the next ingest can see that it is still where it was.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import polars as pl

from collectors.envelope import RawFrame
from pipelines.columns.schemas import schema
from pipelines.ingest.incarnation import Partition


class Log(NamedTuple):
    """The logs that are read: the cluster's id, and each partition's incarnation. `commit`: a name for this commit alone."""

    cluster_id: str
    incarnations: Mapping[Partition, str]
    commit: str


class Span(NamedTuple):
    """The records that a commit takes in of one partition: offsets [start, next), how many, and the last one."""

    start: int
    next: int
    records: int
    last: RawFrame | None

    def joined(self, other: "Span") -> "Span":
        """Return both as one."""
        later = max(self, other, key=lambda span: span.next)
        return Span(min(self.start, other.start), later.next, self.records + other.records, later.last)


def identity(frame: RawFrame | None) -> str | None:
    """Return what tells a record from any other that could lie at its offset; later offsets give later text."""
    if frame is None:
        return None
    return f"{frame.offset:019d}/{frame.appended_ms}/{frame.seq}/{frame.session}"


def ingest_commits(
    spans: Mapping[Partition, Span], tables: Mapping[str, pl.DataFrame], log: Log, ts_commit: datetime
) -> pl.DataFrame:
    """Return the rows of table `ingest_commits`: per partition the offsets [from, next), records, rows, dead letters."""
    rows, dead = _by_partition(tables, but=("dead_letters", "raw_frames")), _by_partition({"": tables["dead_letters"]})
    made = [
        (ts_commit, log.cluster_id, *at, span.start, span.next, span.records, rows.get(at, 0), dead.get(at, 0), log.commit,
         log.incarnations.get(at), _appended_us(span.last), identity(span.last))
        for at, span in spans.items()
    ]  # fmt: skip
    wanted = schema("ingest_commits")
    found = pl.DataFrame(made, schema={**wanted, "appended_last": pl.Int64()}, orient="row")
    return found.with_columns(pl.col("appended_last").cast(wanted["appended_last"]))


def _appended_us(frame: RawFrame | None) -> int | None:
    return frame.appended_ms * 1000 if frame is not None and frame.appended_ms else None


def _by_partition(tables: Mapping[str, pl.DataFrame], but: Sequence[str] = ()) -> dict[Partition, int]:
    counts: dict[Partition, int] = {}
    for name, table in tables.items():
        if name in but or table.is_empty():
            continue
        for topic, partition, count in table.group_by("kafka_topic", "kafka_partition").len().iter_rows():
            counts[(topic, partition)] = counts.get((topic, partition), 0) + count
    return counts
