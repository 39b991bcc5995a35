"""What a Binance REST answer or dump file is, by what it holds, where no record says it. Facts: exchanges/binance.md §3 to §8.

Some answers do not tell: candles neither their host, by which volumes differ, nor their price; ratios of accounts not whose.
"""

from typing import Any

import msgspec

from pipelines.venues.binance.dumps import kind_of
from pipelines.venues.binance.symbols import is_coin_margined
from pipelines.venues.venue import Answered
from pipelines.venues.wire import BAD

CANDLE_CELLS = 12
CANDLES = (
    "candles say neither their host nor their price; name the channel: um_klines, cm_klines, um_markPriceKlines, ..."
)
RATIOS = (
    "a ratio says not whose it is; name the channel: {0}_globalLongShortAccountRatio, {0}_topLongShortAccountRatio "
    "or {0}_topLongShortPositionRatio"
)
BY_FIELDS: tuple[tuple[frozenset[str], str], ...] = tuple(
    (frozenset(fields.split()), channel)
    for fields, channel in (
        ("contractType baseAsset marginAsset symbol", "exchangeInfo"),
        ("openInterest time symbol", "openInterest"),
        ("sumOpenInterest sumOpenInterestValue timestamp", "openInterestHist"),
        ("markPrice nextFundingTime lastFundingRate", "premiumIndex"),
        ("fundingIntervalHours symbol", "fundingInfo"),
        ("fundingRate fundingTime symbol", "fundingRate"),
        ("buySellRatio buyVol sellVol", "takerlongshortRatio"),
        ("takerBuyVol takerSellVol pair", "takerBuySellVol"),
        ("longShortRatio longPosition", "topLongShortPositionRatio"),
        ("longShortRatio longAccount", "?"),
        ("brackets", "leverageBracket"),
        ("adlRisk symbol", "symbolAdlRisk"),
    )
)
COIN_MARGINED_ONLY = ("takerBuySellVol", "topLongShortPositionRatio")
_any = msgspec.json.Decoder().decode


def answer_of(payload: bytes) -> Answered | None:
    """Name an answer's channel and symbol; a channel that begins with `?` says why it cannot be told. None for no answer."""
    try:
        value = _any(payload)
    except BAD:
        return _dump(payload)
    if isinstance(value, dict) and isinstance(value.get("symbols"), list):
        value = value["symbols"]
    if not isinstance(value, list):
        return _named(value, of_list=False)
    alike = len({type(item) for item in value}) == 1
    return _named(value[0], of_list=True) if alike else None


def _named(item: Any, of_list: bool) -> Answered | None:
    if isinstance(item, list):
        told = of_list and len(item) == CANDLE_CELLS and isinstance(item[0], int) and isinstance(item[1], str)
        return Answered(f"?{CANDLES}", "*") if told else None
    if not isinstance(item, dict):
        return None
    channel = next((channel for fields, channel in BY_FIELDS if fields <= item.keys()), None)
    if channel is None:
        return None
    market = "cm" if _is_coin_margined(item, channel) else "um"
    name = f"?{RATIOS.format(market)}" if channel == "?" else f"{market}_{channel}"
    return Answered(name, "*")


def _is_coin_margined(item: dict[str, Any], channel: str) -> bool:
    symbol = item.get("symbol")
    if channel == "exchangeInfo":
        return "contractSize" in item
    if channel == "leverageBracket":
        step = item["brackets"][0] if isinstance(item["brackets"], list) and item["brackets"] else {}
        return isinstance(step, dict) and "qtyCap" in step
    by_symbol = is_coin_margined(symbol) if isinstance(symbol, str) else "pair" in item
    return by_symbol or channel in COIN_MARGINED_ONLY


def _dump(payload: bytes) -> Answered | None:
    """A dump file is CSV; its first line tells."""
    kind = kind_of(payload.partition(b"\n")[0].decode("utf-8-sig", errors="replace").strip())
    return Answered(f"dump_{kind}", "*") if kind else None
