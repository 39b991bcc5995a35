"""Binance USD-M and COIN-M streams: frames to rows. Facts: exchanges/binance.md §2, §3, §5, §7.

Raw and combined (`stream`, `data`) form are both read, an object and an array of them alike. Since 2026-06-30 one socket
carries both universes: `st` (1 USD-M, 2 COIN-M; inside `o` or beside it, the sources disagree) decides, else the symbol.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Literal

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import FundingRate, Kline, LeverageTier, Liquidation, MarkPrice, Row
from pipelines.venues.binance.items import read_items
from pipelines.venues.binance.symbols import is_coin_margined
from pipelines.venues.bounds import (
    CHEAPEST,
    DEAREST,
    EARLIEST_MS,
    INDEX_PRICE,
    LEAST,
    MARK_PRICE,
    MOST,
    PRICE,
    QUANTITY,
    RATE,
    SOUND,
    is_symbol,
    is_text,
    wrong_symbol,
)  # fmt: skip
from pipelines.venues.completeness import START, Rule, completeness
from pipelines.venues.wire import (
    BAD,
    Count,
    Held,
    Text,
    bounded,
    each_raw,
    horizon_ms,
    later,
    maybe,
    moment,
    not_negative,
    nothing,
    number,
    positive,
)  # fmt: skip

COIN_MARGINED = 2
UNIVERSES = (1, COIN_MARGINED)  # of `st`; any other says nothing
STATUSES = ("FILLED", "PARTIALLY_FILLED", "NEW", "EXPIRED", "CANCELED", "REJECTED", "EXPIRED_IN_MATCH")
RULES = (
    Rule("binance", "forceOrder", START, "undocumented", "binance.md §2: throttled since about April 2021, no source"),
    Rule(
        "binance",
        "forceOrder",
        datetime(2021, 4, 27, tzinfo=UTC),
        "one_per_second_latest",
        "binance.md §2, docs 2026-01",
    ),
    Rule("binance", "forceOrder", datetime(2026, 5, 28, tzinfo=UTC), "one_per_second_disputed", "binance.md §2 [?]"),
)
"""What the feed carried of all liquidations, from when on."""
_complete = completeness(RULES, "forceOrder")


class Order(msgspec.Struct, gc=False, kw_only=True):
    """What a forceOrder frame says of an order; in the order it is sent, which is decoded soonest."""

    s: str
    S: Literal["BUY", "SELL"]  # the liquidation ORDER's side: SELL = a long was liquidated
    q: str = ""
    p: str = ""  # the order's limit, at or near the bankruptcy price; not where it traded
    ap: str = ""  # average fill price
    X: str | None = None
    z: str = ""  # filled quantity; `l` is the last fill only and not read
    T: int  # ms, trade time of the order
    st: int | None = None


class _ForceOrder(msgspec.Struct, gc=False):
    o: Order
    st: int | None = None


class _Bare(msgspec.Struct, gc=False):
    o: Order | None = None
    st: int | None = None


class Mark(msgspec.Struct, gc=False):
    """What a markPriceUpdate says of a symbol."""

    E: int
    s: str
    p: str
    i: str | None = None  # index price; older COIN-M frames have none
    r: str | None = None  # running estimate; "" or zero with T 0 on deliveries
    T: int | None = None


class _Index(msgspec.Struct):
    E: int
    p: str
    i: str = ""  # the pair; one source says it is `s` since the merge (§5)
    s: str = ""


class _Candle(msgspec.Struct):
    t: int
    s: str
    i: str
    o: str
    h: str
    l: str  # noqa: E741
    c: str
    v: str  # USD-M: base; COIN-M: contracts
    q: str  # USD-M: quote; COIN-M: base
    V: str
    Q: str
    x: bool
    n: Count | None = None


class _Kline(msgspec.Struct):
    k: _Candle
    st: int | None = None


class _Bracket(msgspec.Struct):
    bs: Count
    bnf: Text
    bnc: Text
    mmr: Text
    ma: Text
    cf: Text | None = None


class _Contract(msgspec.Struct):
    s: str
    bks: list[msgspec.Raw] | None = None
    st: int | None = None


_bare = msgspec.json.Decoder(_Bare).decode
_order = msgspec.json.Decoder(_ForceOrder).decode
decode_marks = msgspec.json.Decoder(list[Mark]).decode
_mark = msgspec.json.Decoder(Mark).decode
_index = msgspec.json.Decoder(_Index).decode
_kline = msgspec.json.Decoder(_Kline).decode
_contract = msgspec.json.Decoder(_Contract).decode
_bracket = msgspec.json.Decoder(_Bracket).decode


def liquidations(frame: RawFrame, held: Held) -> list[Row]:
    """Return the liquidation of a forceOrder frame; one object in practice although the stream is called `@arr`."""
    horizon = horizon_ms(frame)
    try:
        message = _bare(frame.payload)
        if message.o is not None:
            return [liquidation(message.o, message.st, horizon)]
    except BAD:
        pass
    return read_items(frame.payload, _order, lambda item: (liquidation(item.o, item.st, horizon),))


def liquidation(order: Order, outer_st: int | None, horizon: int) -> Liquidation:
    """Return the fact an order tells; `outer_st` is the universe where the order itself does not say. Raises ValueError."""
    symbol, time, side = order.s, order.T, order.S
    limit, average, filled = order.p, order.ap, order.z
    price, own, qty = float(average or 0), float(limit or 0), float(filled or 0) or float(order.q or 0)
    likely = (
        (not price or CHEAPEST <= price <= DEAREST) and (not own or CHEAPEST <= own <= DEAREST) and LEAST <= qty <= MOST
    )
    if not (
        likely and EARLIEST_MS <= time <= horizon and (symbol in SOUND or is_symbol(symbol)) and _is_status(order.X)
    ):
        moment(time, horizon)
        bounded(filled if float(filled or 0) else order.q or filled, QUANTITY)
        for each in (average, limit):
            if float(each or 0):
                bounded(each, PRICE)
        raise ValueError(wrong_symbol(symbol) if not is_symbol(symbol) else "the status is too long, or not printable")
    st = order.st or outer_st
    coin_margined = st == COIN_MARGINED if st in UNIVERSES else is_coin_margined(symbol)
    market = "cm" if coin_margined else "um"
    return Liquidation(
        symbol, time, "sell" if side == "SELL" else "buy", "long" if side == "SELL" else "short",
        price or own or None, "fill_average" if price else "order_limit", qty, "contract" if coin_margined else "base",
        "inverse" if coin_margined else "linear", _complete(time),
        f"{market}|{symbol}|{side}|{time}|{limit}|{average}|{filled}", 0, own or None, order.X,
    )  # fmt: skip


def _is_status(status: str | None) -> bool:
    return status is None or status in STATUSES or is_text(status)


def mark_prices(frame: RawFrame, held: Held) -> list[Row]:
    """Return mark and index price, and the running funding rate where the contract pays one, of every item."""
    horizon = horizon_ms(frame)
    try:
        if frame.payload[:1] == b"[":
            return [row for item in decode_marks(frame.payload) for row in marked(item, horizon)] or nothing(
                "an empty list"
            )
    except BAD:
        pass
    return read_items(frame.payload, _mark, lambda item: marked(item, horizon))


def marked(item: Mark, horizon: int) -> tuple[Row, ...]:
    """Return the price, and the running rate where the contract pays one. Raises ValueError."""
    symbol, time = item.s, item.E
    mark, index = float(item.p), float(item.i or 0)
    likely = CHEAPEST <= mark <= DEAREST and (not index or CHEAPEST <= index <= DEAREST)
    if not (likely and EARLIEST_MS <= time <= horizon and (symbol in SOUND or is_symbol(symbol))):
        moment(time, horizon)
        bounded(item.p, MARK_PRICE)
        if index:
            bounded(item.i or 0, INDEX_PRICE)
        raise ValueError(wrong_symbol(symbol))
    price = MarkPrice(symbol, time, mark, index or None)
    if not item.r or not item.T:
        return (price,)
    return (price, FundingRate(symbol, time, bounded(item.r, RATE), later(item.T)))


def index_prices(frame: RawFrame, held: Held) -> list[Row]:
    """Return a pair's index price; the row's symbol is the pair."""
    horizon = horizon_ms(frame)

    def read(item: _Index) -> Iterator[Row]:
        if not (pair := item.i or item.s):
            raise ValueError("the index names no pair")
        yield MarkPrice(pair, moment(item.E, horizon), None, positive(item.p, "index price"))

    return read_items(frame.payload, _index, read)


def klines(frame: RawFrame, held: Held) -> list[Row]:
    """Return the candle of a kline frame, closed or still running."""
    horizon = horizon_ms(frame)

    def read(item: _Kline) -> Iterator[Row]:
        candle = item.k
        coin_margined = item.st == COIN_MARGINED if item.st in UNIVERSES else is_coin_margined(candle.s)
        volume, turnover = not_negative(candle.v, "volume"), not_negative(candle.q, "turnover")
        yield Kline(
            candle.s, moment(candle.t, horizon), candle.i, "trade",
            number(candle.o), number(candle.h), number(candle.l), number(candle.c),
            volume=volume, volume_unit="contract" if coin_margined else "base",
            volume_base=turnover if coin_margined else volume, volume_quote=None if coin_margined else turnover,
            taker_buy_volume=number(candle.Q if coin_margined else candle.V), trades=candle.n, closed=candle.x,
        )  # fmt: skip

    return read_items(frame.payload, _kline, read)


def brackets(frame: RawFrame, held: Held) -> list[Row]:
    """Return the leverage brackets of a contractInfo frame; it has them only when they change (§7)."""

    def read(item: _Contract) -> list[Row]:
        coin_margined = item.st == COIN_MARGINED if item.st in UNIVERSES else is_coin_margined(item.s)
        if not item.bks:
            return nothing("contractInfo without brackets: the contract itself is taken from exchangeInfo")
        return each_raw(item.bks, _bracket, lambda step: (_tier(item.s, step, coin_margined),), "bks")

    return read_items(frame.payload, _contract, read)


def _tier(symbol: str, step: _Bracket, coin_margined: bool) -> LeverageTier:
    leverage = positive(step.ma, "max leverage")
    return LeverageTier(
        symbol, step.bs, number(step.bnf), number(step.bnc), "base" if coin_margined else "quote", number(step.mmr),
        1 / leverage, leverage, maybe(step.cf),
    )  # fmt: skip
