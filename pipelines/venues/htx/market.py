"""HTX's state: funding, open interest, index, ratios. Facts: exchanges/htx.md §3, §4. A mark price is not published there."""

from collections.abc import Iterable, Iterator

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import (
    FundingInterval,
    FundingRate,
    FundingSettlement,
    Kline,
    LongShortRatio,
    MarkPrice,
    OpenInterest,
    Row,
)
from pipelines.venues.htx.items import read_data
from pipelines.venues.htx.symbols import contract_of, symbol_form
from pipelines.venues.settled import spaced
from pipelines.venues.symbols import DOLLARS
from pipelines.venues.wire import (
    BAD,
    Held,
    Text,
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
LENGTHS = {"1min": "1m", "5min": "5m", "15min": "15m", "30min": "30m", "60min": "1h"}
PERIODS = {"5min": "5m", "15min": "15m", "30min": "30m", "60min": "1h", "4hour": "4h", "1day": "1d"}


class _Candle(msgspec.Struct):
    id: int  # s
    open: Text
    high: Text
    low: Text
    close: Text


class _Funding(msgspec.Struct):
    contract_code: str
    funding_rate: Text | None = None
    settlement_time: Text | None = None


class _Settled(msgspec.Struct):
    contract_code: str
    funding_rate: Text
    funding_time: Text


class _Interest(msgspec.Struct):
    contract_code: str
    volume: float  # contracts
    amount: float | None = None  # coins
    value: float | None = None  # quote


class _Index(msgspec.Struct):
    index_price: float
    index_ts: int
    contract_code: str = ""


class _Share(msgspec.Struct):
    buy_ratio: float
    sell_ratio: float
    ts: int
    locked_ratio: float | None = None


class _Shares(msgspec.Struct):
    list: list[_Share]
    contract_code: str


class _Ratios(msgspec.Struct):
    data: _Shares


class _Tick(msgspec.Struct):
    index_price: Text


class _Basis(msgspec.Struct):
    ch: str
    ts: int
    tick: _Tick


_funding = msgspec.json.Decoder(_Funding).decode
_settled = msgspec.json.Decoder(_Settled).decode
_interest = msgspec.json.Decoder(_Interest).decode
_index = msgspec.json.Decoder(_Index).decode
_candle = msgspec.json.Decoder(_Candle).decode
_ratios = msgspec.json.Decoder(_Ratios).decode
_basis = msgspec.json.Decoder(_Basis).decode


def funding_rates(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the rate of the running period, which ends at `settlement_time`."""
    horizon = horizon_ms(frame)

    def read(time: int, item: _Funding) -> Iterable[Row]:
        if item.funding_rate in (None, ""):
            return nothing("a contract without a rate")
        due = later(int(item.settlement_time) if item.settlement_time else None)
        return [FundingRate(item.contract_code, moment(time, horizon), number(item.funding_rate or 0), due)]

    return read_data(frame, _funding, read)


def settlements(frame: RawFrame, _held: Held) -> list[Row]:
    """Return settled rates with the interval that the settlement before tells, and the newest one's as the contract's."""
    horizon = horizon_ms(frame)

    def read(_time: int, item: _Settled) -> Iterable[Row]:
        time = moment(int(item.funding_time), horizon)
        return [FundingSettlement(item.contract_code, time, number(item.funding_rate))]

    rows = spaced(read_data(frame, _settled, read), INTERVALS_HOURS)
    told = [row for row in rows if isinstance(row, FundingSettlement)]
    newest = max(told, key=lambda row: row.ts_event, default=None)
    if newest and newest.interval_hours:
        rows.append(FundingInterval(newest.symbol, newest.interval_hours))
    return rows


def open_interest(frame: RawFrame, _held: Held) -> list[Row]:
    """Return open interest in contracts, with the coins and, on linear markets, the money that HTX gives itself."""
    horizon = horizon_ms(frame)

    def read(time: int, item: _Interest) -> Iterable[Row]:
        form = symbol_form(item.contract_code)
        in_dollars = form is not None and form.contract == "linear" and form.quote in DOLLARS
        return [OpenInterest(
            item.contract_code, moment(time, horizon), not_negative(item.volume, "volume"), "contract", "undocumented",
            contract_of(item.contract_code), item.amount, item.value if in_dollars else None,
        )]  # fmt: skip

    return read_data(frame, _interest, read)


def index_prices(frame: RawFrame, _held: Held) -> list[Row]:
    """Return index prices, by contract."""
    horizon = horizon_ms(frame)

    def read(_time: int, item: _Index) -> Iterable[Row]:
        if not item.contract_code:
            return nothing("an index of a coin, of no contract")
        price = positive(item.index_price, "index price")
        return [MarkPrice(item.contract_code, moment(item.index_ts, horizon), None, price)]

    return read_data(frame, _index, read)


def basis(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the index price of a `market.<code>.basis.…` frame; of an alias of a week (ETH_NW) none is kept."""
    try:
        found = _basis(frame.payload)
        symbol = found.ch.split(".")[1]
        if contract_of(symbol) is None:
            return nothing(f"{symbol}: an alias, which contract it is changes by the week")
        index = positive(found.tick.index_price, "index price")
        return plausible([MarkPrice(symbol, moment(found.ts, horizon_ms(frame)), None, index)])
    except (*BAD, IndexError) as error:
        return rejected(error)


def ratios(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the shares of top traders: of accounts where some are locked (long and short at once), else of positions."""
    try:
        return plausible(_shares(frame)) or nothing("an empty list")
    except BAD as error:
        return rejected(error)


def _shares(frame: RawFrame) -> Iterator[Row]:
    found, horizon = _ratios(frame.payload).data, horizon_ms(frame)
    period = PERIODS.get(parameter(frame) or "")
    for item in found.list:
        kind = "top_positions" if item.locked_ratio is None else "top_accounts"
        yield LongShortRatio(
            found.contract_code, moment(item.ts, horizon), kind, period,  # type: ignore[arg-type]
            item.buy_ratio / item.sell_ratio if item.sell_ratio else None, item.buy_ratio, item.sell_ratio,
        )  # fmt: skip


def candles(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the candles of an answer, of the contract and length that were asked for; volumes count both sides and are not
    read."""
    horizon, length = horizon_ms(frame), LENGTHS.get(parameter(frame) or "")

    def read(_time: int, item: _Candle) -> Iterable[Row]:
        if length is None:
            raise ValueError(f"candles of unknown length: {parameter(frame)!r}")
        opened, high, low, closed = (number(price) for price in (item.open, item.high, item.low, item.close))
        return [Kline(symbol_of(frame), moment(item.id * 1000, horizon), length, "trade", opened, high, low, closed)]

    return read_data(frame, _candle, read)
