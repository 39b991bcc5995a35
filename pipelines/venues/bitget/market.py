"""Bitget's state: tickers of v3 and v2, pushed or asked for, open interest, funding. Facts: exchanges/bitget.md §3, §4.

A next time of 0, or a time of delivery, is that of a contract that pays no funding. Open interest is in coins; of coin-margined
contracts that is not proven.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import FundingRate, FundingSettlement, Kline, LongShortRatio, MarkPrice, OpenInterest, Row
from pipelines.venues.bitget.symbols import contract_of
from pipelines.venues.settled import spaced
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
    parameter,
    rejected,
    symbol_of,
)  # fmt: skip

OLD = ("mc", "sp")
"""Categories of the first generation, which is gone."""
CELLS = 7
"""Of a candle: time, open, high, low, close, coins, quote."""
LENGTHS = {"1m": "1m", "5m": "5m", "15m": "15m", "30m": "30m", "1H": "1h", "4H": "4h", "1Dutc": "1d"}
INTERVALS_HOURS = (1.0, 2.0, 4.0, 8.0)
Item = TypeVar("Item")


class _Arg(msgspec.Struct):
    instType: str = ""
    symbol: str = ""


class _Frame(msgspec.Struct):
    data: msgspec.Raw
    arg: _Arg = msgspec.field(default_factory=_Arg)
    ts: str | int = ""
    requestTime: str | int = ""
    code: str = "00000"
    msg: Any = ""


class _Ticker(msgspec.Struct):
    symbol: str = ""
    instId: str = ""  # v2
    category: str = ""
    fundingRate: str = ""
    nextFundingTime: str | None = None  # REST of v3 has none
    markPrice: str = ""
    indexPrice: str = ""
    openInterest: str = ""
    holdingAmount: str = ""  # v2
    ts: str = ""
    deliveryTime: str = ""


class _Interest(msgspec.Struct):
    symbol: str
    openInterest: str


class _Current(msgspec.Struct):
    symbol: str
    fundingRate: str
    fundingRateInterval: str = ""
    nextUpdate: str = ""


class _Ratio(msgspec.Struct):
    longAccountRatio: str
    shortAccountRatio: str
    longShortAccountRatio: str
    ts: str


class _Settled(msgspec.Struct):
    symbol: str
    fundingRate: str
    fundingRateTimestamp: str


class _Listed(msgspec.Struct):
    list: Sequence[msgspec.Raw] | None = None
    resultList: Sequence[msgspec.Raw] | None = None
    ts: str | int = ""


_frame = msgspec.json.Decoder(_Frame).decode
_items = msgspec.json.Decoder(list[msgspec.Raw]).decode
_listed = msgspec.json.Decoder(_Listed).decode
_ticker = msgspec.json.Decoder(_Ticker).decode
_interest = msgspec.json.Decoder(_Interest).decode
_current = msgspec.json.Decoder(_Current).decode
_ratio = msgspec.json.Decoder(_Ratio).decode
_candle = msgspec.json.Decoder(list[str]).decode
_settled = msgspec.json.Decoder(_Settled).decode


def listed(data: Any) -> Any:
    """Return the items of an answer's data, which is a list or holds one."""
    return data.get("list") or data.get("resultList") if isinstance(data, dict) else data


def read(
    frame: RawFrame, decode: Callable[[msgspec.Raw], Item], rows: Callable[[_Frame, str | int, Item], Iterable[Row]]
) -> list[Row]:
    """Return the rows of every item of a push or an answer, each with the time of the whole; a refusal carries none."""
    try:
        found = _frame(frame.payload)
        if found.code != "00000":
            return nothing(f"error reply {found.code}: {found.msg or ''}")
        if found.arg.instType in OLD:
            return nothing(f"{found.arg.instType}: the first generation of the API, which is gone, is not read")
        is_list = bytes(found.data)[:1] == b"["
        inner = _Listed(_items(found.data)) if is_list else _listed(found.data)
    except BAD as error:
        return rejected(error)
    time = inner.ts or found.ts or found.requestTime
    return each_raw(inner.list or inner.resultList or (), decode, lambda item: rows(found, time, item))


