"""State on a time grid: of funding, open interest and mark prices only the last value of each bucket is kept.

The frames of a state topic are read as they come, but a partition's rows and offsets are committed only up to the end of a
bucket. A bucket has the consecutive records that the broker took in one stretch of the grid, so which rows are stored
depends on the log alone: not on how far behind ingest is, on when a batch or a crash cut the frames, or on any collector's
clock. After a crash the open bucket is read again. Frames that waited long before they reached Kafka count for the bucket
they arrived in; a bucket that has them gives a row for each of those. The last value is the one that happened last by the
exchange's clock. Frames of files have buckets of their own times: when they were imported says nothing of them.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from collectors.envelope import MS_NS, RawFrame
from pipelines.columns.grid import LATE_NS, arrival_bucket, bucket_of
from pipelines.facts import FundingRate, MarkPrice, Nothing, OpenInterest, Rejected, Row
from pipelines.ingest.accounting import Account, accounts, received_again
from pipelines.ingest.consume import Slice
from pipelines.ingest.incarnation import Partition
from pipelines.ingest.marks import Marks
from pipelines.ingest.merge import turn_ms
from pipelines.kept import NOT_KEPT
from pipelines.reading.latest import parse_latest
from pipelines.reading.parse import parse_frames
from pipelines.venues import Held

STATE = (FundingRate, OpenInterest, MarkPrice)
MOST_ROWS = 50_000
MOST_IN_RUN = 10_000
IMPORT = "import"


class Said(NamedTuple):
    """A fact and the frame it came in."""

    row: Row
    frame: RawFrame


class Bucket:
    """One partition's records of one bucket: offsets [start, next), the last state, and everything that is not state."""

    def __init__(self, partition: Partition, start: int, number: int, bucket_s: int, keep_frames: bool) -> None:
        self.partition = partition
        self.start = self.next = start
        self.number = number
        self.began_ms = 0  # turn of the first record
        self.last: RawFrame | None = None
        self.kept: list[RawFrame] = []
        self.accounts: list[Account] = []
        self.records = 0
        self.reasons: Counter[str] = Counter()
        self._bucket_ns = bucket_s * 1_000_000_000
        self._keep_frames = keep_frames
        self._state: dict[tuple[type[Row], str, str, str, int], Said] = {}
        self._of_files: dict[tuple[type[Row], str, str, str, int], Said] = {}
        self._whole: list[Said] = []

    @property
    def full(self) -> bool:
        """Whether it has so much (history, not state) that it is closed before its time."""
        return len(self._whole) + len(self.kept) + len(self._of_files) >= MOST_ROWS

    def take(self, frames: Sequence[RawFrame], held: Held, marks: Marks | None = None) -> list[Said]:
        """Read frames and keep what they say that is new; return that of it that is not state.

        `held`: what sessions hold; `marks`: what is stored already.
        """
        self._began(frames[0])
        self.last, self.next = frames[-1], frames[-1].offset + 1
        self.records += len(frames)
        if marks is not None:
            frames, again = marks.fresh(frames)
            if again:
                self.accounts.extend(received_again(again))
        before = len(self._whole)
        for number, part in self._parts(frames):
            self._read(part, number, held)
        if self._keep_frames:
            self.kept.extend(frames)
        return self._whole[before:]

    def take_malformed(self, frame: RawFrame, reason: str) -> None:
        """Keep a record that is no raw record, as a dead letter."""
        self._began(frame)
        self._whole.append(Said(Rejected(reason), frame))
        self.records += 1
        if self.last is None or frame.offset > self.last.offset:
            self.last, self.next = frame, frame.offset + 1

    def said(self) -> Iterator[Said]:
        """Yield what is kept, each row with its frame."""
        yield from self._state.values()
        yield from self._of_files.values()
        yield from self._whole

    def _began(self, frame: RawFrame) -> None:
        if not self.records:
            self.began_ms = turn_ms(frame)

    def _parts(self, frames: Sequence[RawFrame]) -> Iterable[tuple[int, Sequence[RawFrame]]]:
        """Yield the frames of each arrival bucket, in order; mostly all are of one."""
        if not frames:
            return []
        arrived = [frame.arrived_ns or frame.recv_ns for frame in frames]
        if frames[0].appended_ms and min(arrived) + LATE_NS >= self.number * self._bucket_ns:
            return [(self.number, frames)]
        numbers = [arrival_bucket(frame, self._bucket_ns) for frame in frames]
        parts: dict[int, list[RawFrame]] = {}
        newest: dict[str, int] = {}
        for number, frame in zip(numbers, frames, strict=True):
            if newest.setdefault(frame.session, number) > number:
                return [(number, [frame]) for number, frame in zip(numbers, frames, strict=True)]
            newest[frame.session] = number
            parts.setdefault(number, []).append(frame)
        return sorted(parts.items())  # a session's frames stay in their order

    def _read(self, frames: Sequence[RawFrame], number: int, held: Held) -> None:
        of_files = any(frame.source == IMPORT for frame in frames)
        parsed = parse_frames(frames, held) if of_files else parse_latest(frames, held)
        for kind, facts in parsed.facts.items():
            if kind is Nothing:
                continue
            pairs = [Said(row, frames[position]) for row, position in zip(facts.rows, facts.frames, strict=True)]
            if kind in STATE:
                self._take_state(kind, pairs, number)
            else:
                self._whole.extend(pairs)
        self.reasons.update(parsed.reasons)
        self.accounts.extend(accounts(frames, parsed.outcomes, self.partition))

    def _take_state(self, kind: type[Row], pairs: list[Said], number: int) -> None:
        bucket_ms = self._bucket_ns // MS_NS
        for said in pairs:
            row, frame = said
            state = self._state
            if getattr(row, "period", None) is not None:
                self._whole.append(said)
                continue
            of = number
            if frame.source == IMPORT:
                state, of = self._of_files, row.ts_event // bucket_ms  # type: ignore[attr-defined]
            key = (kind, frame.venue, frame.channel, row.symbol, of)  # type: ignore[attr-defined]
            before = state.get(key)
            if before is None or row.ts_event >= before.row.ts_event:  # type: ignore[attr-defined]
                state[key] = said


