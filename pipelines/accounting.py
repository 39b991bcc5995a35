"""Which frames a commit took in: the rows of `session_frames` and `ingest_commits`."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import polars as pl

from collectors.envelope import RawFrame
from pipelines.consume import Partition
from pipelines.parse import DEAD, WITH_ROWS, WITHOUT_ROWS
from pipelines.schemas import as_table, schema

BY = ("venue", "session", "transport", "kafka_topic", "kafka_partition")


def accounts(frames: Sequence[RawFrame], outcomes: bytes | bytearray) -> pl.DataFrame:
    """Return, per session and partition, how many frames there were, their numbers, and what became of them."""
    columns = pl.DataFrame(
        {
            "venue": [frame.venue for frame in frames],
            "session": [frame.session for frame in frames],
            "transport": [frame.transport for frame in frames],
            "kafka_topic": [frame.topic for frame in frames],
            "kafka_partition": pl.Series([frame.partition for frame in frames], dtype=pl.Int32),
            "seq": pl.Series([frame.seq for frame in frames], dtype=pl.Int64),
            "recv": pl.Series([frame.recv_ns for frame in frames], dtype=pl.Int64) // 1000,
            "outcome": pl.Series(list(outcomes), dtype=pl.UInt8),
        },
        schema_overrides=dict.fromkeys(("venue", "session", "transport", "kafka_topic"), pl.String),
    )
    received = pl.col("recv").cast(pl.Datetime("us"))
    return columns.group_by(BY, maintain_order=True).agg(
        frames=pl.len().cast(pl.Int64),
        seq_min=pl.col("seq").min(),
        seq_max=pl.col("seq").max(),
        seq_sum=pl.col("seq").sum(),
        recv_first=received.min(),
        recv_last=received.max(),
        frames_with_rows=_count(WITH_ROWS),
        frames_without_rows=_count(WITHOUT_ROWS),
        frames_dead=_count(DEAD),
    )


def session_frames(parts: Iterable[pl.DataFrame], ts_commit: datetime) -> pl.DataFrame:
    """Return the rows of table `session_frames` out of the accounts of a commit's parts."""
    summed = ("frames", "seq_sum", "frames_with_rows", "frames_without_rows", "frames_dead")
    found = (
        pl.concat(parts)
        .group_by(BY, maintain_order=True)
        .agg(
            *(pl.col(name).sum() for name in summed),
            pl.col("seq_min").min(),
            pl.col("seq_max").max(),
            pl.col("recv_first").min(),
            pl.col("recv_last").max(),
        )
        .with_columns(ts_commit=pl.lit(ts_commit, pl.Datetime("us")))
    )
    return as_table(found, "session_frames")


def ingest_commits(
    offsets: Mapping[Partition, tuple[int, int]],
    records: Mapping[Partition, int],
    tables: Mapping[str, pl.DataFrame],
    cluster_id: str,
    ts_commit: datetime,
) -> pl.DataFrame:
    """Return the rows of table `ingest_commits`: per partition the offsets [from, next), records, rows, dead letters."""
    rows, dead = _by_partition(tables, but=("dead_letters", "raw_frames")), _by_partition({"": tables["dead_letters"]})
    return pl.DataFrame(
        [
            (ts_commit, cluster_id, *at, *span, records.get(at, 0), rows.get(at, 0), dead.get(at, 0))
            for at, span in offsets.items()
        ],
        schema=schema("ingest_commits"),
        orient="row",
    )


def _count(outcome: int) -> pl.Expr:
    return (pl.col("outcome") == outcome).sum().cast(pl.Int64)


def _by_partition(tables: Mapping[str, pl.DataFrame], but: Sequence[str] = ()) -> dict[Partition, int]:
    counts: dict[Partition, int] = {}
    for name, table in tables.items():
        if name in but or table.is_empty():
            continue
        for topic, partition, count in table.group_by("kafka_topic", "kafka_partition").len().iter_rows():
            counts[(topic, partition)] = counts.get((topic, partition), 0) + count
    return counts
