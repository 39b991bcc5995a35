"""Gate's state: tickers, statistics, settled funding. Facts: exchanges/gateio-futures.md §2 to §4.

An answer has no time of its own.
"""

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import FundingRate, FundingSettlement, Kline, LongShortRatio, MarkPrice, OpenInterest, Row
from pipelines.venues.gateio.items import in_ms, read_items
from pipelines.venues.gateio.symbols import contract_of
from pipelines.venues.settled import spaced
from pipelines.venues.wire import (
    Held,
    Text,
    horizon_ms,
    maybe,
    moment,
    not_negative,
    nothing,
    number,
    parameter,
    symbol_of,
)  # fmt: skip

INTERVALS_HOURS = (1.0, 2.0, 4.0, 8.0)
DELIVERED_PARTS = 3
RATIOS: tuple[tuple[str, Literal["global_accounts", "top_accounts", "top_positions", "taker"]], ...] = (
    ("lsr_account", "global_accounts"), ("top_lsr_account", "top_accounts"), ("top_lsr_size", "top_positions"),
    ("lsr_taker", "taker"),
)  # fmt: skip


class _Ticker(msgspec.Struct):
    contract: str
    total_size: Text | None = None  # contracts
    mark_price: Text | None = None
    index_price: Text | None = None
    funding_rate: Text | None = None


class _Settled(msgspec.Struct):
    t: int
    r: Text


class _Stats(msgspec.Struct):
    time: int
    contract: str = ""
    open_interest: Text | None = None
    open_interest_usd: Text | None = None
    lsr_account: float | None = None
    lsr_taker: float | None = None
    top_lsr_account: float | None = None
    top_lsr_size: float | None = None


class _Candle(msgspec.Struct):
    t: int  # s
    o: Text
    h: Text
    l: Text  # noqa: E741
    c: Text
    v: Text | None = None  # contracts
    sum: Text | None = None  # quote


_candle = msgspec.json.Decoder(_Candle).decode
_ticker = msgspec.json.Decoder(_Ticker).decode
_settled = msgspec.json.Decoder(_Settled).decode
_stats = msgspec.json.Decoder(_Stats).decode


def tickers(frame: RawFrame, _held: Held) -> list[Row]:
    """Return mark and index, the running rate and open interest of each ticker."""
    horizon = horizon_ms(frame)

    def read(time: int, item: _Ticker) -> Iterable[Row]:
        if not time:
            return nothing("an answer without a time, and when it was received is not known")
        return list(_told(item, moment(time, horizon))) or nothing("a ticker without state")

    return read_items(frame, _ticker, read)


def _told(item: _Ticker, time: int) -> Iterator[Row]:
    mark, index = maybe(item.mark_price), maybe(item.index_price)
    if mark or index:
        yield MarkPrice(item.contract, time, mark or None, index or None)
    if item.funding_rate not in (None, "") and item.contract.count("_") + 1 < DELIVERED_PARTS:
        yield FundingRate(item.contract, time, number(item.funding_rate or 0))
    if item.total_size not in (None, ""):
        size = not_negative(item.total_size or 0, "total_size")
        yield OpenInterest(item.contract, time, size, "contract", "undocumented", contract_of(item.contract))


def settlements(frame: RawFrame, _held: Held) -> list[Row]:
    """Return settled rates of the contract that was asked for, with the interval that the settlement before tells."""
    horizon = horizon_ms(frame)

    def read(_time: int, item: _Settled) -> Iterable[Row]:
        return [FundingSettlement(symbol_of(frame), moment(in_ms(item.t), horizon), number(item.r))]

    return spaced(read_items(frame, _settled, read), INTERVALS_HOURS)


def statistics(frame: RawFrame, _held: Held) -> list[Row]:
    """Return open interest and ratios of a bar; the contract is the frame's own, or the one that was asked for."""
    horizon, period = horizon_ms(frame), parameter(frame)

    def read(_time: int, item: _Stats) -> Iterator[Row]:
        symbol, time = item.contract or symbol_of(frame), moment(in_ms(item.time), horizon)
        if (interest := maybe(item.open_interest)) is not None:
            usd = maybe(item.open_interest_usd)
            yield OpenInterest(
                symbol, time, interest, "contract", "undocumented", contract_of(symbol), None, usd, period or "unknown"
            )
        for name, kind in RATIOS:
            if ratio := getattr(item, name):
                yield LongShortRatio(symbol, time, kind, period, not_negative(ratio, name))

    return read_items(frame, _stats, read)


def candles(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the candles of an answer, of the contract and length that were asked for; money only of linear contracts."""
    horizon, length = horizon_ms(frame), parameter(frame)

    def read(_time: int, item: _Candle) -> Iterable[Row]:
        if length is None:
            raise ValueError("the answer does not say how long its candles are, and the record neither")
        symbol = symbol_of(frame)
        opened, high, low, closed = (number(price) for price in (item.o, item.h, item.l, item.c))
        volume, money = maybe(item.v), maybe(item.sum) if contract_of(symbol) == "linear" else None
        return [Kline(
            symbol, moment(in_ms(item.t), horizon), length, "trade", opened, high, low, closed, volume,
            None if volume is None else "contract", volume_quote=money,
        )]  # fmt: skip

    return read_items(frame, _candle, read)
