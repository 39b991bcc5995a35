"""Aster's perpetuals: which function reads which channel. Facts: exchanges/aster.md.

Its API is a copy of Binance's, so state and contracts are read by the same functions; liquidations by its own. Decided
where the sources are silent, and visible in the row: whether open interest counts one side or both is undocumented.
"""

from typing import Any

import msgspec

from pipelines.facts import Instrument
from pipelines.venues.aster import liquidations
from pipelines.venues.binance import channel_of, history, rest, streams
from pipelines.venues.binance.symbols import symbol_form
from pipelines.venues.venue import Answered, Venue, Versions, always
from pipelines.venues.wire import BAD

PARSERS: dict[tuple[str, str], Versions] = {
    ("ws", "forceOrder"): always(liquidations.liquidations),
    ("ws", "markPrice"): always(streams.mark_prices),
    ("rest", "exchangeInfo"): always(rest.instruments),
    ("rest", "openInterest"): always(rest.open_interest),
    ("rest", "premiumIndex"): always(rest.premium_index),
    ("rest", "fundingInfo"): always(rest.funding_intervals),
    ("rest", "fundingRate"): always(rest.settlements),
    ("rest", "klines"): always(history.klines("um", "trade")),
}
NOTHING: dict[tuple[str, str], str] = {
    ("ws", "control"): "acknowledgement or error reply",
    **{
        ("ws", channel): f"{channel}: the warehouse keeps no trades, quotes, depth or 24-hour statistics"
        for channel in ("trade", "aggTrade", "bookTicker", "depth*", "24hrTicker", "24hrMiniTicker", "kline_*")
    },
}
FIELDS = (
    ({"symbol", "markPrice", "lastFundingRate"}, "premiumIndex"), ({"symbol", "fundingIntervalHours"}, "fundingInfo"),
    ({"symbol", "fundingRate", "fundingTime"}, "fundingRate"), ({"symbol", "openInterest"}, "openInterest"),
    ({"symbols"}, "exchangeInfo"),
)  # fmt: skip

_any = msgspec.json.Decoder(dict[str, Any] | list[dict[str, Any]]).decode


def answer_of(payload: bytes) -> Answered | None:
    """Name an answer, an object or a list of them, by its fields."""
    try:
        answer = _any(payload)
    except BAD:
        return None
    first = next(iter(answer), {}) if isinstance(answer, list) else answer
    found = next((channel for names, channel in FIELDS if first.keys() >= names), None)
    return Answered(found, "*") if found else None


def group_of(_contract: Instrument) -> str:
    """Return the one list there is."""
    return "um"


VENUE = Venue(
    "aster", PARSERS, NOTHING, channel_of, symbol_form, {"exchangeInfo": ("um",)}, group_of, answer_of, liquidations.RULES,
    contract_lists=("exchangeInfo", "fundingInfo"), price_kind="fill_average",
)  # fmt: skip
