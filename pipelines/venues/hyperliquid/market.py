"""Hyperliquid's state and contracts. Facts: exchanges/hyperliquid.md §3, §4. A context has no time: it has that of its
arrival.

Rates are per hour, and were per eight hours before 2023-06-08. Open interest counts one side, in coins.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import FundingRate, FundingSettlement, Instrument, Kline, MarkPrice, OpenInterest, Row
from pipelines.venues.hyperliquid.symbols import contract_of, symbol_form
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
    plausible,
    rejected,
)  # fmt: skip

HOURLY_MS = int(datetime(2023, 6, 8, tzinfo=UTC).timestamp() * 1000)
HOURS, HOURS_BEFORE = 1.0, 8.0
HOUR_MS = 3_600_000
ARRIVED = "a context without a time, and when it was received is not known"


class _Context(msgspec.Struct):
    funding: str | None = None
    openInterest: str | None = None
    oraclePx: str | None = None
    markPx: str | None = None


class _Asset(msgspec.Struct):
    name: str
    isDelisted: bool = False


class _Meta(msgspec.Struct):
    universe: list[_Asset]


class _Of(msgspec.Struct):
    coin: str
    ctx: _Context


class _Push(msgspec.Struct):
    data: _Of


class _Candle(msgspec.Struct):
    t: int
    s: str
    i: str
    o: str
    h: str
    l: str  # noqa: E741
    c: str
    v: str
    n: int | None = None


class _Settled(msgspec.Struct):
    coin: str
    fundingRate: str
    time: int


_both = msgspec.json.Decoder(tuple[_Meta, list[_Context]]).decode
_meta = msgspec.json.Decoder(_Meta).decode
_push = msgspec.json.Decoder(_Push).decode
_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_settled = msgspec.json.Decoder(_Settled).decode
_candle = msgspec.json.Decoder(_Candle).decode


def states(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the state of each contract of an answer: names and contexts, in one order."""
    try:
        meta, contexts = _both(frame.payload)
        if len(meta.universe) != len(contexts):
            raise ValueError(f"{len(meta.universe)} names and {len(contexts)} contexts: which is whose is not known")
    except BAD as error:
        return rejected(error)
    horizon, arrived = horizon_ms(frame), frame.at_ns // 1_000_000
    if not arrived:
        return nothing(ARRIVED)

    def read(item: tuple[_Asset, _Context]) -> Iterable[Row]:
        rows = [] if item[0].isDelisted else list(_told(item[0].name, item[1], moment(arrived, horizon)))
        return rows or nothing("a contract that is no longer traded, or without state")

    return each(list(zip(meta.universe, contexts, strict=True)), read, "contexts")


def pushed(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the state of a pushed context."""
    try:
        of, arrived = _push(frame.payload).data, frame.at_ns // 1_000_000
        if not arrived:
            return nothing(ARRIVED)
        return plausible(_told(of.coin, of.ctx, moment(arrived, horizon_ms(frame)))) or nothing("no state")
    except BAD as error:
        return rejected(error)


def _told(symbol: str, context: _Context, time: int) -> Iterator[Row]:
    mark, index = maybe(context.markPx), maybe(context.oraclePx)
    if mark or index:
        yield MarkPrice(symbol, time, mark or None, index or None)
    if (rate := maybe(context.funding)) is not None:
        yield FundingRate(symbol, time, rate, None, HOURS)
    if context.openInterest:
        yield OpenInterest(
            symbol, time, not_negative(context.openInterest, "openInterest"), "base", "one", contract_of(symbol)
        )


def settlements(frame: RawFrame, _held: Held) -> list[Row]:
    """Return settled rates; their time is some ms late and brought to the hour."""
    try:
        items = _list(frame.payload)
    except BAD as error:
        return rejected(error)
    horizon = horizon_ms(frame)

    def read(item: _Settled) -> Iterable[Row]:
        time = moment(item.time, horizon) // HOUR_MS * HOUR_MS
        return [
            FundingSettlement(item.coin, time, number(item.fundingRate), HOURS if time >= HOURLY_MS else HOURS_BEFORE)
        ]

    return each_raw(items, _settled, read, "")


def candles(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the candles of an answer; each says of what it is, and how long."""
    try:
        items = _list(frame.payload)
    except BAD as error:
        return rejected(error)
    horizon = horizon_ms(frame)

    def read(item: _Candle) -> Iterable[Row]:
        opened, high, low, closed = (number(text) for text in (item.o, item.h, item.l, item.c))
        coins = not_negative(item.v, "v")
        return [Kline(
            item.s, moment(item.t, horizon), item.i, "trade", opened, high, low, closed, volume_base=coins, trades=item.n
        )]  # fmt: skip

    return each_raw(items, _candle, read, "")


def instruments(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the contracts of a list."""
    try:
        found = _meta(frame.payload).universe
    except BAD as error:
        return rejected(error)
    return each(found, _instrument, "universe")


def _instrument(item: _Asset) -> Iterable[Row]:
    form = symbol_form(item.name)
    if form is None or form.settle is None:
        raise ValueError(f"a contract whose name is of no known form: {item.name[:60]!r}")
    return [Instrument(
        item.name, unified(form.base, form.quote, form.settle), form.base, form.quote, form.settle, "linear", "perpetual", 1.0,
        form.multiplier, "delisted" if item.isDelisted else "listed", form.family, True, interval_hours=HOURS,
    )]  # fmt: skip
