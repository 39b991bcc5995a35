"""Facts that no column can hold, such as a count beyond 64 bits, and such as cannot be: they become dead letters, and the
batch goes on.

Parsers refuse what cannot be; this is for what they let through, so that one frame never stops the pipeline.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

import polars as pl
from polars.exceptions import PanicException, PolarsError

from collectors.printable import printable
from pipelines.facts import Rejected, Row
from pipelines.reading.parse import DEAD, Facts, Parsed
from pipelines.venues.wire import LONGEST_REASON

UNFIT = (
    PolarsError,
    PanicException,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


def set_aside(parsed: Parsed, make: Callable[[Parsed], object]) -> bool:
    """Make the frames whose facts `make` cannot take into rejected ones, in place; tell whether there were any.

    `make` raises one of UNFIT for any part of the batch that has such a frame in it, and for no other.
    """
    found = _unfit(range(len(parsed.frames)), lambda positions: _error(parsed, positions, make))
    if not found:
        return False
    parsed.facts = _without(parsed, frozenset(found))
    rejected = parsed.facts.setdefault(Rejected, Facts([], []))
    for position, error in found.items():
        rejected.rows.append(Rejected(f"no table can hold it: {error}"))
        rejected.frames.append(position)
        parsed.outcomes[position] = DEAD
    return True


def refuse(parsed: Parsed, kind: type[Row], why: Mapping[int, str]) -> None:
    """Make facts of a kind into rejected ones, in place. `why`: reasons by the fact's place in the order of `facts_frame`."""
    facts = parsed.facts[kind]
    frames = [n for block in facts.blocks for n in block["frame"]] + facts.frames
    in_order: Sequence[int] = range(len(frames))
    if len(facts.blocks) + bool(facts.rows) > 1:
        in_order = sorted(in_order, key=frames.__getitem__)
    gone = {in_order[place]: reason for place, reason in why.items()}
    parsed.facts[kind] = _but(facts, gone)
    rejected = parsed.facts.setdefault(Rejected, Facts([], []))
    for n, reason in gone.items():
        rejected.rows.append(Rejected(printable(reason, LONGEST_REASON)))
        rejected.frames.append(frames[n])
        parsed.outcomes[frames[n]] = DEAD


def _but(facts: Facts, gone: Collection[int]) -> Facts:
    """Return facts without some, by their number: those of the blocks come first."""
    start, blocks = 0, list[pl.DataFrame]()
    for block in facts.blocks:
        stay = [n not in gone for n in range(start, start + block.height)]
        blocks.append(block.filter(pl.Series(stay, dtype=pl.Boolean)))
        start += block.height
    left = [n for n in range(len(facts.rows)) if start + n not in gone]
    rows, frames = [facts.rows[n] for n in left], [facts.frames[n] for n in left]
    return Facts(rows, frames, [block for block in blocks if block.height])


def _unfit(positions: Sequence[int], error: Callable[[Sequence[int]], str]) -> dict[int, str]:
    """Return the positions that fail alone, with why: by halves, so that few are quickly found among many."""
    why = error(positions) if positions else ""
    if not why or len(positions) == 1:
        return {positions[0]: why} if why else {}
    half = len(positions) // 2
    return _unfit(positions[:half], error) | _unfit(positions[half:], error)


def _error(parsed: Parsed, positions: Sequence[int], make: Callable[[Parsed], object]) -> str:
    others = frozenset(range(len(parsed.frames))) - frozenset(positions)
    part = Parsed(parsed.frames, _without(parsed, others), parsed.outcomes, parsed.reasons)
    try:
        make(part)
    except UNFIT as error:
        return printable(" ".join(f"{type(error).__name__}: {error}".split()), LONGEST_REASON)
    return ""


def _without(parsed: Parsed, positions: frozenset[int]) -> dict[type, Facts]:
    kept = {}
    for kind, facts in parsed.facts.items():
        pairs = [(row, n) for row, n in zip(facts.rows, facts.frames, strict=True) if n not in positions]
        blocks = [block.filter(~pl.col("frame").is_in(positions)) for block in facts.blocks]
        kept[kind] = Facts([row for row, _ in pairs], [n for _, n in pairs], blocks)
    return {kind: facts for kind, facts in kept.items() if facts.rows or facts.blocks}
