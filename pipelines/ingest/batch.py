"""What has been read from Kafka and waits for one commit."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from collectors.envelope import RawFrame
from collectors.topics import EVENTS, REFERENCE
from pipelines.columns.contracts.instruments import Instruments
from pipelines.facts import Rejected
from pipelines.ingest.accounting import Account, accounts, received_again
from pipelines.ingest.books import ABOUT_CONTRACTS, Books
from pipelines.ingest.consume import Slice
from pipelines.ingest.endings import Endings
from pipelines.ingest.events import collector_events
from pipelines.ingest.grid import Bucket, Grid, Said
from pipelines.ingest.incarnation import Partition
from pipelines.ingest.marks import Marks
from pipelines.ingest.merge import cut_at, turn_ms
from pipelines.ingest.ready import Ready, in_turn, malformed, merged, of_buckets, spans_of
from pipelines.kept import NOT_KEPT, STATE_TOPICS
from pipelines.reading.blocks import parse_batch
from pipelines.reading.parse import DEAD, Facts, Parsed, parse_frames
from pipelines.venues import Held

BY_CONTRACTS = ("instruments", "leverage_tiers")


class Batch:
    """Collects slices; frames of events are kept as they are, frames of state go through the grid.

    `held`: what sessions hold; `ended`: sessions that had ended before, and when (UTC nanoseconds); `book`: the
    contracts known; `marks`: the frames that are stored, None: each frame counts as new. `heard`: partitions of which the
    records before an offset are for another ingest to store; here they only say what is known of contracts and sessions.
    """

    def __init__(
        self, grid_s: int, held: Held, keep_all_frames: bool, ended: Mapping[str, int] | None = None,
        book: Instruments | None = None, marks: Marks | None = None, heard: Mapping[Partition, float] | None = None,
    ) -> None:  # fmt: skip
        self._grid = Grid(grid_s, held, keep_all_frames, marks)
        self._not_kept = frozenset[str]() if keep_all_frames else NOT_KEPT
        self._held = held
        self._endings = Endings(held, ended)
        self._books = Books(Instruments() if book is None else book)  # one of margin tables alone is false
        self._marks = marks
        self._heard = dict(heard or {})
        self._held_of_others: Held = {}
        self._slices: list[Slice] = []
        self._lists: list[tuple[Slice, Parsed]] = []  # of contracts
        self._again: list[Account] = []
        self._closed: list[Bucket] = []
        self.frames = 0  # that a commit would take in; those of open buckets are not among them
        self.bytes = 0

    def add(self, slices: Iterable[Slice]) -> None:
        """Take what was read, in the order of its turns; what it says of state and of contracts is read at once."""
        slices = list(slices)
        self._endings.add(slices)
        said = self._hear(slices)
        heard = frozenset((each.frame.topic, each.frame.partition, each.frame.offset) for each in said)
        for found in self._own(slices):
            if found.partition[0] in STATE_TOPICS:
                said += self._grid.add(found)
                continue
            found = self._fresh(found)
            if found.partition[0] == REFERENCE:
                said += self._list(found)
            else:
                self._slices.append(found)
                self.frames += found.records
                self.bytes += sum([len(frame.payload) for frame in found.frames])
        self._reject(self._books.learn(said, heard))
        self.close_buckets(None if self._grid.full else 0)

    def _hear(self, slices: Sequence[Slice]) -> list[Said]:
        """Return what records that another ingest stores say of contracts."""
        heard = [
            frame
            for found in slices
            if found.partition in self._heard and found.partition[0] != EVENTS
            for frame in cut_at(found, self._heard[found.partition])[0].frames
        ]
        return _of_contracts(parse_frames(heard, self._held_of_others)) if heard else []

    def _own(self, slices: Sequence[Slice]) -> Iterator[Slice]:
        """Yield what is to be stored here."""
        for found in slices:
            own = cut_at(found, self._heard[found.partition])[1] if found.partition in self._heard else found
            if own.records or found.partition not in self._heard:
                yield own

    def _reject(self, unfit: list[tuple[Rejected, RawFrame]]) -> None:
        """Make lists that no table can hold dead letters."""
        for row, frame in unfit:
            for _, parsed in self._lists:
                if frame in parsed.frames:
                    position = parsed.frames.index(frame)
                    facts = parsed.facts.setdefault(Rejected, Facts([], []))
                    facts.rows.append(row)
                    facts.frames.append(position)
                    parsed.outcomes[position] = DEAD

    def _fresh(self, found: Slice) -> Slice:
        if (
            self._marks is None or found.partition[0] == EVENTS
        ):  # the number of an event is that of the frames before it
            return found
        frames, again = self._marks.fresh(found.frames)
        if not again:
            return found
        self._again += received_again(again)
        return found._replace(frames=list(frames), again=len(again), tail=found.last)

    def _list(self, found: Slice) -> list[Said]:
        parsed = parse_frames(found.frames, self._held)
        self._lists.append((found, parsed))
        return _of_contracts(parsed)

    def close_buckets(self, before_ms: int | None = None) -> None:
        """Close the buckets after which another began, or before whose end nothing more can come (turn, UTC ms), or all."""
        buckets = self._grid.close(before_ms)
        self._closed.extend(buckets)
        self.frames += sum(bucket.records for bucket in buckets)

    @property
    def book(self) -> Instruments:
        """The contracts as known after everything taken."""
        return self._books.newest

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits here at all."""
        return not (self._slices or self._closed or self._lists or self._grid.began_ms is not None)

    def __bool__(self) -> bool:
        return bool(self._slices or self._closed or self._due())

    def _due(self) -> int:
        """Return how many slices about contracts may be committed: those before which nothing is left to be committed."""
        began_ms = self._grid.began_ms
        if began_ms is None:
            return len(self._lists)
        turns = [max((turn_ms(frame) for frame in found.frames), default=0) for found, _ in self._lists]
        return next((n for n, turn in enumerate(turns) if turn >= began_ms), len(turns))

    def take(self) -> Ready:
        """Hand out everything that may be committed; buckets still open stay, and lists of contracts that came after."""
        self._endings.drop()
        due = self._due()
        lists, self._lists = self._lists[:due], self._lists[due:]
        slices, closed, taken = self._slices, self._closed, self._again
        self._slices, self._closed, self._again, self.frames, self.bytes = [], [], [], 0, 0
        frames = in_turn([found for found in slices if found.partition[0] != EVENTS])
        parsed = parse_batch(frames, self._held)
        told = [frame for found in slices if found.partition[0] == EVENTS for frame in found.frames]
        events, not_events = collector_events(told)
        taken += accounts(frames, parsed.outcomes)
        for _, each in lists:
            taken += accounts(each.frames, each.outcomes)
        for bucket in closed:
            taken += bucket.accounts
        of_lists = [each for _, each in lists]
        read = [*slices, *(found for found, _ in lists)]
        whole = merged([parsed, *of_lists, not_events, *malformed(read), *of_buckets(closed)])
        spans = spans_of(read, closed)
        return Ready(
            whole,
            self._books.split(whole),
            self._books.take({at: span.next for at, span in spans.items()}),
            events,
            self._kept(frames, of_lists, closed),
            taken,
            spans,
        )

    def _kept(self, frames: list[RawFrame], lists: list[Parsed], closed: list[Bucket]) -> list[RawFrame]:
        kept = [frame for frame in frames if frame.topic not in self._not_kept]
        for each in lists:
            kept.extend(each.frames)
        for bucket in closed:
            kept.extend(bucket.kept)
        return kept

    def forget(self, before_ms: int) -> None:
        """Forget the books of contracts that no frame to come needs: all of them have a turn from `before_ms` on."""
        began_ms = self._grid.began_ms
        self._books.forget(before_ms if began_ms is None else min(before_ms, began_ms))


def _of_contracts(parsed: Parsed) -> list[Said]:
    return [
        Said(row, parsed.frames[position])
        for kind in ABOUT_CONTRACTS
        if (facts := parsed.facts.get(kind))
        for row, position in zip(facts.rows, facts.frames, strict=True)
    ]
