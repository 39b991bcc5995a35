"""BitMEX' state and contracts: the tables `instrument` and `funding`. Facts: exchanges/bitmex.md §2 to §4.

A pushed change holds what changed alone; each figure is a row of its own, so nothing need be remembered. `multiplier`
and the values of quanto contracts are in satoshi, and no dollars are made of them.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import FundingRate, FundingSettlement, Instrument, MarkPrice, OpenInterest, Row
from pipelines.venues.bitmex.symbols import COINS, contract_of
from pipelines.venues.symbols import one_coin, unified, yymmdd
from pipelines.venues.wire import (
    BAD,
    Held,
    each_raw,
    horizon_ms,
    later,
    moment,
    not_negative,
    nothing,
    number,
    positive,
    rejected,
)  # fmt: skip

KINDS = ("FFWCSX", "FFWCSF", "FFCCSX")
PERPETUAL = ("FFWCSX", "FFWCSF")
MIDNIGHT = datetime(2000, 1, 1, tzinfo=UTC)
"""An interval is the time of day of this day."""
SETTLED_IN = {"XBt": "BTC", "USDt": "USDT"}
Item = TypeVar("Item")


class _State(msgspec.Struct):
    symbol: str
    timestamp: datetime
    typ: str | None = None
    openInterest: float | None = None
    markPrice: float | None = None
    indicativeSettlePrice: float | None = None
    fundingRate: float | None = None
    fundingTimestamp: datetime | None = None
    fundingInterval: datetime | None = None
    isQuanto: bool = False


class _Contract(msgspec.Struct):
    symbol: str
    typ: str
    state: str = ""
    underlying: str = ""
    quoteCurrency: str = ""
    settlCurrency: str | None = None
    underlyingToPositionMultiplier: float | None = None
    isQuanto: bool = False
    isInverse: bool = False
    listing: datetime | None = None
    expiry: datetime | None = None
    fundingInterval: datetime | None = None


class _Settled(msgspec.Struct):
    timestamp: datetime
    symbol: str
    fundingRate: float
    fundingInterval: datetime | None = None


class _Push(msgspec.Struct):
    data: list[msgspec.Raw]


_push = msgspec.json.Decoder(_Push).decode
_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_state = msgspec.json.Decoder(_State).decode
_contract = msgspec.json.Decoder(_Contract).decode
_settled = msgspec.json.Decoder(_Settled).decode


def _ms(time: datetime | None) -> int:
    return round(time.timestamp() * 1000) if time else 0


def _hours(interval: datetime | None) -> float | None:
    hours = (interval - MIDNIGHT).total_seconds() / 3600 if interval else 0.0
    return hours if 0 < hours <= 24 else None


def _items(frame: RawFrame, decode: Callable[[msgspec.Raw], Item], read: Callable[[Item], Iterable[Row]]) -> list[Row]:
    """Return the rows of the items of a push, or of an answer, a bare list."""
    is_list = frame.payload.lstrip()[:1] == b"["
    try:
        items = _list(frame.payload) if is_list else _push(frame.payload).data
    except BAD as error:
        return rejected(error)
    return each_raw(items, decode, read, "" if is_list else "data")


def states(frame: RawFrame, _held: Held) -> list[Row]:
    """Return mark and index, the running rate and open interest of each contract, as far as they are told."""
    horizon = horizon_ms(frame)

    def read(item: _State) -> Iterable[Row]:
        if item.typ is not None and item.typ not in KINDS:
            return nothing(f"{item.typ}: an index, an option or spot, not a contract kept here")
        return list(_told(item, moment(_ms(item.timestamp), horizon))) or nothing("a change of nothing that is kept")

    return _items(frame, _state, read)


def _told(item: _State, time: int) -> Iterator[Row]:
    if item.markPrice or item.indicativeSettlePrice:
        yield MarkPrice(item.symbol, time, item.markPrice or None, item.indicativeSettlePrice or None)
    if item.fundingRate is not None and item.fundingTimestamp:
        due = later(_ms(item.fundingTimestamp))
        yield FundingRate(item.symbol, time, number(item.fundingRate), due, _hours(item.fundingInterval))
    if item.openInterest is not None:
        contract = None if item.isQuanto else contract_of(item.symbol)
        amount = not_negative(item.openInterest, "openInterest")
        yield OpenInterest(item.symbol, time, amount, "contract", "undocumented", contract)


def settlements(frame: RawFrame, _held: Held) -> list[Row]:
    """Return settled rates; each says its interval."""
    horizon = horizon_ms(frame)

    def read(item: _Settled) -> Iterable[Row]:
        time = moment(_ms(item.timestamp), horizon)
        return [FundingSettlement(item.symbol, time, number(item.fundingRate), _hours(item.fundingInterval))]

    return _items(frame, _settled, read)


def contracts(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the contracts that are linear or inverse in dollars or coins; of quanto ones none."""
    return _items(frame, _contract, _instrument)


def _instrument(item: _Contract) -> Iterable[Row]:
    if item.typ not in KINDS:
        return nothing(f"{item.typ}: an index, an option or spot, not a contract kept here")
    if item.isQuanto:
        return nothing("a quanto contract: neither linear nor inverse")
    base, multiplier = one_coin(COINS.get(item.underlying, item.underlying))
    quote, settle = COINS.get(item.quoteCurrency, item.quoteCurrency), SETTLED_IN.get(item.settlCurrency or "")
    if item.isInverse and quote != "USD":
        return nothing(f"an inverse contract in {quote}: not a dollar, and not read")
    if settle is None or not base or not quote:
        raise ValueError(f"{item.symbol} settles in {item.settlCurrency!r}: meaning not known")
    perpetual, expires = item.typ in PERPETUAL, later(_ms(item.expiry))
    size = (
        1.0
        if item.isInverse
        else 1 / positive(item.underlyingToPositionMultiplier or 0, "underlyingToPositionMultiplier")
    )
    expiry = yymmdd(expires) if expires and not perpetual else ""
    return [Instrument(
        item.symbol, unified(base, quote, settle, expiry), base, quote, settle, "inverse" if item.isInverse else "linear",
        "perpetual" if perpetual else "delivery", size, multiplier, item.state, f"{item.underlying}{item.quoteCurrency}",
        perpetual, "crypto", later(_ms(item.listing)), expires if not perpetual else None, _hours(item.fundingInterval),
    )]  # fmt: skip
