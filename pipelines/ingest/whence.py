"""Where to go on in each log: from the last commit, as far as the log is still the one that commit was read from.

A topic made anew, a log that lost its tail with a broker's power, and one that retention has emptied past the last commit
are each told by an event, `log_changed`, with the time of which nothing may be known. What is read again is skipped by
number (marks.py), so reading too early stores nothing twice; reading too late would skip records.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import NamedTuple

import msgspec
import polars as pl
from aiokafka.errors import KafkaError

from collectors.envelope import MS_NS, RawFrame
from pipelines.columns.schemas import schema
from pipelines.ingest.commits import Span, identity
from pipelines.ingest.consume import Source
from pipelines.ingest.incarnation import Partition, Standing

ANEW, LOST_TAIL, OVERTAKEN = "the topic was made anew", "the log lost its tail", "retention overtook ingest"
EVENT = "log_changed"
SESSION = "ingest"
PATIENCE_S = 30.0


class Committed(NamedTuple):
    """The last commit of one log: the offset to go on from, the last record before it, when the broker took that (UTC ms).

    `incarnation` None, `record` None: stored before they were kept.
    """

    offset: int
    incarnation: str | None
    record: str | None
    appended_ms: int | None


class Change(NamedTuple):
    """A log that is not as it was left. `lost`: how many records were never read, None where that is not known; times are
    the broker's (UTC nanoseconds): of the time between them something may be unknown. `before`: the record before `resumed`,
    by which the next start sees whether the log was cut again."""

    partition: Partition
    reason: str
    committed: int
    resumed: int
    lost: int | None
    since_ns: int | None
    until_ns: int
    before: RawFrame | None

    def __str__(self) -> str:
        topic, partition = self.partition
        lost = "" if self.lost is None else f" by {self.lost:,} records, which were never read"
        return f"{topic}[{partition}]: {self.reason}{lost}; committed up to {self.committed}, reading on from {self.resumed}"


class Whence(NamedTuple):
    """Per partition the offset to read from and the log it is of, and what has changed."""

    offsets: dict[Partition, int]
    incarnations: dict[Partition, str]
    changes: list[Change]

    def of(self, own: Collection[Partition]) -> "Whence":
        """Return it with the changes of these partitions alone."""
        return self._replace(changes=[change for change in self.changes if change.partition in own])


Earlier = Callable[[Partition, str], Awaitable[Sequence[tuple[int, str]]]]
"""Gives the commits of one log, latest first: offset_next and last record."""


async def whence(records: Source, committed: Mapping[Partition, Sequence[Committed]], earlier: Earlier) -> Whence:
    """Say where to go on. `committed`: the last commit of every log that a partition has had, latest last.

    Raises KafkaError where Kafka does not answer, LogChangedError where a topic is gone.
    """
    standings, starts, ends = await _asked(records)
    found = Whence({}, {}, [])
    for at, standing in standings.items():
        log = _Log(records, at, standing, starts[at], ends[at])
        offset, incarnation, change = await log.go_on(committed.get(at, ()), earlier)
        found.offsets[at], found.incarnations[at] = offset, incarnation
        if change is not None:
            found.changes.append(change)
    return found


async def _asked(records: Source) -> tuple[dict[Partition, Standing], dict[Partition, int], dict[Partition, int]]:
    """Return what every partition is, its first offset and its end; right after a start not every leader knows at once."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            return await records.standings(), await records.starts(), await records.ends()
        except KafkaError:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.1)


