"""Kraken Futures: which function reads which channel. Facts: exchanges/kraken-futures.md.

Decided where the sources are silent, and visible in the row: whether open interest counts one side or both is undocumented.
"""

import msgspec

from pipelines.facts import Instrument
from pipelines.venues.kraken import market, trades
from pipelines.venues.kraken.symbols import symbol_form
from pipelines.venues.venue import Answered, Named, Venue, Versions, always
from pipelines.venues.wire import BAD

PARSERS: dict[tuple[str, str], Versions] = {
    ("ws", "trade"): always(trades.trades),
    ("ws", "ticker"): always(market.ticker),
    ("rest", "history"): always(trades.answered),
    ("rest", "candles"): always(market.candles),
    ("rest", "tickers"): always(market.tickers),
    ("rest", "historicalfundingrates"): always(market.settlements),
    ("rest", "instruments"): always(market.instruments),
}
NOTHING: dict[tuple[str, str], str] = {
    ("ws", "control"): "greeting, acknowledgement, error reply or heartbeat",
    ("ws", "ticker_lite"): "ticker_lite: it lacks funding and open interest, and is not kept",
    **{("ws", channel): f"{channel}: the warehouse keeps no quotes or depth" for channel in ("book", "book_snapshot")},
}
ANSWERS = (
    ("tickers", "tickers"), ("rates", "historicalfundingrates"), ("instruments", "instruments"), ("history", "history"),
)  # fmt: skip
CANDLES = {"candles", "more_candles"}


class _Message(msgspec.Struct):
    event: str = ""
    feed: str = ""
    product_id: str = "*"


_message = msgspec.json.Decoder(_Message).decode
_answer = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def channel_of(payload: bytes) -> Named | None:
    """Name a WebSocket message's channel and product; None where it is none of Kraken's."""
    try:
        message = _message(payload)
    except BAD:
        return None
    if message.event or message.feed == "heartbeat":
        return Named("control", "*")
    channel = "trade" if message.feed == "trade_snapshot" else message.feed
    return Named(channel, message.product_id) if channel else None


def answer_of(payload: bytes) -> Answered | None:
    """Name an answer by what it holds."""
    try:
        answer = _answer(payload)
    except BAD:
        return None
    if answer.keys() == CANDLES:
        return Answered("candles", "*")
    found = next((channel for name, channel in ANSWERS if name in answer and "result" in answer), None)
    return Answered(found, "*") if found else None


def group_of(_contract: Instrument) -> str:
    """Return the one list there is."""
    return "futures"


VENUE = Venue(
    "kraken", PARSERS, NOTHING, channel_of, symbol_form, {"instruments": ("futures",)}, group_of, answer_of, trades.RULES,
    contract_lists=("instruments",),
)  # fmt: skip
