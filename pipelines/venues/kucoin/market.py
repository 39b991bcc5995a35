"""KuCoin's state and contracts. Facts: exchanges/kucoin-futures.md §3, §4. An answer has no time: it has that of its
arrival.

`fundingFeeRate` is the rate of the running interval, fixed at its begin; the predicted one is of the interval after and
not read. Open interest is in contracts, whose `multiplier` is in coins, or negative where a contract is of dollars.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import Contract, FundingRate, FundingSettlement, Instrument, Kline, MarkPrice, OpenInterest, Row
from pipelines.venues.kucoin.symbols import COINS
from pipelines.venues.settled import spaced
from pipelines.venues.symbols import one_coin, unified, yymmdd
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

INTERVALS_HOURS = (1.0, 2.0, 4.0, 8.0)
HOUR_MS, MINUTE_MS = 3_600_000, 60_000
PERPETUAL = "FFWCSX"
ARRIVED = "an answer without a time, and when it was received is not known"
_INTERVAL = re.compile(r"FPI(\d+)H")
Item = TypeVar("Item")


CANDLE = 5
"""Time, open, high, low, close."""
LENGTHS = {"1": "1m", "5": "5m", "15": "15m", "30": "30m", "60": "1h", "240": "4h", "1440": "1d"}


class _Contract(msgspec.Struct):
    symbol: str
    type: str
    baseCurrency: str
    quoteCurrency: str
    settleCurrency: str
    multiplier: float
    isInverse: bool
    status: str = ""
    openInterest: str | None = None
    markPrice: float | None = None
    indexPrice: float | None = None
    fundingFeeRate: float | None = None
    nextFundingRateTime: int | None = None  # ms until then
    fundingRateSymbol: str | None = None
    firstOpenDate: int | None = None
    expireDate: int | None = None


class _Answer(msgspec.Struct):
    code: str = ""
    msg: str = ""
    data: list[msgspec.Raw] | None = None


class _Settled(msgspec.Struct):
    symbol: str
    fundingRate: float
    timepoint: int


class _Interest(msgspec.Struct):
    openInterest: str
    ts: int


class _Data(msgspec.Struct):
    timestamp: int
    granularity: int = 0
    markPrice: float | None = None
    indexPrice: float | None = None
    fundingRate: float | None = None


class _Push(msgspec.Struct):
    topic: str
    subject: str
    data: _Data


_answer = msgspec.json.Decoder(_Answer).decode
_contract = msgspec.json.Decoder(_Contract).decode
_settled = msgspec.json.Decoder(_Settled).decode
_interest = msgspec.json.Decoder(_Interest).decode
_candle = msgspec.json.Decoder(list[Text]).decode
_push = msgspec.json.Decoder(_Push).decode


def _items(frame: RawFrame, decode: Callable[[msgspec.Raw], Item], read: Callable[[Item], Iterable[Row]]) -> list[Row]:
    try:
        answer = _answer(frame.payload)
    except BAD as error:
        return rejected(error)
    if answer.data is None:
        return nothing(f"error reply {answer.code}: {answer.msg}")
    return each_raw(answer.data, decode, read)


def _kind(item: _Contract) -> Contract:
    if (item.multiplier < 0) != item.isInverse:
        raise ValueError(f"{item.symbol}: multiplier {item.multiplier:g}, and isInverse is {item.isInverse}")
    return "inverse" if item.isInverse else "linear"


def _hours(item: _Contract) -> float | None:
    found = _INTERVAL.search(item.fundingRateSymbol or "")
    return float(found[1]) if found and float(found[1]) in INTERVALS_HOURS else None


def states(frame: RawFrame, _held: Held) -> list[Row]:
    """Return mark and index, the running rate and open interest of each contract of an answer."""
    horizon, arrived = horizon_ms(frame), frame.at_ns // 1_000_000

    def read(item: _Contract) -> Iterable[Row]:
        return list(_told(item, moment(arrived, horizon))) if arrived else nothing(ARRIVED)

    return _items(frame, _contract, read)


def _told(item: _Contract, time: int) -> Iterator[Row]:
    if item.markPrice or item.indexPrice:
        yield MarkPrice(item.symbol, time, item.markPrice or None, item.indexPrice or None)
    if item.fundingFeeRate is not None and item.nextFundingRateTime is not None:
        due = (time + item.nextFundingRateTime + MINUTE_MS // 2) // MINUTE_MS * MINUTE_MS
        yield FundingRate(item.symbol, time, item.fundingFeeRate, later(due), _hours(item))
    if item.openInterest:
        contracts = not_negative(item.openInterest, "openInterest")
        yield OpenInterest(item.symbol, time, contracts, "contract", "undocumented", _kind(item))


def pushed(frame: RawFrame, _held: Held) -> list[Row]:
    """Return mark and index, or the running rate, of a pushed change."""
    try:
        found = _push(frame.payload)
        symbol, data = found.topic.rpartition(":")[2], found.data
        time = moment(data.timestamp, horizon_ms(frame))
        if data.markPrice or data.indexPrice:
            return plausible([MarkPrice(symbol, time, data.markPrice or None, data.indexPrice or None)])
        hours = data.granularity / HOUR_MS
        if data.fundingRate is None or hours not in INTERVALS_HOURS:
            return nothing("a prediction of each minute, beside the rate of the interval")
        return plausible([FundingRate(symbol, time, data.fundingRate, None, hours)])
    except BAD as error:
        return rejected(error)


def settlements(frame: RawFrame, _held: Held) -> list[Row]:
    """Return settled rates, with the interval that the settlement before tells."""
    horizon = horizon_ms(frame)

    def read(item: _Settled) -> Iterable[Row]:
        return [FundingSettlement(item.symbol, moment(item.timepoint, horizon), number(item.fundingRate))]

    return spaced(_items(frame, _settled, read), INTERVALS_HOURS)


def interest_history(frame: RawFrame, _held: Held) -> list[Row]:
    """Return bars of open interest of the contract that was asked for, in contracts."""
    horizon = horizon_ms(frame)

    def read(item: _Interest) -> Iterable[Row]:
        amount = not_negative(item.openInterest, "openInterest")
        return [
            OpenInterest(
                symbol_of(frame), moment(item.ts, horizon), amount, "contract", "undocumented", period="unknown"
            )
        ]

    return _items(frame, _interest, read)


def instruments(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the contracts of a list. `isQuanto` is set on plain linear ones and not read."""
    return _items(frame, _contract, _instrument)


