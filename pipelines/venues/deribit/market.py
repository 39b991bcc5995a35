"""Deribit's state and instruments: tickers, summaries, settled funding, the list. Facts: exchanges/deribit.md §3, §4.

Funding accrues all the time. `current_funding` is the rate for eight hours at this moment; what an hour paid is `interest_1h`.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import FundingRate, FundingSettlement, Instrument, Kline, MarkPrice, OpenInterest, Row
from pipelines.venues.deribit.symbols import UNITS, contract_of, symbol_form
from pipelines.venues.symbols import unified
from pipelines.venues.wire import (
    BAD,
    Held,
    each,
    each_raw,
    horizon_ms,
    later,
    moment,
    not_negative,
    nothing,
    parameter,
    plausible,
    positive,
    rejected,
    symbol_of,
)  # fmt: skip

RUNNING_HOURS, PAID_HOURS = 8.0, 1.0
KINDS = {"reversed": "inverse", "linear": "linear"}
NO_FUTURE = "an option, a spread or an index, not a future"
Item = TypeVar("Item")


LENGTHS = {"1": "1m", "5": "5m", "15": "15m", "30": "30m", "60": "1h", "1D": "1d"}


class _State(msgspec.Struct):
    instrument_name: str
    timestamp: int = 0
    creation_timestamp: int = 0
    mark_price: float | None = None
    index_price: float | None = None
    open_interest: float | None = None
    current_funding: float | None = None


class _Data(msgspec.Struct):
    data: _State


class _Push(msgspec.Struct):
    params: _Data


class _Answer(msgspec.Struct):
    result: list[msgspec.Raw]


class _Rate(msgspec.Struct):
    timestamp: int
    interest_1h: float


class _Instrument(msgspec.Struct):
    instrument_name: str
    kind: str
    instrument_type: str = ""
    contract_size: float = 1.0
    is_active: bool = True
    settlement_period: str = ""
    creation_timestamp: int = 0
    expiration_timestamp: int = 0


class _Columns(msgspec.Struct):
    ticks: list[int]
    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]
    volume: list[float]
    cost: list[float]
    status: str = "ok"


class _Chart(msgspec.Struct):
    result: _Columns


_chart = msgspec.json.Decoder(_Chart).decode
_push = msgspec.json.Decoder(_Push).decode
_answer = msgspec.json.Decoder(_Answer).decode
_state = msgspec.json.Decoder(_State).decode
_rate = msgspec.json.Decoder(_Rate).decode
_instrument = msgspec.json.Decoder(_Instrument).decode


def ticker(frame: RawFrame, _held: Held) -> list[Row]:
    """Return mark and index, the running rate and open interest of a future."""
    try:
        return plausible(_told(_push(frame.payload).params.data, horizon_ms(frame)))
    except BAD as error:
        return rejected(error)


def _items(frame: RawFrame, decode: Callable[[msgspec.Raw], Item], read: Callable[[Item], Iterable[Row]]) -> list[Row]:
    try:
        items = _answer(frame.payload).result
    except BAD as error:
        return rejected(error)
    return each_raw(items, decode, read, "result")


def summaries(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the same of each instrument of an answer; it has no index."""
    horizon = horizon_ms(frame)
    return _items(frame, _state, lambda item: _told(item, horizon))


def _told(item: _State, horizon: int) -> list[Row]:
    if contract_of(item.instrument_name) is None:
        return nothing(f"{item.instrument_name}: {NO_FUTURE}")
    time = moment(item.timestamp or item.creation_timestamp, horizon)
    return list(_rows(item, time)) or nothing("an instrument without state")


def _rows(item: _State, time: int) -> Iterator[Row]:
    symbol, contract = item.instrument_name, contract_of(item.instrument_name)
    if item.mark_price or item.index_price:
        yield MarkPrice(symbol, time, item.mark_price or None, item.index_price or None)
    if item.current_funding is not None:
        yield FundingRate(symbol, time, item.current_funding, None, RUNNING_HOURS)
    if item.open_interest is not None and contract is not None:
        interest = not_negative(item.open_interest, "open_interest")
        yield OpenInterest(symbol, time, interest, UNITS[contract], "undocumented", contract)


def settlements(frame: RawFrame, _held: Held) -> list[Row]:
    """Return what each hour paid, of the perpetual that was asked for."""
    horizon = horizon_ms(frame)

    def read(item: _Rate) -> Iterable[Row]:
        return [FundingSettlement(symbol_of(frame), moment(item.timestamp, horizon), item.interest_1h, PAID_HOURS)]

    return _items(frame, _rate, read)


def instruments(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the futures of a list; options, combinations and spot carry none."""
    return _items(frame, _instrument, _contract)


def _contract(item: _Instrument) -> Iterable[Row]:
    if item.kind != "future":
        return nothing(f"{item.kind}: not a future")
    form = symbol_form(item.instrument_name)
    if form is None or form.contract is None or form.settle is None:
        raise ValueError(f"a future whose name is of no known form: {item.instrument_name[:60]!r}")
    if KINDS.get(item.instrument_type) != form.contract:
        raise ValueError(f"{item.instrument_name} is {item.instrument_type}: its name says otherwise")
    perpetual = item.settlement_period == "perpetual"
    return [Instrument(
        item.instrument_name, unified(form.base, form.quote, form.settle, form.expiry), form.base, form.quote, form.settle,
        form.contract, "perpetual" if perpetual else "delivery", positive(item.contract_size, "contract_size"),
        form.multiplier, "active" if item.is_active else "not active", form.family, perpetual, "crypto",
        later(item.creation_timestamp), None if perpetual else later(item.expiration_timestamp),
        PAID_HOURS if perpetual else None,
    )]  # fmt: skip


def candles(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the candles of an answer, a list a figure, of the instrument and length that were asked for."""
    try:
        found, symbol = _chart(frame.payload).result, symbol_of(frame)
        if (length := LENGTHS.get(parameter(frame) or "")) is None:
            raise ValueError(f"candles of unknown length: {parameter(frame)!r}")
        columns = (found.ticks, found.open, found.high, found.low, found.close, found.volume, found.cost)
        if len({len(column) for column in columns}) > 1:
            raise ValueError("not as documented: lists of unlike length")
        items = list(zip(*columns, strict=True))
    except BAD as error:
        return rejected(error)
    horizon = horizon_ms(frame)

    def read(item: tuple[float, ...]) -> Iterable[Row]:
        time, opened, high, low, closed, volume, cost = item
        coins, money = not_negative(volume, "volume"), not_negative(cost, "cost")
        return [Kline(
            symbol, moment(int(time), horizon), length, "trade", opened, high, low, closed, volume_base=coins,
            volume_quote=money,
        )]  # fmt: skip

    return each(items, read, "ticks")
