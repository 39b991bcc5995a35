"""The book of contracts as it was when the broker took each frame, so that a row says of its contract what was known then.

What a frame says of contracts counts from its own turn on. The rows about contracts wait here until their frame is
committed, which is after everything that came before it: a restarted ingest then knows as much as it had known.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

import polars as pl

from collectors.envelope import RawFrame
from pipelines.columns import reference
from pipelines.columns.contracts.instruments import Instruments
from pipelines.columns.schemas import empty
from pipelines.columns.unfit import UNFIT
from pipelines.facts import FundingInterval, Instrument, LeverageTier, Rejected, Row
from pipelines.ingest.incarnation import Partition
from pipelines.ingest.merge import turn_ms
from pipelines.reading.parse import Facts, Parsed

_Rows = tuple[RawFrame, pl.DataFrame, pl.DataFrame]
ABOUT_CONTRACTS = (Instrument, FundingInterval, LeverageTier)


class Books:
    """The book of contracts, and each turn (UTC ms) at which it became another. `book`: what the warehouse knows."""

    def __init__(self, book: Instruments) -> None:
        self._since = [0]
        self._books = [book]
        self._rows: list[_Rows] = []

    @property
    def newest(self) -> Instruments:
        """The book after everything learned."""
        return self._books[-1]

    def learn(
        self, said: Iterable[tuple[Row, RawFrame]], heard: Collection[tuple[str, int, int]] = ()
    ) -> list[tuple[Rejected, RawFrame]]:
        """Take in what frames say of contracts; return what no table can hold, with its frame.

        Every frame's turn must be that of those learned before, or a later one. `heard`: the places of frames that another
        ingest stores, so that they give no rows here.
        """
        by_frame: dict[tuple[str, int, int], tuple[RawFrame, list[Row]]] = {}
        for row, frame in said:
            if isinstance(row, ABOUT_CONTRACTS):
                by_frame.setdefault((frame.topic, frame.partition, frame.offset), (frame, []))[1].append(row)
        unfit = []
        for frame, rows in sorted(by_frame.values(), key=lambda entry: (turn_ms(entry[0]), *_place(entry[0]))):
            try:
                self._learn(frame, rows, keep=_place(frame) not in heard)
            except UNFIT as error:
                why = " ".join(f"{type(error).__name__}: {error}".split())
                unfit.append((Rejected(f"no table can hold it: {why}"), frame))
        return unfit

    def _learn(self, frame: RawFrame, rows: list[Row], *, keep: bool) -> None:
        facts: dict[type[Row], Facts] = {}
        for row in rows:
            found = facts.setdefault(type(row), Facts([], []))
            found.rows.append(row)
            found.frames.append(0)
        parsed = Parsed([frame], facts, bytearray(1), Counter())
        before = self._books[-1]
        book, listed = reference.instruments(parsed, before)
        book, tiers = reference.leverage_tiers(parsed, book)
        if keep and (listed.height or tiers.height):
            self._rows.append((frame, listed, tiers))
        if book.resolves_as(before) or self._since[-1] >= turn_ms(frame):
            self._books[-1] = book
        else:
            self._since.append(turn_ms(frame))
            self._books.append(book)

    def split(self, parsed: Parsed) -> list[tuple[Instruments, Parsed]]:
        """Return a batch's facts in parts, each with the book that was known when its frames came."""
        if len(self._since) == 1 or not parsed.frames:
            return [(self._books[-1], parsed)]
        numbers = [bisect_right(self._since, turn_ms(frame)) - 1 for frame in parsed.frames]
        if numbers.count(numbers[0]) == len(numbers):
            return [(self._books[numbers[0]], parsed)]
        return [(self._books[number], _part(parsed, numbers, number)) for number in sorted(set(numbers))]

    def take(self, ends: Mapping[Partition, int]) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Hand out the rows of `instruments` and `leverage_tiers` that come from records before these offsets."""
        due: list[_Rows] = []
        rest: list[_Rows] = []
        for entry in self._rows:
            frame = entry[0]
            (due if frame.offset < ends.get((frame.topic, frame.partition), 0) else rest).append(entry)
        self._rows = rest
        listed = [empty("instruments"), *(each for _, each, _ in due)]
        tiers = [empty("leverage_tiers"), *(each for _, _, each in due)]
        return pl.concat(listed), pl.concat(tiers)

    def forget(self, before_ms: int) -> None:
        """Forget the books of before a turn; every frame to come is of that one or later."""
        keep = bisect_right(self._since, before_ms) - 1
        if keep > 0:
            self._since, self._books = [0, *self._since[keep + 1 :]], self._books[keep:]


def _place(frame: RawFrame) -> tuple[str, int, int]:
    return frame.topic, frame.partition, frame.offset


def _part(parsed: Parsed, numbers: Sequence[int], number: int) -> Parsed:
    """Return the facts of the frames with this number; frames, outcomes and reasons stay those of the whole."""
    mine = frozenset(n for n, each in enumerate(numbers) if each == number)
    facts = {}
    for kind, found in parsed.facts.items():
        pairs = [(row, n) for row, n in zip(found.rows, found.frames, strict=True) if n in mine]
        blocks = [block.filter(pl.col("frame").is_in(mine)) for block in found.blocks]
        own = Facts([row for row, _ in pairs], [n for _, n in pairs], [block for block in blocks if block.height])
        if own.rows or own.blocks:
            facts[kind] = own
    return Parsed(parsed.frames, facts, parsed.outcomes, parsed.reasons)
