"""Binance's leverage brackets as its signed endpoints answer: /fapi/v1/leverageBracket, /dapi/v2/leverageBracket.

They need the operator's key, so they come from a file (`liq import binance-brackets`). Facts: exchanges/binance.md §7. The
brackets are taken as sent; where an account's are adjusted the answer has notionalCoef beside them, which is not applied.
"""

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import LeverageTier, Row
from pipelines.venues.binance.items import read_items
from pipelines.venues.wire import Held, Text, each_raw, maybe, not_negative, number, positive


class _Bracket(msgspec.Struct):
    bracket: int
    initialLeverage: Text
    maintMarginRatio: Text
    notionalFloor: Text | None = None  # USD-M: quote
    notionalCap: Text | None = None
    qtyFloor: Text | None = None  # COIN-M: base coin; one page of the documentation spells it qtylFloor
    qtylFloor: Text | None = None
    qtyCap: Text | None = None
    cum: Text | None = None


class _Brackets(msgspec.Struct):
    brackets: list[msgspec.Raw]
    symbol: str = ""
    pair: str = ""  # /dapi/v1 names the pair only


_brackets = msgspec.json.Decoder(_Brackets).decode
_bracket = msgspec.json.Decoder(_Bracket).decode


def brackets(frame: RawFrame, held: Held) -> list[Row]:
    """Return every step of every contract of a leverageBracket answer."""

    def read(item: _Brackets) -> list[Row]:
        if not (symbol := item.symbol or item.pair):
            raise ValueError("brackets that name no symbol")
        return each_raw(item.brackets, _bracket, lambda step: (_tier(symbol, step),), "brackets")

    return read_items(frame.payload, _brackets, read)


def _tier(symbol: str, step: _Bracket) -> LeverageTier:
    of_notional = step.notionalFloor is not None
    floor = step.notionalFloor if of_notional else (step.qtyFloor if step.qtyFloor is not None else step.qtylFloor)
    if floor is None:
        raise ValueError(f"bracket {step.bracket} has no floor")
    leverage = positive(step.initialLeverage, "initialLeverage")
    return LeverageTier(
        symbol, step.bracket, not_negative(floor, "floor"), maybe(step.notionalCap if of_notional else step.qtyCap),
        "quote" if of_notional else "base", number(step.maintMarginRatio), 1 / leverage, leverage, maybe(step.cum),
    )  # fmt: skip
