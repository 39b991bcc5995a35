"""The last of many Bybit tickers, with the result of bybit_tickers.tickers: rows are made once, of what holds in the end.

Ordinary deltas of a session are read by column. What is out of the ordinary (a snapshot, an empty text, a number that is
none, a delta older than what is held) is searched for by halves, and read by the parser of one frame.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from math import isfinite
from typing import Any, NamedTuple, cast

import polars as pl

from collectors.envelope import RawFrame
from pipelines.rows import Nothing, Rejected, Row
from pipelines.venues.bulk import numbers, repeated, texts
from pipelines.venues.bybit_tickers import (
    EARLY,
    UNCHANGED,
    Message,
    State,
    decode,
    funding_of,
    interest_of,
    price_of,
)
from pipelines.venues.bybit_tickers import tickers as read_one
from pipelines.venues.latest import Kept
from pipelines.venues.wire import BAD, DAY_MS, EARLIEST_MS, INFINITE, Held

FEWEST = 200  # of fewer frames columns cost more than rows
UNFIT = (*BAD, OverflowError, pl.exceptions.PolarsError)
CHANGES = {
    "funding": ("fundingRate", "nextFundingTime", "fundingIntervalHour"),
    "interest": ("openInterest", "openInterestValue"),
    "price": ("markPrice", "indexPrice"),
}
FIELDS = [name for names in CHANGES.values() for name in names]
Ends = list[tuple[dict[str, Any], State]]  # of each contract what its deltas say in the end, and what is held of it


class _Session(NamedTuple):
    """`frames`: those of the run, of other sessions too; what is read of them goes to `kept`."""

    name: str
    frames: Sequence[RawFrame]
    held: Held
    kept: Kept

    def at(self, positions: Sequence[int]) -> Sequence[RawFrame]:
        """Return the frames at these positions."""
        if isinstance(positions, range):
            return self.frames[positions.start : positions.stop]
        return [self.frames[position] for position in positions]

    def tell(self, positions: Sequence[int], told: pl.Series) -> None:
        """Note of the frames at these positions which say something."""
        if isinstance(positions, range):
            self.kept.told[positions.start : positions.stop] = told.cast(pl.UInt8).to_numpy().tobytes()
        else:
            for position, each in zip(positions, told.to_list(), strict=True):
                self.kept.told[position] = each


def tickers(frames: Sequence[RawFrame], held: Held) -> Kept:
    """Take every message in and give rows of the last that changed funding, interest or price; updates `held`."""
    kept = Kept([], bytearray(len(frames)), Counter(), [])
    for name, positions in _by_session(frames):
        _read(_Session(name, frames, held, kept), positions)
    kept.rows.sort(key=lambda entry: entry[0])
    return kept


def _by_session(frames: Sequence[RawFrame]) -> Iterable[tuple[str, Sequence[int]]]:
    sessions = [frame.session for frame in frames]
    if sessions and sessions.count(sessions[0]) == len(sessions):
        return [(sessions[0], range(len(sessions)))]
    found: dict[str, list[int]] = {}
    for position, session in enumerate(sessions):
        found.setdefault(session, []).append(position)
    return found.items()


def _read(session: _Session, positions: Sequence[int]) -> None:
    """Read what lies behind the last snapshot at once if all of it is ordinary, else by halves; what is few one by one."""
    if len(positions) < FEWEST:
        return _read_one_by_one(session, positions)
    try:
        messages = [decode(frame.payload) for frame in session.at(positions)]
        ahead = _through_snapshots(messages)
        _read_one_by_one(session, positions[:ahead])
        positions = positions[ahead:]
        _read_at_once(session, positions, messages[ahead:])
    except UNFIT:
        half = len(positions) // 2
        _read(session, positions[:half])
        _read(session, positions[half:])


def _read_one_by_one(session: _Session, positions: Sequence[int]) -> None:
    for position in positions:
        rows = read_one(session.frames[position], session.held)
        session.kept.told[position] = not isinstance(rows[0], Nothing | Rejected)
        session.kept.rows.extend((position, row) for row in rows)


def _through_snapshots(messages: list[Message]) -> int:
    """Return how many messages there are up to the last snapshot."""
    types = [message.type for message in messages]
    if types.count("delta") == len(types):
        return 0
    return len(types) - types[::-1].index("snapshot")


def _read_at_once(session: _Session, positions: Sequence[int], messages: list[Message]) -> None:
    """Read deltas by column. Raises what UNFIT names, with nothing changed, unless each is ordinary."""
    kept, said = session.kept, _columns(messages)
    _check(said, min([frame.recv_ns for frame in session.at(positions)]) // 1_000_000 + DAY_MS)
    contracts = said.group_by("symbol").agg(_LAST).rows(named=True)
    held = ((last, session.held.get((session.name, last["symbol"]))) for last in contracts)
    ends = [(last, state) for last, state in held if state is not None]
    _check_held(ends)
    told, early = said["told"], 0
    if len(ends) < len(contracts):
        known = said["symbol"].is_in([last["symbol"] for last, _ in ends])
        told, early = told & known, len(messages) - int(known.sum())
    session.tell(positions, told)
    kept.reasons.update(+Counter({EARLY: early, UNCHANGED: len(messages) - early - int(told.sum())}))
    kept.rows.extend((positions[place], row) for place, row in _merged(ends, messages))


def _columns(messages: list[Message]) -> pl.DataFrame:
    data = [message.data for message in messages]
    said = pl.DataFrame([
        texts("symbol", [each.symbol for each in data]),
        numbers("ts", [message.ts for message in messages]),
        numbers("cs", [message.cs for message in messages]),
        repeated("fundingRate", [each.fundingRate for each in data], pl.String),
        repeated("nextFundingTime", [each.nextFundingTime for each in data], pl.String),
        repeated("fundingIntervalHour", [each.fundingIntervalHour for each in data], pl.String),
        repeated("openInterest", [each.openInterest for each in data], pl.String),
        repeated("openInterestValue", [each.openInterestValue for each in data], pl.String),
        repeated("markPrice", [each.markPrice for each in data], pl.String),
        repeated("indexPrice", [each.indexPrice for each in data], pl.String),
    ])  # fmt: skip
    return said.with_row_index("at").with_columns(_CHANGED)


def _any(names: Sequence[str]) -> pl.Expr:
    return pl.any_horizontal(pl.col(names).is_not_null())


_CHANGED = [
    *(pl.when(_any(names)).then("at").alias(kind) for kind, names in CHANGES.items()),
    _any(FIELDS).alias("told"),
]
_LAST = [
    pl.col("cs").first().alias("first_cs"),
    pl.col("cs").last().alias("last_cs"),
    pl.col("cs").is_sorted().alias("in_order"),
    *(pl.col(name).last(ignore_nulls=True) for name in FIELDS),
    pl.col(*CHANGES).max(),
]


def _check(said: pl.DataFrame, horizon_ms: int) -> None:
    """Raise ValueError or PolarsError unless every number that is there, and every time, is possible."""
    _least(said["fundingRate"].cast(pl.Float64))
    said["nextFundingTime"].cast(pl.Int64)
    possible = (
        all(_least(said[name].cast(pl.Float64)) > 0 for name in ("fundingIntervalHour", *CHANGES["price"]))
        and all(_least(said[name].cast(pl.Float64)) >= 0 for name in CHANGES["interest"])
        and said["ts"].is_between(EARLIEST_MS, horizon_ms).all()
    )
    if not possible:
        raise ValueError("out of the ordinary")


def _least(values: pl.Series) -> float:
    """Return the least of what is there, infinity if nothing is. Raises ValueError unless all are finite."""
    if not isfinite(values.sum()):
        raise ValueError("not finite")
    return INFINITE if (least := cast(float | None, values.min())) is None else least


def _check_held(ends: Ends) -> None:
    """Raise ValueError unless all is newer than what is held, and completes a rate and an open interest that are there."""
    for last, state in ends:
        now = state.ticker
        newer = last["in_order"] and last["first_cs"] >= state.cs
        completes = (last["funding"] is None or now.fundingRate) and (last["interest"] is None or now.openInterest)
        if not (newer and completes):
            raise ValueError("out of the ordinary")


def _merged(ends: Ends, messages: list[Message]) -> Iterator[tuple[int, Row]]:
    """Take what was said into what is held, and yield the rows of the last changes."""
    for last, state in ends:
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
