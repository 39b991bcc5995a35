"""The last of many Bybit tickers, with the result of bybit_tickers.tickers: rows are made once, of what holds in the end."""

from collections import Counter
from collections.abc import Iterator, Sequence

from collectors.envelope import RawFrame
from pipelines.rows import FundingRate, MarkPrice, Nothing, Rejected, Row
from pipelines.venues.bybit_tickers import EARLY, OLDER, UNCHANGED, State, Ticker, decode, open_interest_of
from pipelines.venues.bybit_tickers import tickers as read_one
from pipelines.venues.latest import Kept
from pipelines.venues.wire import BAD, DAY_MS, EARLIEST_MS, INFINITE, LATEST_MS, Held, later, maybe, number


def tickers(frames: Sequence[RawFrame], held: Held) -> Kept:
    """Take every message in and note where funding, open interest and price last changed; updates `held`.

    A message with anything out of the ordinary, an empty text too, goes to the parser of one frame.
    """
    told, rows, reasons = bytearray(len(frames)), list[tuple[int, Row]](), Counter[str]()
    touched: dict[int, State] = {}
    for position, frame in enumerate(frames):
        key: tuple[str, str] | None = None
        try:
            message = decode(frame.payload)
            new, recv_ns = message.data, frame.recv_ns
            key = (frame.session, new.symbol)
            state = held.get(key)
            if not EARLIEST_MS <= message.ts <= (recv_ns // 1_000_000 + DAY_MS if recv_ns else LATEST_MS):
                raise ValueError
            if message.type == "snapshot":
                snapshot = State(message.cs, new)
                told[position] = _take(snapshot, new, position, message.ts)
                if id(state) in touched:
                    rows += _rows(touched.pop(id(state)))
                state = held[key] = snapshot
            elif state is None:
                reasons[EARLY] += 1
                continue
            elif message.cs < state.cs:
                reasons[OLDER] += 1
                continue
            else:
                told[position] = _take(state, new, position, message.ts)
                state.cs = message.cs
        except BAD:
            if key is not None and id(state := held.get(key)) in touched:
                rows += _rows(touched.pop(id(state)))
            odd = read_one(frame, held)
            told[position] = not isinstance(odd[0], Nothing | Rejected)
            rows += [(position, row) for row in odd]
            continue
        if told[position]:
            touched[id(state)] = state
        else:
            reasons[UNCHANGED] += 1
    rows += [row for state in touched.values() for row in _rows(state)]
    rows.sort(key=lambda entry: entry[0])
    return Kept(rows, told, reasons, [])


def _take(state: State, new: Ticker, position: int, time: int) -> bool:
    """Merge what changed, note which rows it gives, and say whether it gives any.

    Raises ValueError, with nothing merged, unless every number is there in full, or not at all, and possible.
    """
    now, sound = state.ticker, True
    rate, due, hours = new.fundingRate, new.nextFundingTime, new.fundingIntervalHour
    amount, value, mark, index = new.openInterest, new.openInterestValue, new.markPrice, new.indexPrice
    if rate is not None:
        sound = -INFINITE < float(rate) < INFINITE
    if due is not None:
        int(due)
    if hours is not None:
        sound &= 0.0 < float(hours) < INFINITE
    if amount is not None:
        sound &= 0.0 <= float(amount) < INFINITE
    if value is not None:
        sound &= 0.0 <= float(value) < INFINITE
    if mark is not None:
        sound &= 0.0 < float(mark) < INFINITE
    if index is not None:
        sound &= 0.0 < float(index) < INFINITE
    if not sound:
        raise ValueError("out of the ordinary")
    told = False
    if not (rate is due is hours is None):
        if rate is not None:
            now.fundingRate = rate
        if due is not None:
            now.nextFundingTime = due
        if hours is not None:
            now.fundingIntervalHour = hours
        if now.fundingRate:
            state.rate_at, state.rate_ms, told = position, time, True
    if not (amount is value is None):
        if amount is not None:
            now.openInterest = amount
        if value is not None:
            now.openInterestValue = value
        if now.openInterest:
            state.interest_at, state.interest_ms, told = position, time, True
    if not (mark is index is None):
        if mark is not None:
            now.markPrice = mark
        if index is not None:
            now.indexPrice = index
        state.price_at, state.price_ms, told = position, time, True
    return told


def _rows(state: State) -> Iterator[tuple[int, Row]]:
    """Yield the rows noted, of what the state holds, and forget the notes."""
    now = state.ticker
    if state.rate_at >= 0:
        rate, due, hours = number(now.fundingRate or ""), later(now.nextFundingTime), maybe(now.fundingIntervalHour)
        yield state.rate_at, FundingRate(now.symbol, state.rate_ms, rate, due, hours)
    if state.interest_at >= 0:
        amount, value = number(now.openInterest or ""), maybe(now.openInterestValue)
        yield state.interest_at, open_interest_of(now.symbol, state.interest_ms, amount, value)
    if state.price_at >= 0:
        mark, index = maybe(now.markPrice) or None, maybe(now.indexPrice) or None
        yield state.price_at, MarkPrice(now.symbol, state.price_ms, mark, index)
    state.rate_at = state.interest_at = state.price_at = -1