def tickers(frame: RawFrame, _held: Held) -> list[Row]:
    """Return funding, open interest, mark and index of each ticker, as far as it has them."""
    horizon = horizon_ms(frame)

    def rows(found: _Frame, time: str | int, item: _Ticker) -> Iterable[Row]:
        category = found.arg.instType or item.category
        if category.lower() == "spot":
            return nothing("a spot ticker: not a derivative kept here")
        symbol = item.symbol or item.instId or found.arg.symbol
        told = list(_told(category, symbol, item, moment(item.ts or time, horizon)))
        return told or nothing("a ticker without state")

    return read(frame, _ticker, rows)


def _told(category: str, symbol: str, item: _Ticker, time: int) -> Iterator[Row]:
    mark, index = maybe(item.markPrice), maybe(item.indexPrice)
    if mark or index:
        yield MarkPrice(symbol, time, mark or None, index or None)
    due = later(item.nextFundingTime)
    if item.fundingRate and (due or (item.nextFundingTime is None and not item.deliveryTime)):
        yield FundingRate(symbol, time, number(item.fundingRate), due)
    if interest := item.openInterest or item.holdingAmount:
        yield _open_interest(category, symbol, time, interest)


def _open_interest(category: str, symbol: str, time: int, interest: str) -> OpenInterest:
    contract = contract_of(category, symbol)
    unit = "unknown" if contract == "inverse" else "base"
    return OpenInterest(symbol, time, not_negative(interest, "openInterest"), unit, "undocumented", contract)  # type: ignore[arg-type]


def open_interest(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the open interest of each contract of an answer."""
    horizon = horizon_ms(frame)
    return read(
        frame,
        _interest,
        lambda _, time, item: [_open_interest("", item.symbol, moment(time, horizon), item.openInterest)],
    )


def current_rates(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the running rate and its interval, of the time of the answer."""
    horizon = horizon_ms(frame)

    def rows(_found: _Frame, time: str | int, item: _Current) -> Iterable[Row]:
        due, hours = later(item.nextUpdate or None), maybe(item.fundingRateInterval)
        return [FundingRate(item.symbol, moment(time, horizon), number(item.fundingRate), due, hours)]

    return read(frame, _current, rows)


def settlements(frame: RawFrame, _held: Held) -> list[Row]:
    """Return settled rates, with the interval that the settlement before tells."""
    horizon = horizon_ms(frame)
    found = read(
        frame,
        _settled,
        lambda _, _time, item: [
            FundingSettlement(item.symbol, moment(item.fundingRateTimestamp, horizon), number(item.fundingRate))
        ],
    )
    return spaced(found, INTERVALS_HOURS)


def ratios(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the accounts that are long per those that are short, of the contract and bars that were asked for."""
    horizon, period = horizon_ms(frame), parameter(frame)

    def rows(_found: _Frame, _time: str | int, item: _Ratio) -> Iterable[Row]:
        ratio = not_negative(item.longShortAccountRatio, "longShortAccountRatio")
        long, short = number(item.longAccountRatio), number(item.shortAccountRatio)
        return [
            LongShortRatio(symbol_of(frame), moment(item.ts, horizon), "global_accounts", period, ratio, long, short)
        ]

    return read(frame, _ratio, rows)


def candles(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the candles of an answer, of the contract and length that were asked for."""
    horizon, length = horizon_ms(frame), LENGTHS.get(parameter(frame) or "")

    def rows(_found: _Frame, _time: str | int, item: list[str]) -> Iterable[Row]:
        if length is None or len(item) < CELLS:
            raise ValueError(f"not as documented: a candle of length {parameter(frame)!r} with {len(item)} cells")
        opened, high, low, closed = (number(cell) for cell in item[1:5])
        coins, money = not_negative(item[5], "volume"), not_negative(item[6], "volume in quote")
        return [Kline(
            symbol_of(frame), moment(item[0], horizon), length, "trade", opened, high, low, closed, volume_base=coins,
            volume_quote=money,
        )]  # fmt: skip

    return read(frame, _candle, rows)
