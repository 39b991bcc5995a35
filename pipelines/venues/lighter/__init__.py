"""Lighter: which function reads which channel. Facts: README.md beside it."""

from typing import Any

import msgspec

from pipelines.facts import Instrument
from pipelines.venues.lighter import market, trades
from pipelines.venues.lighter.symbols import symbol_form
from pipelines.venues.venue import Answered, Named, Venue, Versions, always
from pipelines.venues.wire import BAD

PARSERS: dict[tuple[str, str], Versions] = {
    ("ws", "trade"): always(trades.pushed),
    ("ws", "market_stats"): always(market.states),
    ("rest", "fundings"): always(market.settlements),
    ("rest", "orderBookDetails"): always(market.instruments),
}
NOTHING: dict[tuple[str, str], str] = {
    ("ws", "control"): "greeting, acknowledgement, error reply, ping or pong",
    **{
        ("ws", channel): f"{channel}: not kept"
        for channel in (
            "order_book",
            "ticker",
            "spot_market_stats",
            "candle",
            "mark_price_candle",
            "height",
            "account_*",
        )
    },
}
CONTROL = ("connected", "unsubscribed", "ping", "pong")
ANSWERS = {"order_book_details": "orderBookDetails", "fundings": "fundings"}


class _Message(msgspec.Struct):
    type: str = ""
    channel: str = ""
    error: Any = None


_message = msgspec.json.Decoder(_Message).decode
_answer = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def channel_of(payload: bytes) -> Named | None:
    """Name a WebSocket message's channel and market; None where it is none of Lighter's."""
    try:
        message = _message(payload)
    except BAD:
        return None
    if message.error is not None or message.type in CONTROL:
        return Named("control", "*")
    kind, _, name = message.type.partition("/")
    if kind not in ("subscribed", "update") or not name or message.channel.partition(":")[0] != name:
        return None
    market = message.channel.partition(":")[2]
    return Named(name, "*" if market in ("", "all") else market)


def answer_of(payload: bytes) -> Answered | None:
    """Name an answer by what it holds."""
    try:
        answer = _answer(payload)
    except BAD:
        return None
    return next((Answered(channel, "*") for key, channel in ANSWERS.items() if key in answer), None)


def group_of(_contract: Instrument) -> str:
    """Return the one list there is."""
    return "perps"


VENUE = Venue(
    "lighter", PARSERS, NOTHING, channel_of, symbol_form, {"orderBookDetails": ("perps",)}, group_of, answer_of, trades.RULES,
    contract_lists=("orderBookDetails",), units={"linear": "base"}, price_kind="fill_average",
)  # fmt: skip
