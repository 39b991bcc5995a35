"""What one commit takes in, and the rows it becomes."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import NamedTuple

import polars as pl

from collectors.envelope import RawFrame
from pipelines.columns.contracts.instruments import Instruments
from pipelines.columns.normalise import normalise, raw_frames
from pipelines.columns.schemas import empty
from pipelines.facts import Rejected, Row
from pipelines.ingest.accounting import Account, died, session_frames
from pipelines.ingest.books import ABOUT_CONTRACTS
from pipelines.ingest.commits import Log, Span, ingest_commits
from pipelines.ingest.consume import Slice
from pipelines.ingest.grid import Bucket
from pipelines.ingest.incarnation import Partition
from pipelines.ingest.merge import turn_ms
from pipelines.reading.parse import Facts, Parsed

BY_CONTRACTS = ("instruments", "leverage_tiers")


class Ready(NamedTuple):
    """One commit's worth: what was read, in parts with the contracts known then, what frames said of contracts, what
    collectors told, the frames to keep, the accounts, and what was taken in of each partition."""

    parsed: Parsed
    parts: list[tuple[Instruments, Parsed]]
    contracts: tuple[pl.DataFrame, pl.DataFrame]
    events: pl.DataFrame
    kept: list[RawFrame]
    accounts: list[Account]
    spans: dict[Partition, Span]

    @property
    def records(self) -> int:
        """How many records were taken in."""
        return sum(span.records for span in self.spans.values())

    def tables(self, log: Log, grid_s: int) -> dict[str, pl.DataFrame]:
        """Return the rows of every table this commit writes."""
        accounts, found = list(self.accounts), list[dict[str, pl.DataFrame]]()
        for book, part in self.parts:
            told = bytes(part.outcomes)
            for kind in ABOUT_CONTRACTS:  # their rows are among `contracts`
                part.facts.pop(kind, None)
            found.append(normalise(part, book, grid_s).tables)
            if part.outcomes != told:
                accounts += died(part.frames, told, part.outcomes)
        tables = {name: pl.concat([each[name] for each in found]) for name in found[0]}
        tables |= dict(zip(BY_CONTRACTS, self.contracts, strict=True))
        ts_commit = datetime.now(UTC).replace(tzinfo=None)
        tables["collector_events"] = self.events
        tables["raw_frames"] = raw_frames(Parsed(self.kept, {}, bytearray(), Counter()))
        tables["session_frames"] = session_frames(accounts, ts_commit) if accounts else empty("session_frames")
        tables["ingest_commits"] = ingest_commits(self.spans, tables, log, ts_commit)
        return tables


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


def in_turn(slices: Sequence[Slice]) -> list[RawFrame]:
    """Return the frames in the order the broker took them; of a topic that does not say it, in that of their arrival."""
    frames = [frame for found in slices for frame in found.frames]
    if len({found.partition for found in slices}) > 1:
        frames.sort(key=attrgetter("appended_ms") if all(frame.appended_ms for frame in frames) else turn_ms)
    return frames


def malformed(slices: Iterable[Slice]) -> list[Parsed]:
    """Return the records that are no raw records, as dead letters."""
    found = [each for part in slices for each in part.malformed]
    facts = Facts([Rejected(each.reason) for each in found], list(range(len(found))))
    return (
        [Parsed([each.frame for each in found], {Rejected: facts}, bytearray(len(found)), Counter())] if found else []
    )


def of_buckets(closed: Sequence[Bucket]) -> list[Parsed]:
    """Return what closed buckets keep, in the order the broker took their frames."""
    said = [each for bucket in closed for each in bucket.said()]
    said.sort(key=lambda each: (turn_ms(each.frame), each.frame.topic, each.frame.partition, each.frame.offset))
    facts: dict[type[Row], Facts] = {}
    for position, (row, _) in enumerate(said):
        found = facts.setdefault(type(row), Facts([], []))
        found.rows.append(row)
        found.frames.append(position)
    reasons = sum((bucket.reasons for bucket in closed), Counter[str]())
    return [Parsed([frame for _, frame in said], facts, bytearray(len(said)), reasons)] if closed else []


def spans_of(slices: Iterable[Slice], closed: Iterable[Bucket]) -> dict[Partition, Span]:
    spans: dict[Partition, Span] = {}
    parts: list[Slice | Bucket] = [*slices, *closed]
    for part in parts:
        own = Span(part.start, part.next, part.records, part.last)
        spans[part.partition] = spans[part.partition].joined(own) if part.partition in spans else own
    return spans
