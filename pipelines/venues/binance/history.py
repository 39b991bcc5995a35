"""Binance REST answers with a history: klines, open interest, ratios. Facts: exchanges/binance.md §4 to §6."""

from collections.abc import Iterator
from functools import partial
from typing import Literal

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import Kline, LongShortRatio, OpenInterest, Row
from pipelines.venues.binance.items import read_items
from pipelines.venues.binance.symbols import symbol_form
from pipelines.venues.symbols import DOLLARS
from pipelines.venues.wire import (
    BAR_SETTLES_MS,
    DAY_MS,
    Count,
    Held,
    Parser,
    Text,
    followed,
    horizon_ms,
    maybe,
    moment,
    not_negative,
    number,
    parameter,
    positive,
    symbol_of,
)  # fmt: skip

Market = Literal["um", "cm"]
PriceKind = Literal["trade", "mark", "index", "premium"]
RatioKind = Literal["global_accounts", "top_accounts", "top_positions"]
MONTH_DAYS = range(28, 32)
ALL = "ALL"  # of all contracts of a pair; asked for until 2026-08-18
LENGTHS = ((604_800_000, "w"), (86_400_000, "d"), (3_600_000, "h"), (60_000, "m"))

_Candle = tuple[int, Text, Text, Text, Text, Text, int, Text, Count, Text, Text, msgspec.Raw]


class _Interest(msgspec.Struct):
    sumOpenInterest: Text  # um: base; cm: contracts
    sumOpenInterestValue: Text  # um: quote; cm: base, although the documentation's sample looks like USD (§4)
    timestamp: Text
    symbol: str = ""
    pair: str = ""
    contractType: str = ""


class _Ratio(msgspec.Struct):
    longShortRatio: Text
    timestamp: Text
    symbol: str = ""
    pair: str = ""
    contractType: str = ""  # of COIN-M, since 2026-08-18
    longAccount: Text | None = None
    shortAccount: Text | None = None
    longPosition: Text | None = None
    shortPosition: Text | None = None


class _Taker(msgspec.Struct):
    buySellRatio: Text
    buyVol: Text
    sellVol: Text
    timestamp: Text


class _TakerVolumes(msgspec.Struct):
    pair: str
    takerBuyVol: Text
    takerSellVol: Text
    timestamp: Text
    contractType: str = ""


_candle = msgspec.json.Decoder(_Candle).decode
_interest = msgspec.json.Decoder(_Interest).decode
_ratio = msgspec.json.Decoder(_Ratio).decode
_taker = msgspec.json.Decoder(_Taker).decode
_taker_volumes = msgspec.json.Decoder(_TakerVolumes).decode


def klines(market: Market, kind: PriceKind) -> Parser:
    """Return the parser of kline answers: um volume is base and [7] quote, cm volume is contracts and [7] base.

    The newest candle may still run (§5).
    """

    def parse(frame: RawFrame, held: Held) -> list[Row]:
        return followed(read_items(frame.payload, _candle, partial(_kline, market, kind, frame)))

    return parse


def _kline(market: Market, kind: PriceKind, frame: RawFrame, item: _Candle) -> Iterator[Row]:
    opened, closes = moment(item[0], horizon_ms(frame)), item[6]
    row = Kline(
        symbol_of(frame), opened, parameter(frame) or bar_length(closes + 1 - opened), kind,
        number(item[1]), number(item[2]), number(item[3]), number(item[4]),
        closed=closes + BAR_SETTLES_MS < frame.at_ns // 1_000_000 if frame.at_ns else None,
    )  # fmt: skip
    if kind == "trade":
        volume, second = not_negative(item[5], "volume"), not_negative(item[7], "turnover")
        row.volume, row.volume_unit, row.trades = volume, "base" if market == "um" else "contract", item[8]
        row.volume_base, row.volume_quote = (volume, second) if market == "um" else (second, None)
        row.taker_buy_volume = number(item[9] if market == "um" else item[10])
    yield row


def bar_length(ms: int) -> str:
    """Return the interval of a candle by how long it is. Raises ValueError for an unknown one."""
    if ms % DAY_MS == 0 and ms // DAY_MS in MONTH_DAYS:
        return "1M"
    for unit_ms, name in LENGTHS:
        if ms > 0 and ms % unit_ms == 0:
            return f"{ms // unit_ms}{name}"
    raise ValueError(f"a candle of {ms} ms is of no known interval")


