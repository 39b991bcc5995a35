"""Bybit REST answers: instruments, open interest, funding, klines, ratio, risk limits. Facts: exchanges/bybit.md §3 to §8."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal, TypeVar

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import (
    FundingSettlement,
    Instrument,
    Kline,
    LeverageTier,
    LongShortRatio,
    OpenInterest,
    Row,
)  # fmt: skip
from pipelines.venues.bybit.symbols import is_inverse
from pipelines.venues.settled import spaced
from pipelines.venues.symbols import one_coin, unified, yymmdd
from pipelines.venues.wire import (
    BAD,
    MINUTE_MS,
    Held,
    Parser,
    Text,
    each_raw,
    followed,
    horizon_ms,
    later,
    maybe,
    moment,
    not_negative,
    nothing,
    number,
    parameter,
    positive,
    rejected,
    symbol_of,
)  # fmt: skip

Item = TypeVar("Item")
INTERVALS = {"D": "1d", "W": "1w", "M": "1M"}
CRYPTO = ("", "innovation", "adventure", "crypto")
PERCENT_ABOVE = 10.0
INTERVALS_HOURS = (1.0, 2.0, 4.0, 8.0)
OTHER_CATEGORIES = ("spot", "option")
"""Their symbols are spelled as contracts are: BTCUSDT is a coin's price there."""


class _Result(msgspec.Struct):
    category: str = ""
    symbol: str = ""
    list: Sequence[msgspec.Raw] | None = None


class Answer(msgspec.Struct):
    """A REST answer; `result.list` holds its rows."""

    retCode: int
    retMsg: str = ""
    result: _Result = msgspec.field(default_factory=_Result)
    time: int = 0


class _Instrument(msgspec.Struct):
    symbol: str
    contractType: Literal["LinearPerpetual", "InversePerpetual", "LinearFutures", "InverseFutures"]
    status: str
    baseCoin: str
    quoteCoin: str
    settleCoin: str
    launchTime: Text | None = ""
    deliveryTime: Text | None = ""  # "0" for perpetuals; of a perpetual its delisting
    fundingInterval: Text | None = None  # minutes; 0 on deliveries
    symbolType: str | None = ""


class _Interest(msgspec.Struct):
    openInterest: str  # both sides
    timestamp: Text


class _Settled(msgspec.Struct):
    symbol: str
    fundingRate: str
    fundingRateTimestamp: Text


class _Ratio(msgspec.Struct):
    symbol: str
    buyRatio: str
    sellRatio: str
    timestamp: Text


class _Risk(msgspec.Struct):
    symbol: str
    riskLimitValue: str
    maintenanceMargin: Text
    initialMargin: Text
    maxLeverage: str
    mmDeduction: str = ""


decode_answer = msgspec.json.Decoder(Answer).decode
_candle = msgspec.json.Decoder(list[Text]).decode
_instrument = msgspec.json.Decoder(_Instrument).decode
_interest = msgspec.json.Decoder(_Interest).decode
_settled = msgspec.json.Decoder(_Settled).decode
_ratio = msgspec.json.Decoder(_Ratio).decode
_risk = msgspec.json.Decoder(_Risk).decode


def _read(
    frame: RawFrame, decode: Callable[[msgspec.Raw], Item], read: Callable[[_Result, Item], Iterable[Row]]
) -> list[Row]:
    """Return the rows of every item of `result.list`."""
    try:
        answer = decode_answer(frame.payload)
    except BAD as error:
        return rejected(error)
    if (why := without_rows(answer)) is not None:
        return why
    return each_raw(answer.result.list or (), decode, lambda item: read(answer.result, item), "result.list")


def without_rows(answer: Answer) -> list[Row] | None:
    """Say why an answer carries no rows; None where it does. A refusal is an answer of status 200, too (§9)."""
    if answer.retCode:
        return nothing(f"error reply {answer.retCode}: {answer.retMsg}")
    if answer.result.category in OTHER_CATEGORIES:
        return nothing(f"category {answer.result.category}: only linear and inverse contracts are kept")
    if answer.result.list is None:
        return rejected(ValueError("not as documented: an answer without result.list"))
    return None


def instruments(frame: RawFrame, held: Held) -> list[Row]:
    """Return every contract of an instruments-info page; one contract is one base coin (linear) or one USD (inverse)."""

    def read(result: _Result, item: _Instrument) -> Iterator[Row]:
        inverse, perpetual = item.contractType.startswith("Inverse"), item.contractType.endswith("Perpetual")
        (base, in_coin), (_, in_symbol) = one_coin(item.baseCoin), one_coin(item.symbol)
        multiplier = max(in_coin, in_symbol, _behind(item.symbol, item.quoteCoin))
        asset, interval = item.symbolType or "", maybe(item.fundingInterval)
        delivery = later(int(item.deliveryTime or 0))
        if not perpetual and delivery is None:
            raise ValueError(f"a {item.contractType} contract without deliveryTime")
        expiry = "" if perpetual or delivery is None else yymmdd(delivery)
        yield Instrument(
            item.symbol, unified(base, item.quoteCoin, item.settleCoin, expiry), base, item.quoteCoin, item.settleCoin,
            "inverse" if inverse else "linear", "perpetual" if perpetual else "delivery", 1.0, multiplier, item.status,
            f"{item.baseCoin}{item.quoteCoin}", perpetual, "crypto" if asset in CRYPTO else asset,
            later(int(item.launchTime or 0)), delivery,
            positive(interval, "fundingInterval") / 60 if perpetual and interval else None,
        )  # fmt: skip

    return _read(frame, _instrument, read)


