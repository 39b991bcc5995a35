"""A batch of frames read at once: liquidations column by column where the channel has a `Bulk`, all else one by one.

The result is that of `parse_frames`, but that liquidations come as blocks: frames of data with the columns of
`facts_frame` and `frame`, the position of each row's frame in the batch.
"""

from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import TypeVar

import polars as pl

from collectors.envelope import RawFrame
from pipelines.facts import Liquidation
from pipelines.reading.parse import WITH_ROWS, Facts, Parsed, collector_paused, parse_frames
from pipelines.reading.trace import trace
from pipelines.venues import BULKS, Held
from pipelines.venues.bulk import Bulk
from pipelines.venues.wire import BAD, LARGE

AT_ONCE = 2_000  # frames decoded before they are put in columns: few enough to stay in the processor's cache
FEWEST = 64  # of fewer frames columns cost more than rows
Channel = tuple[str, str, str]  # venue, transport, channel
Reader = TypeVar("Reader")
KEY = ("symbol", "contract", "order_side", "position_side", "ts_event", "qty", "price", "price_kind", "order_price")
UNFIT = (*BAD, AttributeError, OverflowError, TypeError, pl.exceptions.PolarsError)


def parse_batch(frames: Sequence[RawFrame], held: Held) -> Parsed:
    """Read every frame; as `parse_frames`."""
    with collector_paused():
        blocks: list[pl.DataFrame] = []
        left: list[int] = []
        alone = True
        for bulk, positions in groups(frames, BULKS):
            if bulk is None or len(positions) < FEWEST:
                left += positions
                continue
            found, unfit = _read(bulk, frames, positions)
            blocks += found
            left += unfit
            alone = False
        if alone:
            return parse_frames(frames, held)
        left.sort()
        parsed = parse_frames([frames[position] for position in left], held)
    return _joined(frames, parsed, left, blocks)


def groups(frames: Sequence[RawFrame], readers: Mapping[Channel, Reader]) -> list[tuple[Reader | None, Sequence[int]]]:
    """Return the positions of the frames of each channel, with what `readers` has for it; large frames apart, with none."""
    if not frames:
        return []
    venue, transport, channel = frames[0].venue, frames[0].transport, frames[0].channel
    others = [
        1
        for frame in frames
        if frame.channel != channel
        or frame.venue != venue
        or frame.transport != transport
        or len(frame.payload) >= LARGE
    ]  # each is looked at, a session's name proves nothing
    if others:
        return _by_kind(frames, readers)
    return [(readers.get((venue, transport, channel)), range(len(frames)))]


def _by_kind(
    frames: Sequence[RawFrame], readers: Mapping[Channel, Reader]
) -> list[tuple[Reader | None, Sequence[int]]]:
    channels = [frame.channel if len(frame.payload) < LARGE else None for frame in frames]
    kinds = {(frame.venue, frame.transport, frame.channel) for frame in frames}
    found: list[tuple[Reader | None, Sequence[int]]] = [(None, [n for n, each in enumerate(channels) if each is None])]
    for kind in kinds:
        venue, transport, channel = kind
        mine: Sequence[int] = [n for n, each in enumerate(channels) if each == channel]
        if sum(other[2] == channel for other in kinds) > 1:
            mine = [n for n in mine if (frames[n].venue, frames[n].transport) == (venue, transport)]
        found.append((readers.get(kind), mine))
    return found


def _read(bulk: Bulk, frames: Sequence[RawFrame], positions: Sequence[int]) -> tuple[list[pl.DataFrame], list[int]]:
    """Return the liquidations of the frames at these positions, and the positions of what is left to `parse_frames`."""
    parts: list[pl.DataFrame] = []
    own: list[int] = []
    left: list[int] = []
    all_of_one = len(positions) == len(frames)  # every frame of the batch, each with one liquidation
    for start in range(0, len(positions), AT_ONCE):
        some = positions[start : start + AT_ONCE]
        try:
            counts, columns = _columns(bulk, frames, some)
        except UNFIT:
            all_of_one = False
            some = _sound(bulk, frames, some, left)
            counts, columns = _columns(bulk, frames, some)
        parts.append(pl.DataFrame(columns))
        if counts.count(1) == len(counts):
            own += some
        else:
            all_of_one = False
            left += [n for n, count in zip(some, counts, strict=True) if not count]
            own += [n for n, count in zip(some, counts, strict=True) for _ in range(count)]
    if not own:
        return [], left
    places = range(len(frames)) if all_of_one else own
    traced = trace(frames if all_of_one else [frames[n] for n in own], frames[own[0]].venue)
    traced.append(pl.Series("frame", places, pl.UInt32))
    try:
        found = bulk.facts(pl.concat(parts).hstack(traced))
    except UNFIT:
        return [], list(positions)
    if not found["stands"].all(ignore_nulls=False):
        unsure = found.filter(~pl.col("stands").fill_null(False))["frame"].unique()
        left += unsure.to_list()
        found = found.filter(~pl.col("frame").is_in(unsure.implode()))
    return [_numbered(found)] if found.height else [], left


def _columns(bulk: Bulk, frames: Sequence[RawFrame], some: Sequence[int]) -> tuple[list[int], list[pl.Series]]:
    """Return how many liquidations each frame holds, and their fields as sent, a row each."""
    mine = frames[some.start : some.stop] if isinstance(some, range) else [frames[n] for n in some]
    decode = bulk.decode
    return bulk.columns([decode(frame.payload) for frame in mine])


def _sound(bulk: Bulk, frames: Sequence[RawFrame], some: Sequence[int], left: list[int]) -> list[int]:
    """Take out the frames that cannot be read so; a few bad ones must not slow the others down."""
    sound: list[int] = []
    for n in some:
        try:
            bulk.columns([bulk.decode(frames[n].payload)])
            sound.append(n)
        except UNFIT:
            left.append(n)
    return sound


def _numbered(found: pl.DataFrame) -> pl.DataFrame:
    """Count liquidations inside a frame that are the same in all that makes their key, as wire.numbered."""
    several = found["frame"].n_unique() < found.height
    return found.with_columns(
        occurrence=pl.int_range(pl.len()).over("frame", *KEY) if several else pl.lit(0, pl.Int64),
        unproven=pl.lit(None, pl.String),
        id=pl.lit(None, pl.String),
    )


def _joined(frames: Sequence[RawFrame], parsed: Parsed, left: list[int], blocks: list[pl.DataFrame]) -> Parsed:
    """Return what was read both ways as of one batch."""
    facts = {
        kind: Facts(found.rows, [left[n] for n in found.frames], found.blocks) for kind, found in parsed.facts.items()
    }
    if blocks:
        known = facts.get(Liquidation) or Facts([], [])
        facts[Liquidation] = Facts(known.rows, known.frames, [*known.blocks, *blocks])
    outcomes = bytearray(repeat(WITH_ROWS, len(frames)))
    for n, outcome in zip(left, parsed.outcomes, strict=True):
        outcomes[n] = outcome
    return Parsed(frames, facts, outcomes, parsed.reasons)
