"""Bitfinex derivatives: which function reads which channel. Facts: exchanges/bitfinex.md.

Frames name no channel: they are told by their form. Decided where the sources are silent, and visible in the row: whether open
interest counts one side or both is undocumented; a trigger without an acquired price has no dollars.
"""

from typing import Any

import msgspec

from pipelines.facts import Instrument
from pipelines.venues.bitfinex import liquidations, market
from pipelines.venues.bitfinex.symbols import symbol_form
from pipelines.venues.venue import Named, Venue, Versions, always
from pipelines.venues.wire import BAD

PARSERS: dict[tuple[str, str], Versions] = {
    ("ws", "status-liq-global"): always(liquidations.pushed),
    ("rest", "liquidations_hist"): always(liquidations.answered),
    ("ws", "status-deriv"): always(market.pushed),
    ("rest", "status_deriv"): always(market.answered),
    ("rest", "candles"): always(market.candles),
    ("rest", "futures"): always(market.contracts),
    ("ws", "control"): always(market.control),
}
NOTHING: dict[tuple[str, str], str] = {
    ("ws", "other"): "a channel whose frames do not name it: trades, tickers, depth are not kept",
}
MS_FROM, PAST_LAST_PRICE = 1e12, 8

_list = msgspec.json.Decoder(list[Any]).decode
_event = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def channel_of(payload: bytes) -> Named | None:
    """Name a WebSocket message by its form; None where it is none of Bitfinex's."""
    try:
        if payload.lstrip()[:1] == b"{":
            return Named("control", "*") if "event" in _event(payload) else None
        found = _list(payload)
    except BAD:
        return None
    if len(found) < 2 or type(found[0]) is not int or not 0 < found[0] < MS_FROM:  # a time begins a candle
        return None
    return Named("control" if found[1] == "hb" else _by_form(found[1]), "*")


def _by_form(body: Any) -> str:
    if not isinstance(body, list):
        return "other"
    first = body[0] if body else ["pos"]
    if isinstance(first, list):
        return "status-liq-global" if first[:1] == ["pos"] else "other"
    is_status = isinstance(first, int | float) and first > MS_FROM and len(body) > PAST_LAST_PRICE and body[1] is None
    return "status-deriv" if is_status else "other"


def group_of(_contract: Instrument) -> str:
    """Return the one list there is."""
    return "futures"


VENUE = Venue(
    "bitfinex", PARSERS, NOTHING, channel_of, symbol_form, {"futures": ("futures",)}, group_of,
    completeness=liquidations.RULES, contract_lists=("futures",),
)  # fmt: skip
