"""State on a time grid: of funding, open interest and mark prices only the last value of each bucket is kept.

The frames of a state topic are read as they come, but a partition's rows and offsets are committed only up to the end of a
bucket: which rows are stored then depends on the frames alone, not on when a batch or a crash happened to cut them. After
a crash the open bucket is read again. A bucket is one of arrival times (by the broker's clock) in one partition.
"""

from collections import Counter
from collections.abc import Collection, Iterator

from collectors.envelope import RawFrame
from collectors.topics import FUNDING, KLINE, OPEN_INTEREST, TICKER
from pipelines.ingest.accounting import Account, accounts
from pipelines.ingest.consume import Partition, Slice
from pipelines.reading.latest import parse_latest
from pipelines.reading.parse import Facts, Parsed
from pipelines.rows import FundingRate, MarkPrice, Nothing, OpenInterest, Rejected, Row
from pipelines.venues import Held

STATE_TOPICS = frozenset((TICKER, FUNDING, OPEN_INTEREST))
NOT_KEPT = frozenset((TICKER, KLINE))
"""Topics whose frames are too many for `raw_frames`; all they say is in rows."""
STATE = (FundingRate, OpenInterest, MarkPrice)
MOST_ROWS = 50_000
MOST_IN_RUN = 10_000
GRACE_S = 2.0


class Bucket:
    """One partition's frames of one bucket: offsets [start, next), the last state, and everything that is not state."""

    def __init__(self, partition: Partition, start: int, number: int, keep_frames: bool) -> None:
        self.partition = partition
        self.start = self.next = start
        self.number = number
        self.kept: list[RawFrame] = []
        self.accounts: list[Account] = []
        self.records = 0
        self.reasons: Counter[str] = Counter()
        self._keep_frames = keep_frames
        self._last: dict[tuple[type[Row], str, str, str], tuple[Row, RawFrame]] = {}
        self._whole: list[tuple[Row, RawFrame]] = []

    @property
    def full(self) -> bool:
        """Whether it holds so much (history, not state) that it is closed before its time."""
        return len(self._whole) + len(self.kept) >= MOST_ROWS

    def take(self, frames: list[RawFrame], held: Held) -> None:
        """Read frames and keep what they say; `held` is the state of Bybit tickers."""
        parsed = parse_latest(frames, held)
        for kind, facts in parsed.facts.items():
            if kind is Nothing:
                continue
            pairs = zip(facts.rows, (frames[position] for position in facts.frames), strict=True)
            if kind in STATE:
                self._take_state(kind, pairs)
            else:
                self._whole.extend(pairs)
        self.reasons.update(parsed.reasons)
        self.accounts.extend(accounts(frames, parsed.outcomes, self.partition))
        self.records += len(frames)
        if self._keep_frames:
            self.kept.extend(frames)

    def take_malformed(self, frame: RawFrame, reason: str) -> None:
        """Keep a record that is no raw record, as a dead letter."""
        self._whole.append((Rejected(reason), frame))
        self.records += 1

    def facts(self) -> Parsed:
        """Return what is kept, each row with its frame."""
        frames: list[RawFrame] = []
        facts: dict[type[Row], Facts] = {}
        for row, frame in (*self._last.values(), *self._whole):
            found = facts.setdefault(type(row), Facts([], []))
            found.rows.append(row)
            found.frames.append(len(frames))
            frames.append(frame)
        return Parsed(frames, facts, bytearray(len(frames)), self.reasons)

    def _take_state(self, kind: type[Row], pairs: Iterator[tuple[Row, RawFrame]]) -> None:
        last = self._last
        for row, frame in pairs:
            if getattr(row, "period", None) is not None:
                self._whole.append((row, frame))
            else:
                last[(kind, frame.venue, frame.channel, row.symbol)] = (row, frame)  # type: ignore[attr-defined]


class Grid:
    """The open bucket of every state partition."""

    def __init__(self, bucket_s: int, held: Held, keep_all_frames: bool) -> None:
        self._bucket_ns = bucket_s * 1_000_000_000
        self._held = held
        self._keep_all_frames = keep_all_frames
        self._open: dict[Partition, Bucket] = {}

    def add(self, found: Slice) -> list[Bucket]:
        """Read a slice and return the buckets it closed, in order."""
        closed: list[Bucket] = []
        bucket = self._open.pop(found.partition, None) or self._new(found.partition, found.start, -1)
        for number, run in self._runs(found.frames, bucket.number):
            if bucket.records and (number > bucket.number or bucket.full):
                bucket.next = run[0].offset
                closed.append(bucket)
                bucket = self._new(found.partition, bucket.next, number)
            bucket.number = number
            bucket.take(run, self._held)
        for malformed in found.malformed:
            bucket.take_malformed(*malformed)
        bucket.next = found.next
        self._open[found.partition] = bucket
        return closed

    def close(self, before_ns: int | None = None, of: Collection[Partition] | None = None) -> list[Bucket]:
        """Take out the buckets (of these partitions, else of any) that ended before a time (UTC ns), or all of them."""
        ended = [
            at
            for at, bucket in self._open.items()
            if (of is None or at in of) and (before_ns is None or (bucket.number + 1) * self._bucket_ns <= before_ns)
        ]
        return [self._open.pop(at) for at in ended]

    def _runs(self, frames: list[RawFrame], number: int) -> Iterator[tuple[int, list[RawFrame]]]:
        """Cut frames where a later bucket begins; one that came late belongs to the bucket that is open."""
        run: list[RawFrame] = []
        for frame in frames:
            if (later := frame.at_ns // self._bucket_ns) > number or len(run) >= MOST_IN_RUN:
                if run:
                    yield number, run
                number, run = max(number, later), []
            run.append(frame)
        if run:
            yield number, run

    def _new(self, partition: Partition, start: int, number: int) -> Bucket:
        return Bucket(partition, start, number, self._keep_all_frames or partition[0] not in NOT_KEPT)
