"""Gate futures: which function reads which channel. Facts: exchanges/gateio-futures.md.

Decided where the sources dispute (`[?]` there), and visible in the row: a pushed liquidation has no side of its own; open
interest's sides are undocumented; quanto contracts are neither linear nor inverse, and have no dollars.
"""

import msgspec

from pipelines.facts import Instrument
from pipelines.venues.gateio import liquidations, market, reference
from pipelines.venues.gateio.symbols import symbol_form
from pipelines.venues.venue import Answered, Named, Venue, Versions, always
from pipelines.venues.wire import BAD

PREFIX = "futures."
PARSERS: dict[tuple[str, str], Versions] = {
    ("ws", "public_liquidates"): always(liquidations.pushed),
    ("rest", "liq_orders"): always(liquidations.reported),
    ("ws", "tickers"): always(market.tickers),
    ("rest", "tickers"): always(market.tickers),
    ("ws", "contract_stats"): always(market.statistics),
    ("rest", "contract_stats"): always(market.statistics),
    ("rest", "funding_rate"): always(market.settlements),
    ("rest", "candlesticks"): always(market.candles),
    ("rest", "contracts"): always(reference.contracts),
}
NOTHING: dict[tuple[str, str], str] = {
    ("ws", "control"): "acknowledgement, error reply or pong",
    **{
        ("ws", channel): f"{channel}: the warehouse keeps no trades, quotes or depth"
        for channel in ("trades", "order_book*", "obu", "book_ticker", "candlesticks")
    },
}


class _Message(msgspec.Struct):
    channel: str = ""
    event: str = ""
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_message = msgspec.json.Decoder(_Message).decode
_first = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode
FIELDS = (
    ({"contract", "order_price", "fill_price"}, "liq_orders"),
    ({"name", "quanto_multiplier"}, "contracts"),
    ({"contract", "total_size", "mark_price"}, "tickers"),
    ({"time", "lsr_account"}, "contract_stats"),
    ({"t", "o", "h", "l", "c"}, "candlesticks"),
)


def channel_of(payload: bytes) -> Named | None:
    """Name a WebSocket message's channel without its prefix; None where it is none of Gate's."""
    try:
        message = _message(payload)
    except BAD:
        return None
    if not message.channel.startswith(PREFIX):
        return None
    if message.event in ("subscribe", "unsubscribe") or message.channel == "futures.pong":
        return Named("control", "*")
    return Named(message.channel.removeprefix(PREFIX), "*") if message.result is not msgspec.UNSET else None


def answer_of(payload: bytes) -> Answered | None:
    """Name an answer, a bare list, by the fields of its first item."""
    if payload.lstrip()[:1] != b"[":
        return None
    try:
        items = _first(payload)
    except BAD:
        return None
    found = next((channel for names, channel in FIELDS if items and items[0].keys() >= names), None)
    return Answered(found, "*") if found else None


def group_of(contract: Instrument) -> str:
    """Return the settlement that lists the contract."""
    return contract.settle.lower()


VENUE = Venue(
    "gateio", PARSERS, NOTHING, channel_of, symbol_form, {"contracts": ("usdt", "btc")}, group_of, answer_of,
    liquidations.RULES, contract_lists=("contracts",),
)  # fmt: skip
