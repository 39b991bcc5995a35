"""The last of many Bybit tickers, with the result of tickers.tickers: rows are made once, of what holds in the end.

What sessions say of contracts is held apart, so each contract's messages may be read in their own way: ordinary deltas by
column; up to its last message that is out of the ordinary (a snapshot, an empty text, a number that is none, a delta older
than what is held) one by one, by the parser of one frame.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import polars as pl

from collectors.envelope import RawFrame
from pipelines.facts import Nothing, Rejected, Row
from pipelines.venues.bounds import LATE_MS
from pipelines.venues.bybit.deltas import FIELDS, LAST, all_ordinary, columns, parted
from pipelines.venues.bybit.tickers import (
    EARLY,
    UNCHANGED,
    Message,
    State,
    decode,
    funding_of,
    interest_of,
    price_of,
)
from pipelines.venues.bybit.tickers import tickers as read_one
from pipelines.venues.latest import Kept
from pipelines.venues.wire import BAD, Held

FEWEST = 200  # of fewer frames columns cost more than rows
UNFIT = (*BAD, OverflowError, TypeError, pl.exceptions.PolarsError)


class _Session(NamedTuple):
    """`frames`: those of the run, of other sessions too; what is read of them goes to `kept`."""

    name: str
    frames: Sequence[RawFrame]
    held: Held
    kept: Kept

    def at(self, positions: Sequence[int]) -> Sequence[RawFrame]:
        """Return the frames at these positions."""
        whole = len(positions) == len(self.frames)
        return self.frames if whole else [self.frames[position] for position in positions]

    def tell(self, positions: Sequence[int], told: pl.Series) -> None:
        """Note of the frames at these positions which say something."""
        flags = told.cast(pl.UInt8).to_numpy().tobytes()
        if len(positions) == len(self.frames):
            self.kept.told[:] = flags
        else:
            for position, flag in zip(positions, flags, strict=True):
                self.kept.told[position] = flag

    def read_one_by_one(self, positions: Iterable[int]) -> None:
        """Read the frames at these positions as their parser does."""
        for position in positions:
            rows = read_one(self.frames[position], self.held)
            self.kept.told[position] = not isinstance(rows[0], Nothing | Rejected)
            self.kept.rows.extend((position, row) for row in rows)


def tickers(frames: Sequence[RawFrame], held: Held) -> Kept:
    """Take every message in and give rows of the last that changed funding, interest or price; updates `held`."""
    kept = Kept([], bytearray(len(frames)), Counter(), [])
    for name, positions in _by_session(frames):
        session = _Session(name, frames, held, kept)
        if len(positions) < FEWEST:
            session.read_one_by_one(positions)
        else:
            _read(session, positions)
    kept.rows.sort(key=lambda entry: entry[0])
    return kept._replace(reasons=+kept.reasons)


def _by_session(frames: Sequence[RawFrame]) -> Iterable[tuple[str, Sequence[int]]]:
    sessions = [frame.session for frame in frames]
    if sessions and sessions.count(sessions[0]) == len(sessions):
        return [(sessions[0], range(len(sessions)))]
    found: dict[str, list[int]] = {}
    for position, session in enumerate(sessions):
        found.setdefault(session, []).append(position)
    return found.items()


def _read(session: _Session, positions: Sequence[int]) -> None:
    """Read what is ordinary by column and the rest one by one."""
    positions, messages = _decoded(session, positions)
    try:
        said = columns(messages)
    except UNFIT:
        session.read_one_by_one(positions)
        return
    session.tell(positions, said["told"])
    horizon_ms = min([frame.at_ns for frame in session.frames]) // 1_000_000 + LATE_MS
    if not all_ordinary(said, horizon_ms):
        odd, said = parted(said, horizon_ms)
        session.read_one_by_one(positions[at] for at in odd)
    early, unfit = list[str](), list[str]()
    for last in said.group_by("symbol").agg(LAST).rows(named=True):
        if (state := session.held.get((session.name, last["symbol"]))) is None:
            early.append(last["symbol"])
            session.kept.reasons[EARLY] += last["frames"]
        elif not _follows(last, state):
            unfit.append(last["symbol"])
        else:
            session.kept.reasons[UNCHANGED] += last["frames"] - last["told"]
            session.kept.rows.extend((positions[at], row) for at, row in _merged(last, state, messages))
    if early:
        before = [positions[at] for at in _of(said, early)]
        session.tell(before, pl.repeat(False, len(before), eager=True))
    if unfit:
        session.read_one_by_one(positions[at] for at in _of(said, unfit))


def _of(said: pl.DataFrame, symbols: list[str]) -> list[int]:
    return said.filter(pl.col("symbol").is_in(symbols))["at"].to_list()


def _decoded(session: _Session, positions: Sequence[int]) -> tuple[Sequence[int], list[Message]]:
    """Return the messages and the positions they stand at; what cannot be decoded is rejected."""
    try:
        return positions, [decode(frame.payload) for frame in session.at(positions)]
    except BAD:
        pass
    messages, sound = [], []
    for position in positions:
        try:
            messages.append(decode(session.frames[position].payload))
            sound.append(position)
        except BAD:
            session.read_one_by_one([position])
    return sound, messages


def _follows(last: dict[str, Any], state: State) -> bool:
    """Say whether all is newer than what is held, and completes a rate and an open interest that are there."""
    newer = last["in_order"] and last["first_cs"] >= state.cs
    rated = last["funding"] is None or state.ticker.fundingRate
    return bool(newer and rated and (last["interest"] is None or state.ticker.openInterest))


def _merged(last: dict[str, Any], state: State, messages: list[Message]) -> Iterator[tuple[int, Row]]:
    """Take what was said into what is held, and yield the rows of the last changes."""
    state.cs, now = last["last_cs"], state.ticker
    for name in FIELDS:
        if (value := last[name]) is not None:
            setattr(now, name, value)
    if (at := last["funding"]) is not None:
        yield at, funding_of(now, messages[at].ts)
    if (at := last["interest"]) is not None:
        yield at, interest_of(now, messages[at].ts)
    if (at := last["price"]) is not None and (row := price_of(now, messages[at].ts)):
        yield at, row