def _behind(symbol: str, quote: str) -> int:
    return one_coin(symbol.removesuffix(quote))[1]


def open_interest(frame: RawFrame, held: Held) -> list[Row]:
    """Return the bars of an open-interest answer: base coin on linear, USD on inverse, both sides."""
    horizon, period = horizon_ms(frame), length(parameter(frame)) or "unknown"

    def read(result: _Result, item: _Interest) -> Iterator[Row]:
        symbol, amount = result.symbol or symbol_of(frame), not_negative(item.openInterest, "openInterest")
        inverse = result.category == "inverse" if result.category else is_inverse(symbol)
        yield OpenInterest(
            symbol, moment(int(item.timestamp), horizon), amount, "usd" if inverse else "base", "both",
            "inverse" if inverse else "linear", None, amount if inverse else None, period,
        )  # fmt: skip

    return _read(frame, _interest, read)


def settlements(frame: RawFrame, held: Held) -> list[Row]:
    """Return settled rates, with the interval that the settlement before tells; the time is brought to the whole minute it
    was meant for."""
    horizon = horizon_ms(frame)

    def read(result: _Result, item: _Settled) -> Iterator[Row]:
        time = (moment(int(item.fundingRateTimestamp), horizon) + MINUTE_MS // 2) // MINUTE_MS * MINUTE_MS
        yield FundingSettlement(item.symbol, time, number(item.fundingRate))

    return spaced(_read(frame, _settled, read), INTERVALS_HOURS)


def klines(kind: Literal["trade", "mark", "index", "premium"]) -> Parser:
    """Return the parser of kline answers; the newest row is still running. Volume: linear base, inverse USD."""

    def parse(frame: RawFrame, held: Held) -> list[Row]:
        horizon, interval = horizon_ms(frame), length(parameter(frame))

        def read(result: _Result, item: list[Text]) -> Iterator[Row]:
            if interval is None:
                raise ValueError(f"the answer does not say its interval; the channel must: {frame.channel}@1")
            if len(item) < (7 if kind == "trade" else 5):
                raise ValueError(f"a candle of {len(item)} columns")
            symbol = result.symbol or symbol_of(frame)
            row = Kline(
                symbol, moment(int(item[0]), horizon), interval, kind,
                number(item[1]), number(item[2]), number(item[3]), number(item[4]),
            )  # fmt: skip
            if kind == "trade":
                inverse = result.category == "inverse" if result.category else is_inverse(symbol)
                row.volume, turnover = not_negative(item[5], "volume"), not_negative(item[6], "turnover")
                row.volume_unit = "usd" if inverse else "base"
                row.volume_base, row.volume_quote = (turnover, row.volume) if inverse else (row.volume, turnover)
            yield row

        return followed(_read(frame, _candle, read))

    return parse


def length(parameter: str | None) -> str | None:
    """1 and 60 are minutes in klines, 5min in histories: ours are 1m, 1h, 5m."""
    if parameter is None or not parameter.isdecimal():
        return INTERVALS.get(parameter, parameter.replace("min", "m")) if parameter else None
    minutes = int(parameter)
    return f"{minutes // 60}h" if minutes and minutes % 60 == 0 else f"{minutes}m"


def ratios(frame: RawFrame, held: Held) -> list[Row]:
    """Return shares of accounts that are long and short."""
    horizon, period = horizon_ms(frame), length(parameter(frame))

    def read(result: _Result, item: _Ratio) -> Iterator[Row]:
        yield LongShortRatio(
            item.symbol, moment(int(item.timestamp), horizon), "global_accounts", period, None,
            not_negative(item.buyRatio, "buyRatio"), not_negative(item.sellRatio, "sellRatio"),
        )  # fmt: skip

    return _read(frame, _ratio, read)


def risk_limits(frame: RawFrame, held: Held) -> list[Row]:
    """Return risk limits as tiers; margins are percent where initial margin x leverage is about 100 (§7, unit disputed).

    An answer holds whole symbols (§7). Nobody says in which order their limits are, so a symbol's tiers are numbered by
    rising limit, and a tier's floor is the limit of the one before.
    """

    def read(result: _Result, item: _Risk) -> Iterator[Row]:
        cap, leverage = positive(item.riskLimitValue, "riskLimitValue"), positive(item.maxLeverage, "maxLeverage")
        initial = positive(item.initialMargin, "initialMargin")
        scale = 100.0 if initial * leverage > PERCENT_ABOVE else 1.0
        yield LeverageTier(
            item.symbol, 1, 0.0, cap, "base" if result.category == "inverse" else "quote",
            number(item.maintenanceMargin) / scale, initial / scale, leverage, maybe(item.mmDeduction),
        )  # fmt: skip

    return _stepped(_read(frame, _risk, read))


def _stepped(rows: list[Row]) -> list[Row]:
    """Return the rows with each symbol's tiers in the order of their limits, numbered."""
    tiers: dict[str, list[LeverageTier]] = {}
    for row in rows:
        if isinstance(row, LeverageTier):
            tiers.setdefault(row.symbol, []).append(row)
    for steps in tiers.values():
        steps.sort(key=lambda step: step.cap or 0.0)
        floor = 0.0
        for place, step in enumerate(steps, 1):
            step.tier, step.floor, floor = place, floor, step.cap or 0.0
    others = [row for row in rows if not isinstance(row, LeverageTier)]
    return [*(step for steps in tiers.values() for step in steps), *others]
