"""BitMEX: which function reads which channel. Facts: exchanges/bitmex.md.

Decided where the sources are silent, and visible in the row: whether the table has every liquidation order, and whether open
interest counts one side or both, is undocumented; quanto contracts are neither linear nor inverse and have no dollars.
"""

import msgspec

from pipelines.facts import Instrument
from pipelines.venues.bitmex import kept, liquidations, market
from pipelines.venues.bitmex.symbols import symbol_form
from pipelines.venues.venue import Answered, Named, Venue, Versions, always
from pipelines.venues.wire import BAD

PARSERS: dict[tuple[str, str], Versions] = {
    ("ws", "liquidation"): always(liquidations.liquidations),
    ("ws", "instrument"): always(market.states),
    ("ws", "funding"): always(market.settlements),
    ("rest", "instrument-active"): always(market.contracts),
    ("rest", "instrument-state"): always(market.states),
    ("rest", "funding"): always(market.settlements),
}
NOTHING: dict[tuple[str, str], str] = {
    ("ws", "control"): "greeting, acknowledgement, error reply or pong",
    **{
        ("ws", channel): f"{channel}: the warehouse keeps no trades, quotes or depth"
        for channel in ("trade*", "quote*", "orderBook*")
    },
    **{
        ("ws", channel): f"{channel}: not kept"
        for channel in ("settlement", "insurance", "chat", "connected", "announcement")
    },
}


class _Message(msgspec.Struct):
    table: str = ""
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    success: bool | None = None
    error: str = ""
    info: str = ""


_message = msgspec.json.Decoder(_Message).decode
_items = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode


def channel_of(payload: bytes) -> Named | None:
    """Name a WebSocket message's table; None where it is none of BitMEX'."""
    if payload.strip() == b"pong":
        return Named("control", "*")
    try:
        message = _message(payload)
    except BAD:
        return None
    if message.success is not None or message.error or message.info:
        return Named("control", "*")
    return Named(message.table, "*") if message.table and message.data is not msgspec.UNSET else None


def answer_of(payload: bytes) -> Answered | None:
    """Name an answer, a bare list, by the fields of its first item."""
    if payload.lstrip()[:1] != b"[":
        return None
    try:
        first = next(iter(_items(payload)), {})
    except BAD:
        return None
    if first.keys() >= {"symbol", "typ", "settlCurrency"}:
        return Answered("instrument-active", "*")
    return Answered("funding", "*") if first.keys() >= {"symbol", "fundingRate", "fundingInterval"} else None


def group_of(_contract: Instrument) -> str:
    """Return the one list there is."""
    return "contracts"


VENUE = Venue(
    "bitmex", PARSERS, NOTHING, channel_of, symbol_form, {"instrument-active": ("contracts",)}, group_of, answer_of,
    liquidations.RULES, contract_lists=("instrument-active",), kept=kept.ORDERS,
)  # fmt: skip
