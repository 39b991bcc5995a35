"""Crypto.com's state and contracts. Facts: exchanges/crypto-com.md. Rates are per hour."""

from collections.abc import Callable, Iterable
from typing import TypeVar

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import FundingRate, FundingSettlement, Instrument, Kline, MarkPrice, OpenInterest, Row
from pipelines.venues.cryptocom.symbols import contract_of, symbol_form
from pipelines.venues.symbols import unified
from pipelines.venues.wire import (
    BAD,
    Held,
    Parser,
    Text,
    each_raw,
    horizon_ms,
    moment,
    not_negative,
    nothing,
    number,
    parameter,
    positive,
    rejected,
    symbol_of,
)  # fmt: skip

HOURS = 1.0
LENGTHS = {"1m": "1m", "5m": "5m", "15m": "15m", "30m": "30m", "1h": "1h", "4h": "4h", "1D": "1d"}
KINDS = {"PERPETUAL_SWAP": "perpetual", "FUTURE": "delivery"}
Item = TypeVar("Item")


class _Value(msgspec.Struct):
    v: Text
    t: int


class _Candle(msgspec.Struct):
    t: int  # ms
    o: Text
    h: Text
    l: Text  # noqa: E741
    c: Text
    v: Text


class _Ticker(msgspec.Struct):
    i: str
    t: int
    oi: Text | None = None  # coins


class _Instrument(msgspec.Struct):
    symbol: str
    inst_type: str


class _Result(msgspec.Struct):
    data: list[msgspec.Raw] = []
    instrument_name: str = ""


class _Answer(msgspec.Struct):
    code: int = 0
    message: str = ""
    result: _Result | None = None


_answer = msgspec.json.Decoder(_Answer).decode
_value = msgspec.json.Decoder(_Value).decode
_candle = msgspec.json.Decoder(_Candle).decode
_ticker = msgspec.json.Decoder(_Ticker).decode
_instrument = msgspec.json.Decoder(_Instrument).decode


def _items(
    frame: RawFrame, decode: Callable[[msgspec.Raw], Item], read: Callable[[str, Item], Iterable[Row]]
) -> list[Row]:
    """Return the rows of every item, each with the name that the whole has; a refusal carries none."""
    try:
        answer = _answer(frame.payload)
    except BAD as error:
        return rejected(error)
    if answer.result is None:
        return nothing(f"error reply {answer.code}: {answer.message}")
    name = answer.result.instrument_name
    return each_raw(answer.result.data, decode, lambda item: read(name, item))


def values(make: Callable[[str, int, float], Row]) -> Parser:
    """Return the parser of a channel of single values: what `make` makes of a name, a time (UTC ms) and a value."""

    def parse(frame: RawFrame, _held: Held) -> list[Row]:
        horizon = horizon_ms(frame)

        def read(name: str, item: _Value) -> Iterable[Row]:
            return [make(name or symbol_of(frame), moment(item.t, horizon), number(item.v))]

        return _items(frame, _value, read)

    return parse


def rate(symbol: str, time: int, value: float) -> Row:
    """Return the rate of the running hour."""
    return FundingRate(symbol, time, value, None, HOURS)


def settled(symbol: str, time: int, value: float) -> Row:
    """Return what an hour paid."""
    return FundingSettlement(symbol, time - time % 60_000, value, HOURS)


def mark(symbol: str, time: int, value: float) -> Row:
    """Return a contract's mark price."""
    return MarkPrice(symbol, time, positive(value, "mark price"))


def index(symbol: str, time: int, value: float) -> Row:
    """Return an index price, of the index itself."""
    return MarkPrice(symbol, time, None, positive(value, "index price"))


def tickers(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the open interest of each derivative."""
    horizon = horizon_ms(frame)

    def read(_name: str, item: _Ticker) -> Iterable[Row]:
        contract = contract_of(item.i)
        if contract is None or item.oi in (None, ""):
            return nothing(f"{item.i}: not a derivative, or without open interest")
        coins = not_negative(item.oi or 0, "oi")
        return [OpenInterest(item.i, moment(item.t, horizon), coins, "base", "undocumented", contract)]

    return _items(frame, _ticker, read)


def instruments(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the derivatives of a list; spot carries none."""
    return _items(frame, _instrument, lambda _, item: _contract(item))


def _contract(item: _Instrument) -> Iterable[Row]:
    if item.inst_type not in KINDS:
        return nothing(f"{item.inst_type}: not a derivative")
    form = symbol_form(item.symbol)
    if form is None or form.settle is None or form.kind != KINDS[item.inst_type]:
        raise ValueError(f"a derivative whose name is not of its kind: {item.symbol[:60]!r}, {item.inst_type}")
    perpetual = form.kind == "perpetual"
    return [Instrument(
        item.symbol, unified(form.base, form.quote, form.settle, form.expiry), form.base, form.quote, form.settle, "linear",
        "perpetual" if perpetual else "delivery", 1.0, form.multiplier, "listed", form.family, perpetual,
        interval_hours=HOURS if perpetual else None,
    )]  # fmt: skip


def candles(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the candles of an answer, of the length that was asked for; volumes in coins."""
    horizon, length = horizon_ms(frame), LENGTHS.get(parameter(frame) or "")

    def read(name: str, item: _Candle) -> Iterable[Row]:
        if length is None:
            raise ValueError(f"candles of unknown length: {parameter(frame)!r}")
        opened, high, low, closed = (number(price) for price in (item.o, item.h, item.l, item.c))
        return [Kline(
            name or symbol_of(frame), moment(item.t, horizon), length, "trade", opened, high, low, closed,
            volume_base=not_negative(item.v, "v"),
        )]  # fmt: skip

    return _items(frame, _candle, read)
