"""Raw frames to facts: every frame through its venue's parser, and what became of each."""

import gc
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import repeat

import msgspec
import polars as pl

from collectors.envelope import RawFrame
from pipelines.facts import Nothing, Rejected, Row
from pipelines.venues import Held, parser_of
from pipelines.venues.wire import LARGE, rejected, shown, too_much

WITHOUT_ROWS, WITH_ROWS, DEAD = 0, 1, 2

UNFORESEEN = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError, msgspec.MsgspecError)


class Facts(msgspec.Struct, gc=False):
    """Facts of one kind in the order they came, and for each the position of its frame in the batch.

    `blocks`: more of them, read by column (blocks.py): the columns of `columns.shared.facts_frame`, and `frame`, the position.
    """

    rows: list[Row]
    frames: list[int]
    blocks: list[pl.DataFrame] = []


class Parsed(msgspec.Struct):
    """A batch read. `outcomes`, one per frame: WITHOUT_ROWS, WITH_ROWS or DEAD (in whole or in part). `reasons` counts
    why frames carry nothing; rejections are facts of kind Rejected."""

    frames: Sequence[RawFrame]
    facts: dict[type[Row], Facts]
    outcomes: bytearray
    reasons: Counter[str]

    @property
    def rejected(self) -> Facts:
        """The frames and items that became dead letters."""
        return self.facts.get(Rejected) or Facts([], [])


@contextmanager
def collector_paused() -> Iterator[None]:
    """Hold Python's cycle collector back: a batch makes many objects and no cycles."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def parse_frames(frames: Sequence[RawFrame], held: Held) -> Parsed:
    """Read every frame; a frame that fails is rejected and the batch goes on. Updates `held`, what sessions hold."""
    facts: dict[type[Row], Facts] = {}
    last: tuple[str, str, str] | None = None
    parse = None
    kind: type[Row] | None = None
    unused = Facts([], [])
    add_row, add_frame = unused.rows.append, unused.frames.append
    with collector_paused():
        for position, frame in enumerate(frames):
            if (named := (frame.channel, frame.venue, frame.transport)) != last:
                last, parse = named, parser_of(frame.venue, frame.transport, frame.channel)
            try:
                if len(frame.payload) >= LARGE and (why := too_much(frame.payload)):
                    rows = rejected(ValueError(why))
                else:
                    rows = parse(frame, held) if parse else rejected(ValueError(f"unknown venue {shown(frame.venue)}"))
            except UNFORESEEN as error:
                rows = rejected(ValueError(f"the parser failed: {type(error).__name__}: {error}"))
            for row in rows:
                if type(row) is not kind:
                    kind = type(row)
                    if (found := facts.get(kind)) is None:
                        found = facts[kind] = Facts([], [])
                    add_row, add_frame = found.rows.append, found.frames.append
                add_row(row)
                add_frame(position)
    return Parsed(frames, facts, _outcomes(len(frames), facts), _reasons(facts))


def _outcomes(count: int, facts: dict[type[Row], Facts]) -> bytearray:
    outcomes = bytearray(count)
    for kind, found in facts.items():
        if kind not in (Nothing, Rejected):
            if len(found.frames) == count == len(set(found.frames)):
                outcomes = bytearray(repeat(WITH_ROWS, count))
            else:
                for position in found.frames:
                    outcomes[position] = WITH_ROWS
    for position in facts[Rejected].frames if Rejected in facts else ():
        outcomes[position] = DEAD
    return outcomes


def _reasons(facts: dict[type[Row], Facts]) -> Counter[str]:
    found = facts.get(Nothing)
    return Counter(row.reason for row in found.rows if isinstance(row, Nothing)) if found else Counter()