class _Log:
    def __init__(self, records: Source, at: Partition, standing: Standing, start: int, end: int) -> None:
        self._records = records
        self._at = at
        self._topic_id = standing.topic_id
        self._start = start
        self._end = end

    async def go_on(self, committed: Sequence[Committed], earlier: Earlier) -> tuple[int, str, Change | None]:
        if not committed:
            return self._start, self._named(0), None
        own = [each for each in committed if self._is_of(each)]
        last = max(own, key=_number, default=None)
        if last is None:
            return self._start, self._named(0), await self._change(ANEW, committed[-1], self._start)
        incarnation = last.incarnation or self._named(0)
        if last.offset < self._start:
            change = await self._change(OVERTAKEN, last, self._start, self._start - last.offset)
            return self._start, incarnation, change
        if last.offset <= self._end and await self._has(last.offset, last.record):
            return last.offset, incarnation, None
        offset = await self._latest(await earlier(self._at, incarnation)) if last.incarnation else self._start
        return offset, _next(incarnation), await self._change(LOST_TAIL, last, offset)

    def _named(self, number: int) -> str:
        return f"{self._topic_id}/{number}"

    def _is_of(self, committed: Committed) -> bool:
        """Tell whether a commit is of this topic; where ids are not known it is taken to be."""
        topic_id = (committed.incarnation or "").partition("/")[0]
        return not topic_id or not self._topic_id or topic_id == self._topic_id

    async def _has(self, offset: int, record: str | None) -> bool:
        """Tell whether the log still has the record before an offset; where retention has taken it, nothing says no."""
        if record is None or offset <= self._start:
            return offset >= self._start
        return offset <= self._end and identity(await self._records.record_at(self._at, offset - 1)) == record

    async def _latest(self, commits: Sequence[tuple[int, str]]) -> int:
        """Return the offset of the latest commit whose last record the log still has, looking back further and further."""
        first, n, step = 0, 0, 1  # what lies from `first` to n was not looked at
        while n < len(commits) and not (commits[n][0] >= self._start and await self._has(*commits[n])):
            first, n, step = n + 1, min(n + step, max(n + 1, len(commits) - 1)), step * 2
        for offset, record in commits[first:n]:
            if await self._has(offset, record):
                return offset
        return commits[n][0] if n < len(commits) else self._start

    async def _change(self, reason: str, last: Committed, resumed: int, lost: int | None = None) -> Change:
        since_ms = last.appended_ms
        first = await self._first_after(since_ms if reason == LOST_TAIL and since_ms else 0, resumed)
        until_ns = first.appended_ms * MS_NS if first is not None and first.appended_ms else time.time_ns()
        since_ns = None if since_ms is None else since_ms * MS_NS
        before = await self._records.record_at(self._at, resumed - 1) if resumed > self._start else None
        return Change(self._at, reason, last.offset, resumed, lost, since_ns, until_ns, before)

    async def _first_after(self, at_ms: int, start: int) -> RawFrame | None:
        """Return the first record from an offset on that the broker took after a time; None where there is none yet."""
        first, end, found = start, self._end, None
        while first < end:
            middle = (first + end) // 2 if at_ms else first  # of any time: the first there is
            record = await self._records.record_at(self._at, middle)
            if record is None or not at_ms or record.appended_ms > at_ms:
                end, found = middle, record
            else:
                first = middle + 1
        return found


def _next(incarnation: str) -> str:
    topic_id, _, number = incarnation.partition("/")
    return f"{topic_id}/{int(number) + 1}"


def _number(committed: Committed) -> int:
    """Return how often the log had lost records; of commits that do not name their log -1."""
    return -1 if committed.incarnation is None else int(committed.incarnation.partition("/")[2])


def told(found: Whence) -> pl.DataFrame:
    """Return the rows of `collector_events` that tell what has changed."""
    now_ns = time.time_ns()
    rows = []
    for n, change in enumerate(found.changes):
        topic, partition = change.partition
        detail = {
            "topic": topic, "partition": partition, "committed": change.committed, "resumed": change.resumed,
            "lost": change.lost, "since_ns": change.since_ns, "until_ns": change.until_ns,
        }  # fmt: skip
        rows.append((
            now_ns // 1000, "", SESSION, "kafka", EVENT, str(change), 0, msgspec.json.encode(detail).decode(),
            topic, partition, change.resumed, now_ns + n, SESSION, "live",
        ))  # fmt: skip
    types = schema("collector_events")
    table = pl.DataFrame(rows, schema={**types, "ts": pl.Int64()}, orient="row")
    return table.with_columns(pl.col("ts").cast(types["ts"]))


def begun(found: Whence) -> dict[Partition, Span]:
    """Return the spans, of no records, that say from where the changed logs are read."""
    return {change.partition: Span(change.resumed, change.resumed, 0, change.before) for change in found.changes}
