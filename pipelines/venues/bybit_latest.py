"""The last of many Bybit tickers, with the result of bybit_tickers.tickers: rows are made once, of what holds in the end."""

from collections import Counter
from collections.abc import Iterator, Sequence

from collectors.envelope import RawFrame
from pipelines.rows import FundingRate, MarkPrice, Nothing, Rejected, Row
from pipelines.venues.bybit_tickers import EARLY, OLDER, UNCHANGED, State, Ticker, check, decode, open_interest_of
from pipelines.venues.bybit_tickers import tickers as read_one
from pipelines.venues.latest import Kept
from pipelines.venues.wire import BAD, DAY_MS, EARLIEST_MS, INFINITE, Held, horizon_ms, later, maybe, moment, number


def tickers(frames: Sequence[RawFrame], held: Held) -> Kept:
    """Take every message in and note where funding, open interest and price last changed; updates `held`.

    A message with anything out of the ordinary, an empty text too, goes to the parser of one frame.
    """
    told, rows = bytearray(len(frames)), list[tuple[int, Row]]()
    early = older = unchanged = 0
    noted: dict[tuple[str, str], State] = {}
    session, of_session = "", dict[str, State]()
    surely_ms = min([frame.recv_ns for frame in frames], default=0) // 1_000_000 + DAY_MS
    for position, frame in enumerate(frames):
        if frame.session != session:
            session, of_session = frame.session, {}
        symbol = None
        try:
            message = decode(frame.payload)
            new, time = message.data, message.ts
            symbol = new.symbol
            state = of_session.get(symbol) or held.get((session, symbol))
            if not EARLIEST_MS <= time <= surely_ms:
                moment(time, horizon_ms(frame))
            if message.type == "snapshot":
                snapshot = State(message.cs, new)
                changed = _start(snapshot, position, time)
                if state is not None and state.noted and not _supersedes(snapshot, state):
                    rows += _rows(state, snapshot)
                state = held[session, symbol] = of_session[symbol] = snapshot
            elif state is None:
                early += 1
                continue
            elif message.cs < state.cs:
                older += 1
                continue
            else:
                says_nothing = (
                    new.markPrice is new.indexPrice is new.openInterest is new.openInterestValue is new.fundingRate
                    is new.nextFundingTime is new.fundingIntervalHour is None
                )  # fmt: skip
                changed = not says_nothing and _take(state, new, position, time)
                state.cs = message.cs
        except BAD:
            if symbol is not None and (state := held.get((session, symbol))) is not None:
                rows += _rows(state)
            odd = read_one(frame, held)
            told[position] = not isinstance(odd[0], Nothing | Rejected)
            rows += [(position, row) for row in odd]
            of_session = {}
            continue
        if not changed:
            unchanged += 1
            continue
        told[position] = 1
        if not state.noted:
            state.noted = True
            noted[session, symbol] = of_session[symbol] = state
    rows += [row for state in noted.values() for row in _rows(state)]
    rows.sort(key=lambda entry: entry[0])
    reasons = Counter({EARLY: early, OLDER: older, UNCHANGED: unchanged})
    return Kept(rows, told, +reasons, [])


def _start(state: State, position: int, time: int) -> bool:
    """Note which rows a snapshot gives, and say whether it gives any. Raises ValueError for an impossible number."""
    now = state.ticker
    check(now)
    if now.fundingRate:
        state.rate_at, state.rate_ms = position, time
    if now.openInterest:
        state.interest_at, state.interest_ms = position, time
    if now.markPrice or (now.indexPrice and float(now.indexPrice)):
        state.price_at, state.price_ms = position, time
    return not (state.rate_at < 0 and state.interest_at < 0 and state.price_at < 0)


def _supersedes(new: State, old: State) -> bool:
    """Whether a snapshot gives every row again that is noted of the state before it."""
    return (
        (new.rate_at >= 0 or old.rate_at < 0)
        and (new.interest_at >= 0 or old.interest_at < 0)
        and (new.price_at >= 0 or old.price_at < 0)
    )


def _take(state: State, new: Ticker, position: int, time: int) -> bool:
    """Merge what a delta changed, note which rows it gives, and say whether it gives any.

    Raises ValueError, with nothing merged, unless every number is there in full, or not at all, and possible.
    """
    rate, due, hours = new.fundingRate, new.nextFundingTime, new.fundingIntervalHour
    amount, value, mark, index = new.openInterest, new.openInterestValue, new.markPrice, new.indexPrice
    if (
        (rate is not None and not -INFINITE < float(rate) < INFINITE)
        or (hours is not None and not 0.0 < float(hours) < INFINITE)
        or (amount is not None and not 0.0 <= float(amount) < INFINITE)
        or (value is not None and not 0.0 <= float(value) < INFINITE)
        or (mark is not None and not 0.0 < float(mark) < INFINITE)
        or (index is not None and not 0.0 < float(index) < INFINITE)
        or (due is not None and int(due) < 0)
    ):
        raise ValueError("out of the ordinary")
    now, told = state.ticker, False
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


def _rows(state: State, instead: State | None = None) -> Iterator[tuple[int, Row]]:
    """Yield the rows noted, but those that `instead` gives again, and forget the notes."""
    now = state.ticker
    if state.rate_at >= 0 and (instead is None or instead.rate_at < 0):
        rate, due, hours = number(now.fundingRate or ""), later(now.nextFundingTime), maybe(now.fundingIntervalHour)
        yield state.rate_at, FundingRate(now.symbol, state.rate_ms, rate, due, hours)
    if state.interest_at >= 0 and (instead is None or instead.interest_at < 0):
        amount, value = number(now.openInterest or ""), maybe(now.openInterestValue)
        yield state.interest_at, open_interest_of(now.symbol, state.interest_ms, amount, value)
    if state.price_at >= 0 and (instead is None or instead.price_at < 0):
        mark, index = maybe(now.markPrice) or None, maybe(now.indexPrice) or None
        yield state.price_at, MarkPrice(now.symbol, state.price_ms, mark, index)
    state.rate_at = state.interest_at = state.price_at = -1
    state.noted = False