def open_interest(market: Market) -> Parser:
    """Return the parser of openInterestHist answers; cm names a pair and a contract type instead of a symbol."""

    def parse(frame: RawFrame, held: Held) -> list[Row]:
        horizon, period = horizon_ms(frame), parameter(frame)

        def read(item: _Interest) -> Iterator[Row]:
            amount = not_negative(item.sumOpenInterest, "sumOpenInterest")
            value = not_negative(item.sumOpenInterestValue, "sumOpenInterestValue")
            time = moment(int(item.timestamp), horizon)
            if market == "um":
                symbol = item.symbol or symbol_of(frame)
                form = symbol_form(symbol)
                usd = value if form and form.quote in DOLLARS else None
                yield OpenInterest(
                    symbol, time, amount, "base", "undocumented", "linear", None, usd, period or "unknown"
                )
            else:
                symbol = _contract(item.pair, item.contractType)
                yield OpenInterest(
                    symbol, time, amount, "contract", "undocumented", "inverse", value, None, period or "unknown"
                )

        return read_items(frame.payload, _interest, read)

    return parse


def _contract(pair: str, contract_type: str) -> str:
    """BTCUSD and PERPETUAL are BTCUSD_PERP; a quarter's expiry is not said, so its row keeps the type in its symbol."""
    return f"{pair}_PERP" if contract_type == "PERPETUAL" else f"{pair}_{contract_type}" if contract_type else pair


def _scoped(pair: str, contract_type: str) -> tuple[str, Literal["symbol", "pair"]]:
    """Return the symbol of a figure of a pair, or of one of its contracts."""
    return (pair, "pair") if contract_type in ("", ALL) else (_contract(pair, contract_type), "symbol")


def ratios(kind: RatioKind) -> Parser:
    """Return the parser of long/short answers: shares as sent, of a symbol (um) or a pair (cm)."""

    def parse(frame: RawFrame, held: Held) -> list[Row]:
        horizon, period = horizon_ms(frame), parameter(frame)

        def read(item: _Ratio) -> Iterator[Row]:
            accounts = item.longAccount is not None
            long, short = (item.longAccount, item.shortAccount) if accounts else (item.longPosition, item.shortPosition)
            symbol, scope = _scoped(item.pair, item.contractType)
            yield LongShortRatio(
                item.symbol or symbol or symbol_of(frame), moment(int(item.timestamp), horizon), kind, period,
                not_negative(item.longShortRatio, "longShortRatio"), maybe(long), maybe(short),
                scope="symbol" if item.symbol else scope,
            )  # fmt: skip

        return read_items(frame.payload, _ratio, read)

    return parse


def taker_ratios(frame: RawFrame, held: Held) -> list[Row]:
    """Return USD-M taker volumes in base coin; the answer does not name its symbol."""
    horizon, period = horizon_ms(frame), parameter(frame)

    def read(item: _Taker) -> Iterator[Row]:
        buy, sell = not_negative(item.buyVol, "buyVol"), not_negative(item.sellVol, "sellVol")
        yield LongShortRatio(
            symbol_of(frame), moment(int(item.timestamp), horizon), "taker", period,
            maybe(item.buySellRatio) if sell else None, long_volume=buy, short_volume=sell, unit="base",
        )  # fmt: skip

    return read_items(frame.payload, _taker, read)


def taker_volumes(frame: RawFrame, held: Held) -> list[Row]:
    """Return COIN-M taker volumes in contracts, of a pair and contract type."""
    horizon, period = horizon_ms(frame), parameter(frame)

    def read(item: _TakerVolumes) -> Iterator[Row]:
        buy, sell = not_negative(item.takerBuyVol, "takerBuyVol"), not_negative(item.takerSellVol, "takerSellVol")
        symbol, scope = _scoped(item.pair, item.contractType)
        yield LongShortRatio(
            symbol, moment(int(item.timestamp), horizon), "taker", period,
            buy / positive(item.takerSellVol, "takerSellVol") if sell else None,
            long_volume=buy, short_volume=sell, unit="contract", scope=scope,
        )  # fmt: skip

    return read_items(frame.payload, _taker_volumes, read)
