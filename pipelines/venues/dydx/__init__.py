"""dYdX v4: which function reads which channel. Facts: exchanges/dydx-v4.md.

Decided where the sources are silent, and visible in the row: whether open interest counts one side or both is
undocumented.
"""

import msgspec

from pipelines.facts import Instrument
from pipelines.venues.dydx import market, trades
from pipelines.venues.dydx.symbols import symbol_form
from pipelines.venues.venue import Answered, Named, Venue, Versions, always
from pipelines.venues.wire import BAD

PARSERS: dict[tuple[str, str], Versions] = {
    ("ws", "v4_trades"): always(trades.pushed),
    ("ws", "v4_markets"): always(market.markets),
    ("rest", "trades"): always(trades.answered),
    ("rest", "historicalFunding"): always(market.settlements),
    ("rest", "candles"): always(market.candles),
    ("rest", "perpetualMarkets"): always(market.instruments),
}
NOTHING: dict[tuple[str, str], str] = {
    ("ws", "control"): "greeting, acknowledgement or error reply",
    **{("ws", channel): f"{channel}: not kept" for channel in ("v4_orderbook", "v4_candles", "v4_block_height")},
}
ANSWERS = (
    ("historicalFunding", "historicalFunding"), ("markets", "perpetualMarkets"), ("trades", "trades"), ("candles", "candles"),
)  # fmt: skip
CONTROL = ("connected", "unsubscribed", "error", "pong")


class _Message(msgspec.Struct):
    type: str = ""
    channel: str = ""
    id: str = ""


_message = msgspec.json.Decoder(_Message).decode
_answer = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def channel_of(payload: bytes) -> Named | None:
    """Name a WebSocket message's channel and market; None where it is none of dYdX's."""
    try:
        message = _message(payload)
    except BAD:
        return None
    if message.type in CONTROL:
        return Named("control", "*")
    return Named(message.channel, message.id or "*") if message.type and message.channel else None


def answer_of(payload: bytes) -> Answered | None:
    """Name an answer by what it holds."""
    try:
        answer = _answer(payload)
    except BAD:
        return None
    found = next((channel for name, channel in ANSWERS if answer.keys() == {name}), None)
    return Answered(found, "*") if found else None


def group_of(_contract: Instrument) -> str:
    """Return the one list there is."""
    return "markets"


VENUE = Venue(
    "dydx", PARSERS, NOTHING, channel_of, symbol_form, {"perpetualMarkets": ("markets",)}, group_of, answer_of, trades.RULES,
    contract_lists=("perpetualMarkets",), price_kind="fill_average",
)  # fmt: skip
