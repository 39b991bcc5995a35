"""Kraken's state and contracts: tickers, settled funding, the list. Facts: exchanges/kraken-futures.md §3, §4.

`relative_funding_rate` is the rate; `funding_rate` is in USD per coin or coins per USD, and is not read. It is paid each hour,
and was each four hours before 2022.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import FundingRate, FundingSettlement, Instrument, Kline, MarkPrice, OpenInterest, Row
from pipelines.venues.kraken.symbols import contract_of, symbol_form
from pipelines.venues.settled import spaced
from pipelines.venues.symbols import unified
from pipelines.venues.wire import (
    BAD,
    Held,
    Text,
    each_raw,
    horizon_ms,
    later,
    moment,
    not_negative,
    nothing,
    number,
    parameter,
    plausible,
    positive,
    rejected,
    symbol_of,
)  # fmt: skip

HOURLY_MS = int(datetime(2023, 1, 1, tzinfo=UTC).timestamp() * 1000)
"""From here on each hour, for certain; the day on which it changed is not known."""
INTERVALS_HOURS = (1.0, 4.0, 8.0)
KINDS = ("futures_inverse", "futures_vanilla", "flexible_futures")


class _Ticker(msgspec.Struct):
    product_id: str
    time: int
    markPrice: float | None = None
    index: float | None = None
    openInterest: float | None = None
    relative_funding_rate: float | None = None
    next_funding_rate_time: float | None = None


class _Listed(msgspec.Struct):
    symbol: str
    markPrice: float | None = None
    indexPrice: float | None = None
    openInterest: float | None = None


class _Tickers(msgspec.Struct):
    tickers: list[msgspec.Raw]
    serverTime: datetime


class _Rate(msgspec.Struct):
    timestamp: datetime
    relativeFundingRate: float


class _Rates(msgspec.Struct):
    rates: list[msgspec.Raw]


class _Candle(msgspec.Struct):
    time: int  # ms
    open: Text
    high: Text
    low: Text
    close: Text
    volume: Text | None = None


class _Candles(msgspec.Struct):
    candles: list[msgspec.Raw]


class _Instrument(msgspec.Struct):
    symbol: str
    type: str
    contractSize: float = 1.0
    tradeable: bool = True
    lastTradingTime: datetime | None = None
    openingDate: datetime | None = None
    base: str = ""
    quote: str = ""


class _Instruments(msgspec.Struct):
    instruments: list[msgspec.Raw]


_ticker = msgspec.json.Decoder(_Ticker).decode
_listed = msgspec.json.Decoder(_Listed).decode
_tickers = msgspec.json.Decoder(_Tickers).decode
_rate = msgspec.json.Decoder(_Rate).decode
_rates = msgspec.json.Decoder(_Rates).decode
_candle = msgspec.json.Decoder(_Candle).decode
_candles = msgspec.json.Decoder(_Candles).decode
_instrument = msgspec.json.Decoder(_Instrument).decode
_instruments = msgspec.json.Decoder(_Instruments).decode


def _ms(time: datetime) -> int:
    return round(time.timestamp() * 1000)


def ticker(frame: RawFrame, _held: Held) -> list[Row]:
    """Return mark and index, the running rate and open interest of a product."""
    try:
        found = _ticker(frame.payload)
        time = moment(found.time, horizon_ms(frame))
        rows = list(_state(found.product_id, time, found.markPrice, found.index, found.openInterest))
        due = later(int(found.next_funding_rate_time or 0))
        if found.relative_funding_rate is not None and due:
            hours = 1.0 if time >= HOURLY_MS else None
            rows.append(FundingRate(found.product_id, time, number(found.relative_funding_rate), due, hours))
        return plausible(rows) or nothing("a ticker without state")
    except BAD as error:
        return rejected(error)


def _state(symbol: str, time: int, mark: float | None, index: float | None, interest: float | None) -> Iterator[Row]:
    if mark or index:
        yield MarkPrice(symbol, time, mark or None, index or None)
    if interest is not None and (contract := contract_of(symbol)):
        unit = "usd" if contract == "inverse" else "base"
        yield OpenInterest(symbol, time, not_negative(interest, "openInterest"), unit, "undocumented", contract)  # type: ignore[arg-type]


def tickers(frame: RawFrame, _held: Held) -> list[Row]:
    """Return mark, index and open interest of each product of an answer; its rates are absolute, and not read."""
    try:
        found = _tickers(frame.payload)
        time = moment(_ms(found.serverTime), horizon_ms(frame))
    except BAD as error:
        return rejected(error)

    def read(item: _Listed) -> Iterable[Row]:
        rows = list(_state(item.symbol, time, item.markPrice, item.indexPrice, item.openInterest))
        return rows or nothing("an index, of no contract")

    return each_raw(found.tickers, _listed, read, "tickers")


def settlements(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the settled rates of the product that was asked for, with the interval that the one before tells."""
    try:
        items = _rates(frame.payload).rates
    except BAD as error:
        return rejected(error)
    horizon = horizon_ms(frame)

    def read(item: _Rate) -> Iterable[Row]:
        time = moment(_ms(item.timestamp), horizon)
        return [FundingSettlement(symbol_of(frame), time, number(item.relativeFundingRate))]

    return spaced(each_raw(items, _rate, read, "rates"), INTERVALS_HOURS)


def candles(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the candles of an answer, of the product and length that were asked for; a volume is as of liquidations."""
    try:
        items, symbol, length = _candles(frame.payload).candles, symbol_of(frame), parameter(frame)
        if length is None:
            raise ValueError("the answer does not say how long its candles are, and the record neither")
    except BAD as error:
        return rejected(error)
    horizon, inverse = horizon_ms(frame), contract_of(symbol) == "inverse"

    def read(item: _Candle) -> Iterable[Row]:
        opened, high, low, closed = (number(price) for price in (item.open, item.high, item.low, item.close))
        volume = None if item.volume is None else not_negative(item.volume, "volume")
        return [Kline(
            symbol, moment(item.time, horizon), length, "trade", opened, high, low, closed,
            volume_base=None if inverse else volume, volume_quote=volume if inverse else None,
        )]  # fmt: skip

    return each_raw(items, _candle, read, "candles")


def instruments(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the contracts; indices carry none."""
    try:
        items = _instruments(frame.payload).instruments
    except BAD as error:
        return rejected(error)
    return each_raw(items, _instrument, _contract, "instruments")


def _contract(item: _Instrument) -> Iterable[Row]:
    form = symbol_form(item.symbol)
    if item.type not in KINDS:
        return nothing(f"{item.type}: not a contract")
    if form is None or form.contract is None or form.settle is None:
        raise ValueError(f"a contract whose name is of no known form: {item.symbol[:60]!r}")
    if (form.contract == "inverse") != (item.type == "futures_inverse"):
        raise ValueError(f"{item.symbol} is of type {item.type}: its name says otherwise")
    perpetual = form.kind == "perpetual"
    return [Instrument(
        item.symbol.upper(), unified(form.base, form.quote, form.settle, form.expiry), form.base, form.quote, form.settle,
        form.contract, "perpetual" if perpetual else "delivery", positive(item.contractSize, "contractSize"), form.multiplier,
        "tradeable" if item.tradeable else "not tradeable", form.family, perpetual, "crypto",
        later(_ms(item.openingDate)) if item.openingDate else None,
        later(_ms(item.lastTradingTime)) if item.lastTradingTime and not perpetual else None,
    )]  # fmt: skip
