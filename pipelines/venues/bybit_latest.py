"""The last of many Bybit tickers, with the result of bybit_tickers.tickers: rows are made once, of what holds in the end.

What sessions say of contracts is held apart, so each contract's messages may be read in their own way: ordinary deltas by
column; up to its last message that is out of the ordinary (a snapshot, an empty text, a number that is none, a delta older
than what is held) one by one, by the parser of one frame.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from math import isfinite
from typing import Any, NamedTuple, cast

import polars as pl

from collectors.envelope import RawFrame
from pipelines.rows import Nothing, Rejected, Row
from pipelines.venues.bulk import above_zero, figure, from_zero, numbers, repeated, texts
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
FUNDING = ("fundingRate", "nextFundingTime", "fundingIntervalHour")
INTEREST = ("openInterest", "openInterestValue")
PRICE = ("markPrice", "indexPrice")
FIELDS = (*FUNDING, *INTEREST, *PRICE)


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
        said = _columns(messages)
    except OverflowError:
        session.read_one_by_one(positions)
        return
    horizon_ms = min([frame.recv_ns for frame in session.frames]) // 1_000_000 + DAY_MS
    if not _all_ordinary(said, horizon_ms):
        odd, said = _parted(said, horizon_ms)
        session.read_one_by_one(positions[at] for at in odd)
    early, unfit = list[str](), list[str]()
    for last in said.group_by("symbol").agg(_LAST).rows(named=True):
        if (state := session.held.get((session.name, last["symbol"]))) is None:
            early.append(last["symbol"])
            session.kept.reasons[EARLY] += last["frames"]
        elif not _follows(last, state):
            unfit.append(last["symbol"])
        else:
            session.kept.reasons[UNCHANGED] += last["frames"] - last["told"]
            session.kept.rows.extend((positions[at], row) for at, row in _merged(last, state, messages))
    told = said["told"]
    if early or unfit:
        told = told & ~said["symbol"].is_in([*early, *unfit])
        session.read_one_by_one(positions[at] for at in said.filter(pl.col("symbol").is_in(unfit))["at"])
    for at in said["at"].filter(told).to_list():
        session.kept.told[positions[at]] = 1


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


def _columns(messages: list[Message]) -> pl.DataFrame:
    """Return what messages say, and where they stand: `at`, and where they change funding, interest and price."""
    data = [message.data for message in messages]
    said = pl.DataFrame([
        texts("symbol", [each.symbol for each in data]),
        repeated("type", [message.type for message in messages], pl.String),
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
    return said.with_row_index("at").with_columns(_CHANGES)


def _any(names: Sequence[str]) -> pl.Expr:
    return pl.any_horizontal(pl.col(names).is_not_null())


_CHANGES = [
    pl.when(_any(FUNDING)).then("at").alias("funding"),
    pl.when(_any(INTEREST)).then("at").alias("interest"),
    pl.when(_any(PRICE)).then("at").alias("price"),
    _any(FIELDS).alias("told"),
]
_LAST = [
    pl.col("cs").first().alias("first_cs"),
    pl.col("cs").last().alias("last_cs"),
    pl.col("cs").is_sorted().alias("in_order"),
    pl.col(FIELDS).last(ignore_nulls=True),
    pl.col("funding", "interest", "price").max(),
    pl.col("told").sum(),
    pl.len().alias("frames"),
]


def _all_ordinary(said: pl.DataFrame, horizon_ms: int) -> bool:
    """Say whether all are deltas of possible times and numbers; sooner than `_parted` finds which are not."""
    try:
        return bool(
            (said["type"] == "delta").all()
            and said["ts"].is_between(EARLIEST_MS, horizon_ms).all()
            and said["nextFundingTime"].cast(pl.Int64).null_count() >= 0
            and _least(said["fundingRate"]) > -INFINITE
            and all(_least(said[name]) > 0 for name in ("fundingIntervalHour", *PRICE))
            and all(_least(said[name]) >= 0 for name in INTEREST)
        )
    except pl.exceptions.PolarsError:
        return False


def _least(texts: pl.Series) -> float:
    """Return the least number; infinity of none at all, minus infinity if one is not finite. Raises PolarsError."""
    values = texts.cast(pl.Float64)
    if not isfinite(values.sum()):
        return -INFINITE
    return INFINITE if (least := cast(float | None, values.min())) is None else least


def _parted(said: pl.DataFrame, horizon_ms: int) -> tuple[list[int], pl.DataFrame]:
    """Return where each contract's messages stand up to the last that is not ordinary, and those behind."""
    delta, timely = pl.col("type") == "delta", pl.col("ts").is_between(EARLIEST_MS, horizon_ms)
    last_odd = pl.when(~(delta & timely & pl.all_horizontal(_POSSIBLE))).then("at").max().over("symbol")
    ordinary = said.select((pl.col("at") > last_odd).fill_null(True)).to_series()
    return said.filter(~ordinary)["at"].to_list(), said.filter(ordinary)


_POSSIBLE = [
    pl.col(name).is_null() | possible.fill_null(False)
    for name, possible in (
        ("fundingRate", figure("fundingRate").is_finite()),
        ("nextFundingTime", pl.col("nextFundingTime").cast(pl.Int64, strict=False).is_not_null()),
        *((name, above_zero(figure(name))) for name in ("fundingIntervalHour", *PRICE)),
        *((name, from_zero(figure(name))) for name in INTEREST),
    )
]


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