def _instrument(item: _Contract) -> Iterable[Row]:
    coin, settle = (COINS.get(name, name) for name in (item.baseCurrency, item.settleCurrency))
    base, multiplier = one_coin(coin)
    contract, perpetual = _kind(item), item.type == PERPETUAL
    expiry = "" if perpetual or not item.expireDate else yymmdd(item.expireDate)
    return [Instrument(
        item.symbol, unified(base, item.quoteCurrency, settle, expiry), base, item.quoteCurrency, settle, contract,
        "perpetual" if perpetual else "delivery", positive(abs(item.multiplier), "multiplier"), multiplier,
        item.status.lower() or "listed", item.symbol, perpetual, "crypto", later(item.firstOpenDate), later(item.expireDate),
        _hours(item) if perpetual else None,
    )]  # fmt: skip


def candles(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the candles of an answer, of the contract and length (minutes) that were asked for; what a volume is in is not
    proven."""
    horizon, length = horizon_ms(frame), LENGTHS.get(parameter(frame) or "")

    def read(item: list[Text]) -> Iterable[Row]:
        if length is None:
            raise ValueError(f"candles of unknown length: {parameter(frame)!r}")
        if len(item) < CANDLE:
            raise ValueError("not as documented: no candle")
        time, opened, high, low, closed = (number(cell) for cell in item[:CANDLE])
        return [Kline(symbol_of(frame), moment(int(time), horizon), length, "trade", opened, high, low, closed)]

    return _items(frame, _candle, read)
