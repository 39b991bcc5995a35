"""OKX REST answers with a history: settled funding, candles, open interest, ratios, tiers. Facts: exchanges/okx.md §3 to §7."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Literal

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import FundingSettlement, Kline, LeverageTier, LongShortRatio, OpenInterest, Row
from pipelines.venues.okx.items import Arg, read_data
from pipelines.venues.okx.symbols import contract_of
from pipelines.venues.settled import spaced
from pipelines.venues.wire import (
    Held,
    Parser,
    horizon_ms,
    maybe,
    moment,
    not_negative,
    nothing,
    number,
    parameter,
    positive,
    symbol_of,
)  # fmt: skip

PriceKind = Literal["trade", "mark", "index"]
RatioKind = Literal["global_accounts", "top_accounts", "top_positions"]
CUT_AT_UTC8 = ("6h", "12h", "1d", "2d", "3d", "5d", "1w", "1y")
MOST_STEPS = 10_000
INTERVALS_HOURS = (1.0, 2.0, 4.0, 6.0, 8.0)
"""How often contracts pay, as documented; two settlements further apart tell nothing."""


class _Settled(msgspec.Struct):
    instId: str
    fundingTime: str
    realizedRate: str  # what was paid; fundingRate here is the prediction


class _Tier(msgspec.Struct):
    tier: str
    minSz: str
    maxSz: str
    mmr: str
    maxLever: str
    imr: str = ""
    instFamily: str = ""
    uly: str = ""


_texts = msgspec.json.Decoder(list[str]).decode
_settled = msgspec.json.Decoder(_Settled).decode
_tier = msgspec.json.Decoder(_Tier).decode


def settlements(frame: RawFrame, held: Held) -> list[Row]:
    """Return settled rates, with the interval that the settlement before tells."""
    horizon = horizon_ms(frame)
    told: list[tuple[str, int]] = []

    def read(arg: Arg, item: _Settled) -> Iterable[Row]:
        time = moment(item.fundingTime, horizon)
        told.append((item.instId, time))
        if not item.realizedRate:
            return nothing("a settlement without its realised rate")
        return (FundingSettlement(item.instId, time, number(item.realizedRate)),)

    return spaced(read_data(frame, _settled, read), INTERVALS_HOURS, told)


def candles(kind: PriceKind) -> Parser:
    """Return the parser of candles, pushed or asked for: [ts, o, h, l, c, contracts, base, quote, confirm]; of 2022
    without the last two; mark and index: [ts, o, h, l, c, confirm]."""

    def parse(frame: RawFrame, held: Held) -> list[Row]:
        return read_data(frame, _texts, partial(_candle, kind, frame))

    return parse


def _candle(kind: PriceKind, frame: RawFrame, arg: Arg, item: list[str]) -> Iterable[Row]:
    if len(item) < (7 if kind == "trade" else 5):
        raise ValueError(f"a candle of {len(item)} columns")
    bar = arg.channel.partition("candle")[2] or parameter(frame)
    if not bar:
        raise ValueError(f"the answer does not say its interval; the channel must: {frame.channel}@1m")
    symbol = arg.instId or symbol_of(frame)
    if kind == "trade" and contract_of(symbol) is None:
        return nothing(f"{symbol} is no contract: its candles are not kept")
    row = Kline(
        symbol, moment(item[0], horizon_ms(frame)), interval(bar), kind,
        number(item[1]), number(item[2]), number(item[3]), number(item[4]),
    )  # fmt: skip
    confirm = item[8:9] if kind == "trade" else item[5:6]
    row.closed = confirm[0] == "1" if confirm and confirm[0] else None
    if kind == "trade":
        row.volume = not_negative(item[5], "vol") if item[5] else None
        row.volume_unit, row.volume_base = "contract", maybe(item[6])
        row.volume_quote = maybe(item[7]) if len(item) > 7 else None
    return (row,)


def interval(bar: str) -> str:
    """Return 1m, 1h, 1d for 1m, 1H, 1Dutc. Bars of 6H and more without `utc` are cut at UTC+8 and named so: 1d+8."""
    if bar[-1:] == "M" or bar.endswith("Mutc"):
        return bar.removesuffix("utc") if bar.endswith("utc") else f"{bar}+8"
    ours = bar.removesuffix("utc").lower()
    return f"{ours}+8" if ours in CUT_AT_UTC8 and not bar.endswith("utc") else ours


def open_interest(frame: RawFrame, held: Held) -> list[Row]:
    """Return the bars [ts, contracts, base, USD] of one contract; the answer does not name it."""
    horizon, period = horizon_ms(frame), interval(parameter(frame) or "") or "unknown"

    def read(arg: Arg, item: list[str]) -> Iterator[Row]:
        time, contracts, base, usd = _columns(item, 4)
        symbol = symbol_of(frame)
        yield OpenInterest(
            symbol, moment(time, horizon), not_negative(contracts, "oi"), "contract", "undocumented",
            contract_of(symbol), maybe(base), maybe(usd), period,
        )  # fmt: skip

    return read_data(frame, _texts, read)


def ratios(kind: RatioKind, scope: Literal["symbol", "coin"]) -> Parser:
    """Return the parser of [ts, ratio] answers, which do not name what they are of."""

    def parse(frame: RawFrame, held: Held) -> list[Row]:
        horizon, period = horizon_ms(frame), interval(parameter(frame) or "") or None

        def read(arg: Arg, item: list[str]) -> Iterator[Row]:
            time, ratio = _columns(item, 2)
            value = not_negative(ratio, "ratio")
            yield LongShortRatio(symbol_of(frame), moment(time, horizon), kind, period, value, scope=scope)

        return read_data(frame, _texts, read)

    return parse


def taker_volumes(frame: RawFrame, held: Held) -> list[Row]:
    """Return the bars [ts, sold, bought] of one contract, in contracts (the default unit)."""
    horizon, period = horizon_ms(frame), interval(parameter(frame) or "") or None

    def read(arg: Arg, item: list[str]) -> Iterator[Row]:
        time, sold, bought = _columns(item, 3)
        sell, buy = not_negative(sold, "sellVol"), not_negative(bought, "buyVol")
        yield LongShortRatio(
            symbol_of(frame), moment(time, horizon), "taker", period, buy / sell if sell else None,
            long_volume=buy, short_volume=sell, unit="contract",
        )  # fmt: skip

    return read_data(frame, _texts, read)


def _columns(item: list[str], count: int) -> list[str]:
    if len(item) < count:
        raise ValueError(f"{len(item)} columns where {count} are documented")
    return item[:count]


def _step(number: str) -> int:
    if 0 < (step := int(number)) <= MOST_STEPS:
        return step
    raise ValueError(f"{number} is not the number of a step")


def tiers(frame: RawFrame, held: Held) -> list[Row]:
    """Return position tiers in contracts; the row's symbol is the instrument family they hold for."""

    def read(arg: Arg, item: _Tier) -> Iterable[Row]:
        if not (family := item.instFamily or item.uly):
            return nothing("tiers of spot margin: not kept")
        leverage = positive(item.maxLever, "maxLever")
        initial = maybe(item.imr)
        return (
            LeverageTier(
                family,
                _step(item.tier),
                number(item.minSz),
                maybe(item.maxSz),
                "contract",
                number(item.mmr),
                initial,
                leverage,
            ),
        )

    return read_data(frame, _tier, read)
