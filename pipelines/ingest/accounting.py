"""Which frames a commit took in: the rows of `session_frames`."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import polars as pl

from collectors.envelope import RawFrame
from pipelines.columns.schemas import as_table
from pipelines.ingest.incarnation import Partition
from pipelines.reading.parse import DEAD, WITH_ROWS, WITHOUT_ROWS
from warehouse.runs import PACKED, RUNS, of_numbers, packed

BY = ("venue", "session", "transport", "feed", "source", "kafka_topic", "kafka_partition")
COUNTS = ("frames", "frames_with_rows", "frames_without_rows", "frames_dead", "received_again")
ACCOUNT: dict[str, pl.DataType] = {
    **dict.fromkeys(BY, pl.String()), "kafka_partition": pl.Int32(), **dict.fromkeys(COUNTS, pl.Int64()),
    "seq_min": pl.Int64(), "seq_max": pl.Int64(),
    "recv_first": pl.Datetime("us"), "recv_last": pl.Datetime("us"),
}  # fmt: skip


class Account(NamedTuple):
    """Frames of one session and partition: `row` has ACCOUNT's values; of the frames that are stored, `seqs` the numbers and
    `arrived` when each arrived (UTC microseconds since 1970)."""

    row: tuple[object, ...]
    seqs: pl.Series
    arrived: pl.Series

    @property
    def session(self) -> str:
        """The session that the frames came by."""
        return str(self.row[1])


def accounts(
    frames: Sequence[RawFrame], outcomes: bytes | bytearray, partition: Partition | None = None
) -> list[Account]:
    """Return, per session and partition, how many frames there were, their numbers, what became of them.

    `partition`: that of all the frames, where they are of one.
    """
    found: list[Account] = []
    for positions in _by_session(frames, of_one=partition is not None):
        whole = len(positions) == len(frames)
        mine = frames if whole else [frames[n] for n in positions]
        became = outcomes if whole else bytes([outcomes[n] for n in positions])
        counts = len(mine), *(became.count(outcome) for outcome in (WITH_ROWS, WITHOUT_ROWS, DEAD)), 0
        found.append(_account(mine, counts))
    return found


def received_again(frames: Sequence[RawFrame]) -> list[Account]:
    """Return the accounts of records that are left out, as a frame with their number is stored already."""
    return [
        _account(mine, (0, 0, 0, 0, len(mine)), stored=False)
        for positions in _by_session(frames, of_one=False)
        if (mine := [frames[n] for n in positions])
    ]


def died(frames: Sequence[RawFrame], before: bytes, after: bytes | bytearray) -> list[Account]:
    """Return what makes accounts right of frames that were rejected after they were counted as giving rows."""
    found = {
        (frame.topic, frame.partition, frame.offset): _account([frame], (0, -1, 0, 1, 0), stored=False)
        for n, frame in enumerate(frames)
        if before[n] != DEAD == after[n]
    }
    return list(found.values())


def _account(frames: Sequence[RawFrame], counts: tuple[int, ...], stored: bool = True) -> Account:
    """Return the account of frames of one session and partition; `counts` as COUNTS."""
    first = frames[0]
    seqs = pl.Series("seqs", [frame.seq for frame in frames], dtype=pl.Int64)
    arrived = pl.Series("arrived", [frame.arrived_ns or frame.recv_ns for frame in frames], dtype=pl.Int64) // 1000
    row = (
        first.venue, first.session, first.transport, first.feed, first.source, first.topic, first.partition, *counts,
        seqs.min(), seqs.max(), arrived.min(), arrived.max(),
    )  # fmt: skip
    return Account(row, seqs if stored else seqs.clear(), arrived if stored else arrived.clear())


def _by_session(frames: Sequence[RawFrame], of_one: bool) -> Iterable[Sequence[int]]:
    """Return the positions of the frames of each session, topic and partition; a session has one venue, feed and so on."""
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


def session_frames(accounts: Sequence[Account], ts_commit: datetime) -> pl.DataFrame:
    """Return the rows of table `session_frames` out of a commit's accounts; the first row of each session has its runs."""
    found = (
        pl.DataFrame([account.row for account in accounts], schema=ACCOUNT, orient="row")
        .group_by(BY, maintain_order=True)
        .agg(
            *(pl.col(name).sum() for name in COUNTS),
            *(pl.col(name).min() for name in ("seq_min", "recv_first")),
            *(pl.col(name).max() for name in ("seq_max", "recv_last")),
        )
        .with_columns(
            seq_sum=pl.lit(None, pl.Int64), ts_commit=pl.lit(ts_commit, pl.Datetime("us")),
            first_of_session=pl.col("session").is_first_distinct(),
        )
        .join(packed(_runs(accounts)), on="session", how="left", maintain_order="left")
        .with_columns(pl.when("first_of_session").then(name).alias(name) for name in PACKED)
    )  # fmt: skip
    return as_table(found, "session_frames")


def _runs(accounts: Sequence[Account]) -> pl.DataFrame:
    """Return the runs of each session's numbers."""
    own: dict[str, list[Account]] = {}
    for account in accounts:
        if len(account.seqs):
            own.setdefault(account.session, []).append(account)
    found = [
        of_numbers(session, pl.concat(each.seqs for each in mine), pl.concat(each.arrived for each in mine))
        for session, mine in own.items()
    ]
    return pl.concat([pl.DataFrame(schema={"session": pl.String(), **RUNS}), *found])
