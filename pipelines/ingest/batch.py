"""What has been read from Kafka and waits for one commit."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import polars as pl

from collectors.envelope import RawFrame
from collectors.topics import EVENTS, REFERENCE
from pipelines.columns.schemas import empty
from pipelines.contracts.instruments import Instruments
from pipelines.ingest.accounting import Account, accounts, died, ingest_commits, session_frames
from pipelines.ingest.consume import Partition, Slice
from pipelines.ingest.endings import Endings
from pipelines.ingest.events import collector_events
from pipelines.ingest.grid import NOT_KEPT, STATE_TOPICS, Bucket, Grid
from pipelines.normalise import Normalised, normalise, raw_frames
from pipelines.reading.blocks import parse_batch
from pipelines.reading.parse import Facts, Parsed
from pipelines.rows import Rejected
from pipelines.venues import Held


class Ready(NamedTuple):
    """One commit's worth: what was read, what collectors told, the frames to keep, their accounts, and per partition the
    offsets [from, next) and the count of records."""

    parsed: Parsed
    events: pl.DataFrame
    kept: list[RawFrame]
    accounts: list[Account]
    offsets: dict[Partition, tuple[int, int]]
    records: Counter[Partition]

    def tables(self, instruments: Instruments, cluster_id: str, grid_s: int) -> Normalised:
        """Return the rows of every table this commit writes, and the book of instruments after it."""
        accounts, told = self.accounts, bytes(self.parsed.outcomes)
        found = normalise(self.parsed, instruments, grid_s)
        if self.parsed.outcomes != told:
            accounts = accounts + died(self.parsed.frames, told, self.parsed.outcomes)
        ts_commit = datetime.now(UTC).replace(tzinfo=None)
        tables = {**found.tables, "collector_events": self.events}
        tables["raw_frames"] = raw_frames(Parsed(self.kept, {}, bytearray(), Counter()))
        tables["session_frames"] = session_frames(accounts, ts_commit) if accounts else empty("session_frames")
        tables["ingest_commits"] = ingest_commits(self.offsets, self.records, tables, cluster_id, ts_commit)
        return Normalised(tables, found.instruments)


class Batch:
    """Collects slices; frames of events are kept as they are, frames of state go through the grid.

    `held`: the state of Bybit's tickers; `ended`: sessions that had ended before, and when (UTC nanoseconds).
    """

    def __init__(self, grid_s: int, held: Held, keep_all_frames: bool, ended: Mapping[str, int] | None = None) -> None:
        self._grid = Grid(grid_s, held, keep_all_frames)
        self._not_kept = frozenset[str]() if keep_all_frames else NOT_KEPT
        self._held = held
        self._endings = Endings(held, ended)
        self._slices: list[Slice] = []
        self._closed: list[Bucket] = []
        self.frames = 0  # that a commit would take in; those of open buckets are not among them
        self.bytes = 0

    def add(self, slices: Iterable[Slice]) -> None:
        """Take what was read; what it says of state is read at once."""
        slices = list(slices)
        self._endings.add(slices)
        for found in slices:
            if found.partition[0] in STATE_TOPICS:
                self._close(self._grid.add(found))
            else:
                self._slices.append(found)
                self.frames += len(found.frames) + len(found.malformed)
                self.bytes += sum(len(frame.payload) for frame in found.frames)

    def close_buckets(self, before_ns: int | None = None, of: Collection[Partition] | None = None) -> None:
        """Close the buckets (of these partitions, else of any) that ended before a time (UTC ns), or all of them."""
        self._close(self._grid.close(before_ns, of))

    def _close(self, buckets: list[Bucket]) -> None:
        self._closed.extend(buckets)
        self.frames += sum(bucket.records for bucket in buckets)

    def __bool__(self) -> bool:
        return bool(self._slices or self._closed)

    def take(self) -> Ready:
        """Hand out everything that may be committed; buckets still open stay."""
        self._endings.drop()
        slices, closed = self._slices, self._closed
        self._slices, self._closed, self.frames, self.bytes = [], [], 0, 0
        # contracts before what is counted in them
        slices.sort(key=lambda found: found.partition[0] != REFERENCE)
        frames = [frame for found in slices if found.partition[0] != EVENTS for frame in found.frames]
        told = [frame for found in slices if found.partition[0] == EVENTS for frame in found.frames]
        parsed = parse_batch(frames, self._held)
        events, not_events = collector_events(told)
        return Ready(
            merged([parsed, not_events, *_malformed(slices), *(bucket.facts() for bucket in closed)]),
            events,
            [frame for frame in frames if frame.topic not in self._not_kept]
            + [frame for bucket in closed for frame in bucket.kept],
            accounts(frames, parsed.outcomes) + [account for bucket in closed for account in bucket.accounts],
            _offsets([*slices, *closed]),
            _records(slices, closed),
        )


def merged(parts: Sequence[Parsed]) -> Parsed:
    """Return the facts of several batches as of one."""
    parts = [part for part in parts if part.frames] or list(parts[:1])
    if len(parts) == 1:
        return parts[0]
    frames: list[RawFrame] = []
    facts: dict[type, Facts] = {}
    outcomes, reasons = bytearray(), Counter[str]()
    for part in parts:
        for kind, found in part.facts.items():
            whole = facts.setdefault(kind, Facts([], []))
            whole.rows.extend(found.rows)
            whole.frames.extend(position + len(frames) for position in found.frames)
            whole.blocks.extend(block.with_columns(pl.col("frame") + len(frames)) for block in found.blocks)
        frames.extend(part.frames)
        outcomes.extend(part.outcomes)
        reasons.update(part.reasons)
    return Parsed(frames, facts, outcomes, reasons)


def _malformed(slices: Iterable[Slice]) -> list[Parsed]:
    """Return the records that are no raw records, as dead letters."""
    found = [each for part in slices for each in part.malformed]
    facts = Facts([Rejected(each.reason) for each in found], list(range(len(found))))
    return (
        [Parsed([each.frame for each in found], {Rejected: facts}, bytearray(len(found)), Counter())] if found else []
    )


def _offsets(parts: Iterable[Slice | Bucket]) -> dict[Partition, tuple[int, int]]:
    spans: dict[Partition, tuple[int, int]] = {}
    for part in parts:
        start, end = spans.get(part.partition, (part.start, part.next))
        spans[part.partition] = (min(start, part.start), max(end, part.next))
    return spans


def _records(slices: Iterable[Slice], closed: Iterable[Bucket]) -> Counter[Partition]:
    counts: Counter[Partition] = Counter()
    for found in slices:
        counts[found.partition] += len(found.frames) + len(found.malformed)
    for bucket in closed:
        counts[bucket.partition] += bucket.records
    return counts
