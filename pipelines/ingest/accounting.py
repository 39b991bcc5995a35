"""Which frames a commit took in: the rows of `session_frames`."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import cast

import polars as pl

from collectors.envelope import RawFrame
from pipelines.columns.schemas import as_table
from pipelines.ingest.incarnation import Partition
from pipelines.reading.parse import DEAD, WITH_ROWS, WITHOUT_ROWS

BY = ("venue", "session", "transport", "kafka_topic", "kafka_partition")
Account = tuple[object, ...]
ACCOUNT: dict[str, pl.DataType] = {
    "venue": pl.String(), "session": pl.String(), "transport": pl.String(), "kafka_topic": pl.String(),
    "kafka_partition": pl.Int32(), "frames": pl.Int64(), "seq_min": pl.Int64(), "seq_max": pl.Int64(),
    "seq_sum": pl.Int64(), "recv_first": pl.Datetime("us"), "recv_last": pl.Datetime("us"),
    "frames_with_rows": pl.Int64(), "frames_without_rows": pl.Int64(), "frames_dead": pl.Int64(),
}  # fmt: skip


def accounts(
    frames: Sequence[RawFrame], outcomes: bytes | bytearray, partition: Partition | None = None
) -> list[Account]:
    """Return, per session and partition, ACCOUNT's values: how many frames there were, their numbers, what became of them.

    `partition`: that of all the frames, where they are of one.
    """
    rows: list[Account] = []
    for positions in _by_session(frames, of_one=partition is not None):
        whole = len(positions) == len(frames)
        mine = frames if whole else [frames[n] for n in positions]
        became = outcomes if whole else bytes([outcomes[n] for n in positions])
        first = mine[0]
        seqs = [frame.seq for frame in mine]
        recv_first, recv_last = _ends([frame.arrived_ns or frame.recv_ns for frame in mine])
        rows.append((
            first.venue, first.session, first.transport, first.topic, first.partition, len(mine), *_ends(seqs), sum(seqs),
            recv_first // 1000, recv_last // 1000,
            *(became.count(outcome) for outcome in (WITH_ROWS, WITHOUT_ROWS, DEAD)),
        ))  # fmt: skip
    return rows


def received_again(frames: Sequence[RawFrame]) -> list[Account]:
    """Return the accounts of records that are left out, as a frame with their number is stored already."""
    return []


def died(frames: Sequence[RawFrame], before: bytes, after: bytes | bytearray) -> list[Account]:
    """Return what makes accounts right of frames that were rejected after they were counted as giving rows."""
    found = {
        (frame.topic, frame.partition, frame.offset): (
            frame.venue, frame.session, frame.transport, frame.topic, frame.partition, 0, frame.seq, frame.seq, 0,
            frame.at_ns // 1000, frame.at_ns // 1000, -1, 0, 1,
        )
        for n, frame in enumerate(frames)
        if before[n] != DEAD == after[n]
    }  # fmt: skip
    return list(found.values())


def _ends(values: list[int]) -> tuple[int, int]:
    """Return the least and the greatest, sooner than min and max do; of 63 bits, as a record has them."""
    found = pl.Series(values, dtype=pl.Int64)
    return cast(int, found.min()), cast(int, found.max())


def _by_session(frames: Sequence[RawFrame], of_one: bool) -> Iterable[Sequence[int]]:
    """Return the positions of the frames of each session, topic and partition; a session has one venue and transport."""
    if not frames:
        return []
    if of_one and [frame.session for frame in frames].count(frames[0].session) == len(frames):
        return [range(len(frames))]
    sessions, topics = [frame.session for frame in frames], [frame.topic for frame in frames]
    partitions = [frame.partition for frame in frames]
    if len(set(sessions)) == len(set(topics)) == len(set(partitions)) == 1:
        return [range(len(frames))]
    found: dict[tuple[str, str, int], list[int]] = {}
    for position, key in enumerate(zip(sessions, topics, partitions, strict=True)):
        found.setdefault(key, []).append(position)
    return found.values()


def session_frames(accounts: Iterable[Account], ts_commit: datetime) -> pl.DataFrame:
    """Return the rows of table `session_frames` out of a commit's accounts."""
    summed = ("frames", "seq_sum", "frames_with_rows", "frames_without_rows", "frames_dead")
    found = (
        pl.DataFrame(accounts, schema=ACCOUNT, orient="row")
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
