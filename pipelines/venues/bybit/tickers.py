"""Bybit tickers: snapshots and deltas to rows. Facts: exchanges/bybit.md §3 to §5, §10.

A delta holds only what changed: missing is unchanged; "" is not applicable, as is a price or an interval of 0. What a session
has said of a symbol is in `held`, by (session, symbol); a delta before its snapshot says nothing. A row is given for what a
message changed, complete with what is held. Open interest counts both sides; `singleOpenInterest` (since 2026-06-11) is not
read, it is half.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import FundingRate, MarkPrice, OpenInterest, Row
from pipelines.venues.bounds import (
    AMOUNT,
    CHEAPEST,
    DEAREST,
    INTERVAL,
    PRICE,
    RATE,
    SOUND,
    is_symbol,
    wrong_symbol,
)  # fmt: skip
from pipelines.venues.bybit.rest import decode_answer, without_rows
from pipelines.venues.bybit.symbols import is_inverse, symbol_form
from pipelines.venues.symbols import DOLLARS
from pipelines.venues.wire import (
    BAD,
    Held,
    bounded,
    each_raw,
    horizon_ms,
    later,
    maybe,
    moment,
    nothing,
    number,
    rejected,
)  # fmt: skip


class Ticker(msgspec.Struct, gc=False):
    """What is read of a ticker: of a delta what changed, of a state what holds."""

    symbol: str
    fundingRate: str | None = None  # running estimate; "" on deliveries
    nextFundingTime: str | None = None
    fundingIntervalHour: str | None = None
    openInterest: str | None = None  # linear: base coin; inverse: USD; both sides
    openInterestValue: str | None = None  # linear: quote; inverse: base coin
    markPrice: str | None = None
    indexPrice: str | None = None


class Message(msgspec.Struct, gc=False):
    """A `tickers` frame."""

    type: Literal["snapshot", "delta"]
    ts: int
    cs: int
    data: Ticker


class State(msgspec.Struct):
    """What a session has said of a symbol so far; `cs` is the cross sequence of the last message."""

    cs: int
    ticker: Ticker


decode = msgspec.json.Decoder(Message).decode
_ticker = msgspec.json.Decoder(Ticker).decode

BOUNDS = {
    "fundingRate": RATE, "fundingIntervalHour": INTERVAL, "openInterest": AMOUNT, "openInterestValue": AMOUNT,
    "markPrice": PRICE, "indexPrice": PRICE,
}  # fmt: skip
"""What each number may be; a price or an interval of 0 says that there is none."""

EMPTY = "a ticker without funding, open interest or mark price"
UNCHANGED = "a delta without funding, open interest or mark price"
EARLY = "a delta before the snapshot of its session"
OLDER = "a delta older than what is held, by its cross sequence"


def tickers(frame: RawFrame, held: Held) -> list[Row]:
    """Return funding, open interest and mark price as far as the message changed them; updates `held`."""
    try:
        message = decode(frame.payload)
        new = message.data
        key = (frame.session, new.symbol)
        if message.type == "snapshot":
            check(new)
            held[key] = State(message.cs, new)
            now = new
        else:
            if (state := held.get(key)) is None:
                return nothing(EARLY)
            if message.cs < state.cs:
                return nothing(OLDER)
            check(new)
            state.cs, now = message.cs, _merged(state.ticker, new)
        time = moment(message.ts, horizon_ms(frame))
        return list(_rows(new, now, time)) or nothing(UNCHANGED)
    except BAD as error:
        return rejected(error)


def check(new: Ticker) -> None:
    """Raise ValueError before anything is held of a message with an impossible number."""
    try:
        if not (
            (not (rate := float(new.fundingRate or 0)) or RATE.least <= rate <= RATE.most)
            and (not (hours := float(new.fundingIntervalHour or 0)) or INTERVAL.least <= hours <= INTERVAL.most)
            and 0.0 <= float(new.openInterest or 0) <= AMOUNT.most
            and 0.0 <= float(new.openInterestValue or 0) <= AMOUNT.most
            and (not (mark := float(new.markPrice or 0)) or CHEAPEST <= mark <= DEAREST)
            and (not (index := float(new.indexPrice or 0)) or CHEAPEST <= index <= DEAREST)
            and (new.symbol in SOUND or is_symbol(new.symbol))
        ):
            _refuse(new)
    except ValueError:
        _refuse(new)
    if new.nextFundingTime:
        int(new.nextFundingTime)


def _refuse(new: Ticker) -> None:
    """Raise ValueError that names what is wrong."""
    for name, bound in BOUNDS.items():
        text = getattr(new, name)
        if text and number(text):
            bounded(text, bound._replace(name=name))
    raise ValueError(wrong_symbol(new.symbol))


def _merged(old: Ticker, new: Ticker) -> Ticker:
    for name in Ticker.__struct_fields__:
        if (value := getattr(new, name)) is not None:
            setattr(old, name, value)
    return old


def _rows(new: Ticker, now: Ticker, time: int) -> Iterator[Row]:
    if now.fundingRate and not (new.fundingRate is new.nextFundingTime is new.fundingIntervalHour is None):
        yield funding_of(now, time)
    if now.openInterest and not (new.openInterest is new.openInterestValue is None):
        yield interest_of(now, time)
    if not (new.markPrice is new.indexPrice is None) and (row := price_of(now, time)):
        yield row


def funding_of(now: Ticker, time: int) -> FundingRate:
    """Return the fact of what holds, which must have a rate."""
    rate, hours = number(now.fundingRate or ""), maybe(now.fundingIntervalHour) or None
    return FundingRate(now.symbol, time, rate, later(now.nextFundingTime), hours)


def interest_of(now: Ticker, time: int) -> OpenInterest:
    """Return the fact of what holds, which must have an open interest."""
    symbol, amount, value = now.symbol, number(now.openInterest or ""), maybe(now.openInterestValue)
    if is_inverse(symbol):
        return OpenInterest(symbol, time, amount, "usd", "both", "inverse", value, amount)
    form = symbol_form(symbol)
    usd = value if form and form.quote in DOLLARS else None
    return OpenInterest(symbol, time, amount, "base", "both", "linear", None, usd)


def price_of(now: Ticker, time: int) -> MarkPrice | None:
    """Return the fact of what holds; None where there is neither price."""
    mark, index = maybe(now.markPrice) or None, maybe(now.indexPrice) or None
    return MarkPrice(now.symbol, time, mark, index) if mark or index else None


def ticker_list(frame: RawFrame, held: Held) -> list[Row]:
    """Return the same from a REST answer, which holds every field of every symbol of a category."""
    try:
        answer = decode_answer(frame.payload)
        if (why := without_rows(answer)) is not None:
            return why
        time = moment(answer.time, horizon_ms(frame))
    except BAD as error:
        return rejected(error)

    def read(item: Ticker) -> Iterator[Row]:
        check(item)
        yield from list(_rows(item, item, time)) or nothing(EMPTY)

    return each_raw(answer.result.list or (), _ticker, read, "result.list")


def state(symbol: str, **fields: float | None) -> State:
    """Return what a session held of a symbol, from numbers by the fields' wire names; any delta is newer."""
    texts = {name: str(int(value) if value.is_integer() else value) for name, raw in fields.items()
             if raw is not None and (value := float(raw)) == value and _is_likely(name, value)}  # fmt: skip
    return State(0, Ticker(symbol, **texts))


def _is_likely(name: str, value: float) -> bool:
    return name not in BOUNDS or BOUNDS[name].least <= value <= BOUNDS[name].most
