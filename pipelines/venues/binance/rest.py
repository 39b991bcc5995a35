"""Binance REST answers of the state of now: instruments, open interest, mark price, funding. Facts: exchanges/binance.md.

Channels are `um_...` (fapi) and `cm_...` (dapi); since the merge one host may answer for both, so units go by the symbol.
"""

from collections.abc import Iterator

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import (
    FundingInterval,
    FundingRate,
    FundingSettlement,
    Instrument,
    MarkPrice,
    OpenInterest,
    Row,
)
from pipelines.venues.binance.items import read_items
from pipelines.venues.binance.symbols import is_coin_margined
from pipelines.venues.settled import spaced
from pipelines.venues.symbols import one_coin, unified, yymmdd
from pipelines.venues.wire import (
    BAD,
    MINUTE_MS,
    Held,
    Text,
    each_raw,
    horizon_ms,
    later,
    maybe,
    moment,
    not_negative,
    nothing,
    number,
    positive,
    rejected,
)  # fmt: skip

INTERVALS_HOURS = (1.0, 2.0, 4.0, 8.0)
NEVER_MS = 4_133_404_800_000  # deliveryDate of a perpetual


class _Symbol(msgspec.Struct):
    symbol: str
    contractType: str
    baseAsset: str
    quoteAsset: str
    marginAsset: str
    pair: str = ""
    status: str = ""
    contractStatus: str = ""  # COIN-M's word for status
    contractSize: Text | None = None  # COIN-M: USD per contract
    onboardDate: int = 0
    deliveryDate: int = 0
    underlyingType: str = ""


class _ExchangeInfo(msgspec.Struct):
    symbols: list[msgspec.Raw] | None = None
    code: int | None = None
    msg: str = ""


class _OpenInterest(msgspec.Struct):
    symbol: str
    openInterest: Text
    time: Text


class _Premium(msgspec.Struct):
    symbol: str
    markPrice: Text
    time: int
    indexPrice: Text | None = None
    lastFundingRate: Text | None = None  # despite its name the running estimate; "" on deliveries
    nextFundingTime: int | None = None


class _FundingInfo(msgspec.Struct):
    symbol: str
    fundingIntervalHours: Text


class _Settled(msgspec.Struct):
    symbol: str
    fundingRate: Text
    fundingTime: int  # jitters by some ms (§3)
    markPrice: Text | None = None
    rateType: str | None = None


_exchange_info = msgspec.json.Decoder(_ExchangeInfo).decode
_symbol = msgspec.json.Decoder(_Symbol).decode
_open_interest = msgspec.json.Decoder(_OpenInterest).decode
_premium = msgspec.json.Decoder(_Premium).decode
_funding_info = msgspec.json.Decoder(_FundingInfo).decode
_settled = msgspec.json.Decoder(_Settled).decode


def instruments(frame: RawFrame, held: Held) -> list[Row]:
    """Return every contract of an exchangeInfo answer; USD-M contracts are one unit of base, COIN-M have a size in USD."""
    try:
        answer = _exchange_info(frame.payload)
    except BAD as error:
        return rejected(error)
    if answer.symbols is None:
        return nothing(f"error reply {answer.code}: {answer.msg}") if answer.msg else rejected(
            ValueError("not as documented: an exchangeInfo answer without symbols")
        )  # fmt: skip
    return each_raw(answer.symbols, _symbol, lambda item: (_instrument(item),), "symbols")


def _instrument(item: _Symbol) -> Instrument:
    base, multiplier = one_coin(item.baseAsset)
    inverse = item.contractSize is not None
    perpetual = "PERPETUAL" in item.contractType or (not item.contractType and item.deliveryDate == NEVER_MS)
    expiry = "" if perpetual else yymmdd(_delivery(item))
    kind = item.underlyingType.lower()
    return Instrument(
        item.symbol,
        unified(base, item.quoteAsset, item.marginAsset, expiry),
        base,
        item.quoteAsset,
        item.marginAsset,
        "inverse" if inverse else "linear",
        "perpetual" if perpetual else "delivery",
        1.0 if item.contractSize is None else positive(item.contractSize, "contractSize"),
        multiplier,
        item.status or item.contractStatus,
        item.pair or item.symbol,
        perpetual,
        "crypto" if kind in ("", "coin") else kind,
        later(item.onboardDate),
        later(item.deliveryDate),
    )


def _delivery(item: _Symbol) -> int:
    if (delivery := later(item.deliveryDate)) is None:
        raise ValueError(f"a {item.contractType!r} contract without deliveryDate")
    return delivery


def open_interest(frame: RawFrame, held: Held) -> list[Row]:
    """Return a contract's open interest: USD-M in base coin, COIN-M in contracts (§4)."""
    horizon = horizon_ms(frame)

    def read(item: _OpenInterest) -> Iterator[Row]:
        coin_margined = is_coin_margined(item.symbol)
        yield OpenInterest(
            item.symbol, moment(int(item.time), horizon), not_negative(item.openInterest, "openInterest"),
            "contract" if coin_margined else "base", "undocumented", "inverse" if coin_margined else "linear",
        )  # fmt: skip

    return read_items(frame.payload, _open_interest, read)


def premium_index(frame: RawFrame, held: Held) -> list[Row]:
    """Return mark and index price, and the running funding rate of contracts that pay one."""
    horizon = horizon_ms(frame)

    def read(item: _Premium) -> Iterator[Row]:
        time = moment(item.time, horizon)
        yield MarkPrice(item.symbol, time, positive(item.markPrice, "mark price"), maybe(item.indexPrice) or None)
        if (rate := maybe(item.lastFundingRate)) is not None and item.nextFundingTime:
            yield FundingRate(item.symbol, time, rate, later(item.nextFundingTime))

    return read_items(frame.payload, _premium, read)


def funding_intervals(frame: RawFrame, held: Held) -> list[Row]:
    """Return the intervals fundingInfo names; it lists only contracts whose settings were changed, the others pay 8 h."""

    def read(item: _FundingInfo) -> Iterator[Row]:
        yield FundingInterval(item.symbol, positive(item.fundingIntervalHours, "fundingIntervalHours"))

    return read_items(frame.payload, _funding_info, read)


def settlements(frame: RawFrame, held: Held) -> list[Row]:
    """Return settled rates, with the interval that the settlement before tells (§3); the time is brought to the whole
    minute it was meant for."""
    horizon = horizon_ms(frame)

    def read(item: _Settled) -> Iterator[Row]:
        time = (moment(item.fundingTime, horizon) + MINUTE_MS // 2) // MINUTE_MS * MINUTE_MS
        yield FundingSettlement(
            item.symbol, time, number(item.fundingRate), None, maybe(item.markPrice) or None, item.rateType or None
        )

    return spaced(read_items(frame.payload, _settled, read), INTERVALS_HOURS)
