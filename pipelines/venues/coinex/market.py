"""CoinEx's state and markets. Facts: exchanges/coinex.md §3. An answer has no time of its own: it has that of its arrival.

The rate to come is `next_funding_rate`; the latest is settled, and in the history it is `actual_funding_rate`, which is
capped.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Literal

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import FundingRate, FundingSettlement, Instrument, MarkPrice, OpenInterest, Row
from pipelines.venues.coinex.answers import read_items
from pipelines.venues.coinex.symbols import contract_of, symbol_form
from pipelines.venues.settled import spaced
from pipelines.venues.symbols import one_coin, unified
from pipelines.venues.wire import (
    BAD,
    Held,
    each_raw,
    horizon_ms,
    later,
    maybe,
    moment,
    not_negative,
    nothing,
    number,
    rejected,
)  # fmt: skip

INTERVALS_HOURS = (1.0, 2.0, 4.0, 8.0)
HOUR_MS = 3_600_000
ARRIVED = "an answer without a time, and when it was received is not known"
NO_MARKET = "an index or a sign price, no market"


class _State(msgspec.Struct):
    market: str
    mark_price: str | None = None
    index_price: str | None = None
    open_interest_volume: str | None = None
    open_interest_size: str | None = None
    next_funding_rate: str | None = None
    latest_funding_time: int = 0
    next_funding_time: int = 0


class _States(msgspec.Struct):
    state_list: list[msgspec.Raw]


class _Push(msgspec.Struct):
    data: msgspec.Raw


class _Settled(msgspec.Struct):
    market: str
    funding_time: int
    actual_funding_rate: str


class _Market(msgspec.Struct):
    market: str
    contract_type: Literal["linear", "inverse"]
    base_ccy: str
    quote_ccy: str
    is_market_available: bool = True


_state = msgspec.json.Decoder(_State).decode
_states = msgspec.json.Decoder(_States).decode
_push = msgspec.json.Decoder(_Push).decode
_settled = msgspec.json.Decoder(_Settled).decode
_market = msgspec.json.Decoder(_Market).decode


def states(frame: RawFrame, _held: Held) -> list[Row]:
    """Return mark and index, the rate to come and open interest of every market of an answer, as far as it has them."""
    return read_items(frame, _state, _reader(frame))


def pushed(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the same of a push: `state` has a list of markets, `index` is of one."""
    try:
        data = _push(frame.payload).data
        if b'"state_list"' in bytes(data)[:20]:
            return each_raw(_states(data).state_list, _state, _reader(frame), "state_list")
        return each_raw([data], _state, _reader(frame))
    except BAD as error:
        return rejected(error)


def _reader(frame: RawFrame) -> Callable[[_State], Iterable[Row]]:
    horizon, arrived = horizon_ms(frame), frame.at_ns // 1_000_000

    def read(item: _State) -> Iterable[Row]:
        if contract_of(item.market.strip()) is None:
            return nothing(f"{item.market}: {NO_MARKET}")
        if not arrived:
            return nothing(ARRIVED)
        return list(_told(item, moment(arrived, horizon))) or nothing("a market without state")

    return read


def _told(item: _State, time: int) -> Iterator[Row]:
    symbol, contract = item.market.strip(), contract_of(item.market.strip())
    mark, index = maybe(item.mark_price), maybe(item.index_price)
    if mark or index:
        yield MarkPrice(symbol, time, mark or None, index or None)
    if (rate := maybe(item.next_funding_rate)) is not None and (due := later(item.next_funding_time)):
        hours = (item.next_funding_time - item.latest_funding_time) / HOUR_MS
        yield FundingRate(symbol, time, rate, due, hours if hours in INTERVALS_HOURS else None)
    if interest := item.open_interest_volume or item.open_interest_size:
        unit = "base" if contract == "linear" else "unknown"
        amount = not_negative(interest, "open interest")
        yield OpenInterest(symbol, time, amount, unit, "undocumented", contract)  # type: ignore[arg-type]


def settlements(frame: RawFrame, _held: Held) -> list[Row]:
    """Return settled rates, with the interval that the settlement before tells."""
    horizon = horizon_ms(frame)

    def read(item: _Settled) -> Iterable[Row]:
        time = moment(item.funding_time, horizon)
        return [FundingSettlement(item.market.strip(), time - time % 60_000, number(item.actual_funding_rate))]

    return spaced(read_items(frame, _settled, read), INTERVALS_HOURS)


def instruments(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the markets of a list."""
    return read_items(frame, _market, _instrument)


def _instrument(item: _Market) -> Iterable[Row]:
    symbol, form = item.market.strip(), symbol_form(item.market.strip())
    if form is None or form.contract != item.contract_type:
        raise ValueError(f"a market whose name is not of its kind: {symbol[:60]!r}, {item.contract_type}")
    (base, multiplier), inverse = one_coin(item.base_ccy), item.contract_type == "inverse"
    settle = base if inverse else item.quote_ccy
    return [Instrument(
        symbol, unified(base, item.quote_ccy, settle), base, item.quote_ccy, settle, item.contract_type, "perpetual", 1.0,
        multiplier, "available" if item.is_market_available else "not available", form.family, True,
    )]  # fmt: skip