class Grid:
    """The buckets of every state partition that are not closed, in order."""

    def __init__(self, bucket_s: int, held: Held, keep_all_frames: bool, marks: Marks | None = None) -> None:
        self._bucket_s = bucket_s
        self._held = held
        self._keep_all_frames = keep_all_frames
        self._marks = marks
        self._open: dict[Partition, list[Bucket]] = {}

    def add(self, found: Slice) -> list[Said]:
        """Read a slice; return what it says that is not state."""
        said: list[Said] = []
        buckets = self._open.setdefault(found.partition, [])
        for number, run in self._runs(found.frames, buckets[-1].number if buckets else -1):
            said += self._bucket(buckets, found, run[0].offset, number).take(run, self._held, self._marks)
        for malformed in found.malformed:
            number = buckets[-1].number if buckets else bucket_of(malformed.frame, self._bucket_ns)
            self._bucket(buckets, found, found.start, number).take_malformed(*malformed)
        buckets[-1].next = found.next
        return said

    def close(self, before_ms: int | None = None) -> list[Bucket]:
        """Take out the buckets before which nothing more can come (turn, UTC ms), or all of them."""
        closed: list[Bucket] = []
        for at, buckets in list(self._open.items()):
            while buckets and (before_ms is None or len(buckets) > 1 or self._end_ms(buckets[0]) <= before_ms):
                closed.append(buckets.pop(0))
            if not buckets:
                del self._open[at]
        return closed

    @property
    def full(self) -> bool:
        """Whether a bucket has more than is kept in memory."""
        return any(bucket.full for buckets in self._open.values() for bucket in buckets)

    @property
    def began_ms(self) -> int | None:
        """The turn of the first record that is not committed; None where there is none."""
        return min((buckets[0].began_ms for buckets in self._open.values()), default=None)

    @property
    def _bucket_ns(self) -> int:
        return self._bucket_s * 1_000_000_000

    def _end_ms(self, bucket: Bucket) -> int:
        return (bucket.number + 1) * self._bucket_s * 1000

    def _bucket(self, buckets: list[Bucket], found: Slice, start: int, number: int) -> Bucket:
        """Return the bucket of this number, which may follow the last one; the offsets between belong to the one before."""
        if not buckets or buckets[-1].number != number:
            if buckets:
                buckets[-1].next = start
            kept = self._keep_all_frames or found.partition[0] not in NOT_KEPT
            buckets.append(Bucket(found.partition, start if buckets else found.start, number, self._bucket_s, kept))
        return buckets[-1]

    def _runs(self, frames: list[RawFrame], number: int) -> Iterator[tuple[int, list[RawFrame]]]:
        """Cut frames where another bucket begins, and at MOST_IN_RUN."""
        run: list[RawFrame] = []
        bucket_ms, last_ms = self._bucket_s * 1000, -1
        for frame in frames:
            if (ms := frame.appended_ms) != last_ms or not ms:
                last_ms = ms
                # where the sender's clock stamps the records, one that is late belongs to the bucket that is open
                other = ms // bucket_ms if ms else max(number, frame.at_ns // MS_NS // bucket_ms)
                if other != number or len(run) >= MOST_IN_RUN:
                    if run:
                        yield number, run
                    number, run = other, []
            elif len(run) >= MOST_IN_RUN:
                yield number, run
                run = []
            run.append(frame)
        if run:
            yield number, run
