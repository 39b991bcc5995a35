"""Bybit liquidations: frames to rows. Facts: exchanges/bybit.md §2.

The side is the POSITION's, unlike Binance's and OKX's: Buy = a long was liquidated. The price is the bankruptcy price, not
a fill. The size is base coin on linear and USD on inverse contracts; messages name no category, the symbol's form tells.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import Liquidation, Position, Row, Side
from pipelines.venues.bounds import (
    CHEAPEST,
    DEAREST,
    EARLIEST_MS,
    LEAST,
    MOST,
    PRICE,
    QUANTITY,
    SOUND,
    is_symbol,
    wrong_symbol,
)
from pipelines.venues.bybit.symbols import is_inverse
from pipelines.venues.completeness import START, Rule, completeness
from pipelines.venues.wire import (
    BAD,
    Held,
    bounded,
    each_raw,
    horizon_ms,
    moment,
    nothing,
    numbered,
    rejected,
)  # fmt: skip

RULES = (
    Rule("bybit", "allLiquidation", START, "all", "bybit.md §2: every 500 ms, all, since 2025-02-20"),
    Rule("bybit", "liquidation", START, "one_per_second", "bybit.md §2: capped sample, documented 2024-08-30"),
)
"""What the feed carried of all liquidations, from when on."""
_all = completeness(RULES, "allLiquidation")
_capped = completeness(RULES, "liquidation")


class _Item(msgspec.Struct, gc=False):
    T: int  # ms, time of the liquidation
    s: str
    S: Literal["Buy", "Sell"]  # the POSITION's side
    v: str  # linear: base coin; inverse: USD
    p: str  # bankruptcy price


class Message(msgspec.Struct, gc=False):
    """An `allLiquidation` frame."""

    data: tuple[_Item, ...]


class _Items(msgspec.Struct):
    data: list[msgspec.Raw]


class _V5(msgspec.Struct):
    updatedTime: int
    symbol: str
    side: Literal["Buy", "Sell"]
    size: str
    price: str


class _MessageV5(msgspec.Struct):
    data: _V5


class _V2(msgspec.Struct):
    time: int
    symbol: str
    side: Literal["Buy", "Sell"]
    qty: str
    price: str


class _MessageV2(msgspec.Struct):
    data: _V2


decode = msgspec.json.Decoder(Message).decode
_items = msgspec.json.Decoder(_Items).decode
_item = msgspec.json.Decoder(_Item).decode
_message_v5 = msgspec.json.Decoder(_MessageV5).decode
_message_v2 = msgspec.json.Decoder(_MessageV2).decode


def liquidations(frame: RawFrame, held: Held) -> list[Row]:
    """Return each liquidation of an `allLiquidation.*` frame; there may be several, some identical."""
    horizon = horizon_ms(frame)
    try:
        rows: list[Row] = [
            _liquidation(item.s, item.T, item.S, item.v, item.p, _all(item.T), horizon)
            for item in decode(frame.payload).data
        ]
    except BAD:
        return _one_by_one(frame.payload, horizon)
    return numbered(rows) if len(rows) > 1 else rows or nothing("an empty list")


def _one_by_one(payload: bytes, horizon: int) -> list[Row]:
    def read(item: _Item) -> Iterator[Row]:
        yield _liquidation(item.s, item.T, item.S, item.v, item.p, _all(item.T), horizon)

    try:
        items = _items(payload).data
    except BAD as error:
        return rejected(error)
    return numbered(each_raw(items, _item, read))


def liquidation_v5(frame: RawFrame, held: Held) -> list[Row]:
    """Return the liquidation of a retired v5 `liquidation.*` frame: one object, at most one a second and symbol."""
    try:
        item = _message_v5(frame.payload).data
        return [_retired(item.symbol, item.updatedTime, item.side, item.size, item.price, frame)]
    except BAD as error:
        return rejected(error)


def liquidation_v2(frame: RawFrame, held: Held) -> list[Row]:
    """Return the liquidation of a retired v2 `liquidation.*` frame; the side is the position's there too (tardis-node)."""
    try:
        item = _message_v2(frame.payload).data
        return [_retired(item.symbol, item.time, item.side, item.qty, item.price, frame)]
    except BAD as error:
        return rejected(error)


def _retired(symbol: str, time: int, side: str, size: str, price: str, frame: RawFrame) -> Liquidation:
    return _liquidation(symbol, time, side, size, price, _capped(time), horizon_ms(frame))


def _liquidation(symbol: str, time: int, side: str, size: str, price: str, complete: str, horizon: int) -> Liquidation:
    try:
        qty, bankruptcy = float(size), float(price)
    except ValueError:
        qty, bankruptcy = bounded(size, QUANTITY), bounded(price, PRICE)
    likely = LEAST <= qty <= MOST and CHEAPEST <= bankruptcy <= DEAREST
    if not (likely and EARLIEST_MS <= time <= horizon and (symbol in SOUND or is_symbol(symbol))):
        moment(time, horizon)
        bounded(size, QUANTITY)
        bounded(price, PRICE)
        raise ValueError(wrong_symbol(symbol))
    order: Side = "sell" if side == "Buy" else "buy"
    position: Position = "long" if side == "Buy" else "short"
    if is_inverse(symbol):
        return Liquidation(
            symbol, time, order, position, bankruptcy, "bankruptcy", qty, "usd", "inverse", complete,
            f"inverse|{symbol}|{time}|{side}|{size}|{price}",
        )  # fmt: skip
    return Liquidation(
        symbol, time, order, position, bankruptcy, "bankruptcy", qty, "base", "linear", complete,
        f"linear|{symbol}|{time}|{side}|{size}|{price}",
    )  # fmt: skip
