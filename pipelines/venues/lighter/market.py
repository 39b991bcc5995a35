"""Lighter's state and markets: mark, index, running and settled funding, open interest.

Rates are percent an hour. Open interest is worth so much in USD; whether it counts one side is not documented.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import FundingRate, FundingSettlement, Instrument, MarkPrice, OpenInterest, Row
from pipelines.venues.lighter.symbols import contract_of
from pipelines.venues.symbols import one_coin, unified
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
    rejected,
    symbol_of,
)  # fmt: skip

HOURS = 1.0
ARRIVED = "a state without a time, and when it was received is not known"


class _Stats(msgspec.Struct):
    market_id: int
    mark_price: str | None = None
    index_price: str | None = None
    open_interest: str | None = None
    current_funding_rate: str | None = None


class _Several(msgspec.Struct):
    market_stats: Mapping[str, _Stats]
    timestamp: int | None = None


class _One(msgspec.Struct):
    market_stats: _Stats
    timestamp: int | None = None


class _Settled(msgspec.Struct):
    timestamp: int
    rate: str
    direction: Literal["long", "short"]


class _Settlements(msgspec.Struct):
    fundings: list[msgspec.Raw]


class _Market(msgspec.Struct):
    symbol: str
    market_id: int
    status: str = ""


class _Markets(msgspec.Struct):
    order_book_details: list[_Market]


_one = msgspec.json.Decoder(_One).decode
_several = msgspec.json.Decoder(_Several).decode
_settlements = msgspec.json.Decoder(_Settlements).decode
_settled = msgspec.json.Decoder(_Settled).decode
_markets = msgspec.json.Decoder(_Markets).decode


def states(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the state of each market of a push: of all markets by number, or of one."""
    try:
        found: _One | _Several = _one(frame.payload) if frame.symbol not in ("*", "all") else _several(frame.payload)
    except BAD as error:
        return rejected(error)
    stats = [found.market_stats] if isinstance(found, _One) else list(found.market_stats.values())
    horizon, at = horizon_ms(frame), found.timestamp or frame.at_ns // 1_000_000
    if not at:
        return nothing(ARRIVED)
    return each(stats, lambda one: list(_told(one, moment(at, horizon))) or nothing("no state"), "market_stats")


def _told(one: _Stats, time: int) -> Iterator[Row]:
    symbol, mark, index = str(one.market_id), maybe(one.mark_price), maybe(one.index_price)
    if mark or index:
        yield MarkPrice(symbol, time, mark or None, index or None)
    if (rate := maybe(one.current_funding_rate)) is not None:
        yield FundingRate(symbol, time, _fraction(rate), None, HOURS)
    if one.open_interest:
        usd = not_negative(one.open_interest, "open_interest")
        yield OpenInterest(symbol, time, usd, "usd", "undocumented", contract_of(symbol), usd_given=usd)


def _fraction(percent: float) -> float:
    """Return percent as a fraction, without what the division of a decimal adds."""
    return round(percent / 100, 15)


def settlements(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the settled rates of an answer, of the market that was asked for: positive where longs paid."""
    try:
        items, symbol = _settlements(frame.payload).fundings, symbol_of(frame)
    except BAD as error:
        return rejected(error)
    horizon = horizon_ms(frame)

    def read(item: _Settled) -> Iterable[Row]:
        rate = _fraction(not_negative(item.rate, "rate"))
        time = moment(item.timestamp * 1000, horizon)
        return [FundingSettlement(symbol, time, rate if item.direction == "long" else -rate, HOURS)]

    return each_raw(items, _settled, read, "fundings")


def instruments(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the perpetuals of a list; the spot markets are in a list of their own."""
    try:
        found = _markets(frame.payload).order_book_details
    except BAD as error:
        return rejected(error)
    return each(found, _instrument, "order_book_details")


def _instrument(item: _Market) -> Iterable[Row]:
    symbol, (base, multiplier) = str(item.market_id), one_coin(item.symbol)
    if contract_of(symbol) is None or not base or "/" in base:
        raise ValueError(f"no perpetual: {item.symbol[:60]!r}, number {symbol}")
    return [Instrument(
        symbol, unified(base, "USD", "USDC"), base, "USD", "USDC", "linear", "perpetual", 1.0, multiplier,
        "listed" if item.status == "active" else item.status or "listed", item.symbol, True, interval_hours=HOURS,
    )]  # fmt: skip
