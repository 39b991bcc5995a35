"""OKX channels and answers of the state of now: open interest, mark, index, instruments. Facts: exchanges/okx.md.

A REST answer holds the same items as a push. Everything is text, times too; "" is not applicable.
"""

from collections.abc import Iterable

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import Instrument, MarkPrice, OpenInterest, Row
from pipelines.venues.okx.items import Arg, not_kept, read_data
from pipelines.venues.okx.symbols import contract_of, symbol_form
from pipelines.venues.symbols import unified, yymmdd
from pipelines.venues.wire import (
    Held,
    horizon_ms,
    later,
    maybe,
    moment,
    not_negative,
    nothing,
    positive,
)  # fmt: skip

STOCK_GROUP = "6"
NOT_OPEN = ("preopen", "test")
CATEGORIES = {"": "crypto", "1": "crypto", "3": "stock", "4": "commodity", "5": "forex", "6": "bond"}


class _Interest(msgspec.Struct):
    instId: str
    oi: str  # contracts; whether one side or both is not stated
    ts: str
    oiCcy: str = ""
    oiUsd: str = ""  # since 2025
    instType: str = ""


class _Mark(msgspec.Struct):
    instId: str
    markPx: str
    ts: str
    instType: str = ""


class _Index(msgspec.Struct):
    instId: str  # the index, BTC-USD, not a contract
    idxPx: str
    ts: str


class _Listed(msgspec.Struct):
    instId: str
    instType: str
    uly: str = ""
    instFamily: str = ""
    ctType: str = ""
    ctVal: str = ""
    ctMult: str = ""
    ctValCcy: str = ""
    settleCcy: str = ""
    expTime: str = ""  # of a perpetual its delisting
    listTime: str = ""
    state: str = ""
    ruleType: str = ""
    groupId: str = ""
    instCategory: str = ""


_interest = msgspec.json.Decoder(_Interest).decode
_mark = msgspec.json.Decoder(_Mark).decode
_index = msgspec.json.Decoder(_Index).decode
_listed = msgspec.json.Decoder(_Listed).decode


def open_interest(frame: RawFrame, held: Held) -> list[Row]:
    """Return open interest in contracts, with the base coin and USD amounts OKX gives itself."""
    horizon = horizon_ms(frame)

    def read(arg: Arg, item: _Interest) -> Iterable[Row]:
        if why := not_kept("open interest", item.instType, item.instId) or _missing(item.oi, "open interest"):
            return nothing(why)
        interest = OpenInterest(
            item.instId, moment(item.ts, horizon), not_negative(item.oi, "oi"), "contract", "undocumented",
            contract_of(item.instId), maybe(item.oiCcy), maybe(item.oiUsd),
        )  # fmt: skip
        return (interest,)

    return read_data(frame, _interest, read)


def mark_prices(frame: RawFrame, held: Held) -> list[Row]:
    """Return mark prices."""
    horizon = horizon_ms(frame)

    def read(arg: Arg, item: _Mark) -> Iterable[Row]:
        if why := not_kept("mark prices", item.instType, item.instId) or _missing(item.markPx, "mark price"):
            return nothing(why)
        return (MarkPrice(item.instId, moment(item.ts, horizon), positive(item.markPx, "mark price")),)

    return read_data(frame, _mark, read)


def index_prices(frame: RawFrame, held: Held) -> list[Row]:
    """Return index prices; the row's symbol is the index (BTC-USD), which several contracts share."""
    horizon = horizon_ms(frame)

    def read(arg: Arg, item: _Index) -> Iterable[Row]:
        if why := _missing(item.idxPx, "index price"):
            return nothing(why)
        return (MarkPrice(item.instId, moment(item.ts, horizon), None, positive(item.idxPx, "index price")),)

    return read_data(frame, _index, read)


def _missing(value: str, name: str) -> str:
    return "" if value else f"an empty {name}: not applicable"


def instruments(frame: RawFrame, held: Held) -> list[Row]:
    """Return swaps and futures; contract size is ctVal x ctMult, in the coin for linear and USD for inverse."""

    def read(arg: Arg, item: _Listed) -> Iterable[Row]:
        if why := not_kept("an instrument", item.instType, item.instId) or _not_described(item):
            return nothing(why)
        return (_instrument(item),)

    return read_data(frame, _listed, read)


def _not_described(item: _Listed) -> str:
    """Return why nothing is kept of a contract that is listed weeks before it trades, with fields that are still empty."""
    described = item.ctVal and item.ctValCcy and item.ctType and item.settleCcy and (item.uly or item.instFamily)
    if item.state in NOT_OPEN and not described:
        return f"a contract in {item.state} that is not described yet"
    return ""


def _instrument(item: _Listed) -> Instrument:
    underlying, form = item.uly or item.instFamily, symbol_form(item.instId)
    base, _, quote = underlying.partition("-")
    quote = quote.partition("_")[0]
    if not base or not quote or item.ctType not in ("linear", "inverse") or not item.settleCcy:
        raise ValueError(f"a contract without underlying, ctType or settleCcy: {item.instId}")
    if item.ctValCcy != (base if item.ctType == "linear" else quote):
        raise ValueError(f"ctVal of a {item.ctType} contract is in {item.ctValCcy!r}: meaning not known")
    perpetual = item.instType == "SWAP" or item.ruleType == "xperp"
    expires = later(item.expTime or None)
    if item.instType == "FUTURES" and expires is None:
        raise ValueError("a future without expTime")
    expiry = (form.expiry if form else "") or (yymmdd(expires) if expires and item.instType == "FUTURES" else "")
    category = "stock" if item.groupId == STOCK_GROUP else CATEGORIES.get(item.instCategory, item.instCategory)
    return Instrument(
        item.instId, unified(base, quote, item.settleCcy, expiry), base, quote, item.settleCcy,
        "linear" if item.ctType == "linear" else "inverse", "perpetual" if perpetual else "delivery",
        positive(item.ctVal, "ctVal") * positive(item.ctMult or "1", "ctMult"), 1, item.state,
        item.instFamily or underlying, perpetual, category, later(item.listTime or None), expires,
    )  # fmt: skip
