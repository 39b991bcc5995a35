"""dYdX v4's state and markets: oracle price, running and settled funding, open interest. Facts: exchanges/dydx-v4.md §3,
§4.

The oracle's price is what positions are marked with and what funding follows: it is mark and index. Only it has a time;
all else has that of its arrival. Rates are per hour.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import FundingRate, FundingSettlement, Instrument, Kline, MarkPrice, OpenInterest, Row
from pipelines.venues.dydx.symbols import contract_of, symbol_form
from pipelines.venues.symbols import unified
from pipelines.venues.wire import (
    BAD,
    Held,
    each,
    each_raw,
    horizon_ms,
    maybe,
    moment,
    not_negative,
    nothing,
    number,
    rejected,
)  # fmt: skip

HOURS = 1.0
LENGTHS = {"1MIN": "1m", "5MINS": "5m", "15MINS": "15m", "30MINS": "30m", "1HOUR": "1h", "4HOURS": "4h", "1DAY": "1d"}
ARRIVED = "a state without a time, and when it was received is not known"


class _State(msgspec.Struct):
    oraclePrice: str | None = None
    effectiveAt: datetime | None = None
    openInterest: str | None = None
    nextFundingRate: str | None = None


class _Contents(msgspec.Struct):
    markets: dict[str, _State] = {}
    trading: dict[str, _State] = {}
    oraclePrices: dict[str, _State] = {}


class _Push(msgspec.Struct):
    contents: _Contents | list[_Contents]


class _Rate(msgspec.Struct):
    ticker: str
    rate: str
    effectiveAt: datetime


class _Rates(msgspec.Struct):
    historicalFunding: list[msgspec.Raw]


class _Candle(msgspec.Struct):
    startedAt: datetime
    ticker: str
    resolution: str
    open: str
    high: str
    low: str
    close: str
    baseTokenVolume: str
    usdVolume: str
    trades: int | None = None


class _Candles(msgspec.Struct):
    candles: list[msgspec.Raw]


class _Market(msgspec.Struct):
    ticker: str
    status: str = ""


class _Markets(msgspec.Struct):
    markets: dict[str, _Market]


_push = msgspec.json.Decoder(_Push).decode
_rates = msgspec.json.Decoder(_Rates).decode
_rate = msgspec.json.Decoder(_Rate).decode
_candles = msgspec.json.Decoder(_Candles).decode
_candle = msgspec.json.Decoder(_Candle).decode
_markets = msgspec.json.Decoder(_Markets).decode


def _ms(time: datetime) -> int:
    return round(time.timestamp() * 1000)


def markets(frame: RawFrame, _held: Held) -> list[Row]:
    """Return what a push, or the first answer to the subscription, says of each market."""
    try:
        contents = _push(frame.payload).contents
    except BAD as error:
        return rejected(error)
    several = [contents] if isinstance(contents, _Contents) else contents
    items = [item for one in several for part in (one.markets, one.trading, one.oraclePrices) for item in part.items()]
    horizon, arrived = horizon_ms(frame), frame.at_ns // 1_000_000

    def read(item: tuple[str, _State]) -> Iterable[Row]:
        symbol, state = item
        at = _ms(state.effectiveAt) if state.effectiveAt else arrived
        return (list(_told(symbol, state, moment(at, horizon))) or nothing("no state")) if at else nothing(ARRIVED)

    return each(items, read, "contents")


def _told(symbol: str, state: _State, time: int) -> Iterator[Row]:
    if price := maybe(state.oraclePrice):
        yield MarkPrice(symbol, time, price, price)
    if (rate := maybe(state.nextFundingRate)) is not None:
        yield FundingRate(symbol, time, rate, None, HOURS)
    if state.openInterest:
        coins = not_negative(state.openInterest, "openInterest")
        yield OpenInterest(symbol, time, coins, "base", "undocumented", contract_of(symbol))


def settlements(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the settled rates of an answer."""
    try:
        items = _rates(frame.payload).historicalFunding
    except BAD as error:
        return rejected(error)
    horizon = horizon_ms(frame)

    def read(item: _Rate) -> Iterable[Row]:
        time = moment(_ms(item.effectiveAt), horizon)  # some ms late
        return [FundingSettlement(item.ticker, time - time % 60_000, number(item.rate), HOURS)]

    return each_raw(items, _rate, read, "historicalFunding")


def candles(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the candles of an answer; each says of what it is, and how long."""
    try:
        items = _candles(frame.payload).candles
    except BAD as error:
        return rejected(error)
    horizon = horizon_ms(frame)

    def read(item: _Candle) -> Iterable[Row]:
        if (length := LENGTHS.get(item.resolution)) is None:
            raise ValueError(f"a candle of unknown length: {item.resolution[:20]!r}")
        opened, high, low, closed = (number(text) for text in (item.open, item.high, item.low, item.close))
        coins, dollars = (
            not_negative(item.baseTokenVolume, "baseTokenVolume"),
            not_negative(item.usdVolume, "usdVolume"),
        )
        return [Kline(
            item.ticker, moment(_ms(item.startedAt), horizon), length, "trade", opened, high, low, closed, volume_base=coins,
            volume_quote=dollars, trades=item.trades,
        )]  # fmt: skip

    return each_raw(items, _candle, read, "candles")


def instruments(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the markets of a list."""
    try:
        found = list(_markets(frame.payload).markets.values())
    except BAD as error:
        return rejected(error)
    return each(found, _instrument, "markets")


def _instrument(item: _Market) -> Iterable[Row]:
    form = symbol_form(item.ticker)
    if form is None or form.settle is None:
        raise ValueError(f"a market whose name is of no known form: {item.ticker[:60]!r}")
    return [Instrument(
        item.ticker, unified(form.base, form.quote, form.settle), form.base, form.quote, form.settle, "linear", "perpetual",
        1.0, 1, item.status.lower() or "listed", form.family, True, interval_hours=HOURS,
    )]  # fmt: skip
