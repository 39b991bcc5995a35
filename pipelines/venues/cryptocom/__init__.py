"""Crypto.com's derivatives: which function reads which channel. Facts: exchanges/crypto-com.md.

It publishes no liquidations, and its trades have no mark of them. Decided where the sources are silent, and visible in
the row: whether open interest counts one side or both is undocumented; contracts are taken to settle in their quote.
"""

from typing import Any

import msgspec

from pipelines.facts import Instrument
from pipelines.venues.answers import named
from pipelines.venues.cryptocom import market
from pipelines.venues.cryptocom.symbols import symbol_form
from pipelines.venues.venue import Answered, Named, Venue, Versions, always
from pipelines.venues.wire import BAD

PARSERS: dict[tuple[str, str], Versions] = {
    ("ws", "funding"): always(market.values(market.rate)),
    ("ws", "mark"): always(market.values(market.mark)),
    ("ws", "index"): always(market.values(market.index)),
    ("ws", "ticker"): always(market.tickers),
    ("rest", "get-tickers"): always(market.tickers),
    ("rest", "get-valuations"): always(market.values(market.settled)),
    ("rest", "get-candlestick"): always(market.candles),
    ("rest", "get-instruments"): always(market.instruments),
}
NOTHING: dict[tuple[str, str], str] = {
    ("ws", "control"): "acknowledgement, error reply or heartbeat",
    ("ws", "trade"): "trades, which have no mark of a liquidation: the venue publishes none",
    **{
        ("ws", channel): f"{channel}: not kept"
        for channel in ("book*", "candlestick", "estimatedfunding", "settlement")
    },
}
FIELDS = (
    ("symbol inst_type", "get-instruments"),
    ("i t oi", "get-tickers"),
    ("v t", "get-valuations"),
    ("o h l c t", "get-candlestick"),
)


class _Result(msgspec.Struct):
    channel: str = ""
    instrument_name: str = "*"


class _Message(msgspec.Struct):
    method: str = ""
    code: int | None = None
    result: _Result | None = None


_message = msgspec.json.Decoder(_Message).decode


def channel_of(payload: bytes) -> Named | None:
    """Name a WebSocket message's channel and instrument; None where it is none of Crypto.com's."""
    try:
        message = _message(payload)
    except BAD:
        return None
    if message.result and message.result.channel:
        return Named(message.result.channel, message.result.instrument_name)
    is_control = message.method in ("subscribe", "unsubscribe", "public/heartbeat")
    return Named("control", "*") if is_control and message.code is not None else None


def answer_of(payload: bytes) -> Answered | None:
    """Name an answer by its first item."""
    return named(payload, lambda answer: answer.keys() >= {"code", "method", "result"}, _listed, FIELDS)


def _listed(answer: dict[str, Any]) -> Any:
    result = answer["result"]
    return result.get("data") if isinstance(result, dict) else None


def group_of(_contract: Instrument) -> str:
    """Return the one list there is."""
    return "derivatives"


VENUE = Venue(
    "cryptocom", PARSERS, NOTHING, channel_of, symbol_form, {"get-instruments": ("derivatives",)}, group_of, answer_of,
    contract_lists=("get-instruments",), units={"linear": "base"},
)  # fmt: skip
