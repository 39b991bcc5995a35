"""Hyperliquid: which function reads which channel. Facts: exchanges/hyperliquid.md.

No feed has its liquidations. A node's fills have them, and are read where somebody has them; where not, there are no
rows.
"""

from typing import Any

import msgspec

from pipelines.facts import Instrument
from pipelines.venues.hyperliquid import fills, market, positions
from pipelines.venues.hyperliquid.symbols import symbol_form
from pipelines.venues.venue import Answered, Named, Venue, Versions, always
from pipelines.venues.wire import BAD

PARSERS: dict[tuple[str, str], Versions] = {
    ("ws", "node_fills_by_block"): always(fills.by_block),
    ("ws", "node_fills"): always(fills.of_line),
    ("ws", "user"): always(fills.of_user),
    ("ws", "activeAssetCtx"): always(market.pushed),
    ("rest", "metaAndAssetCtxs"): always(market.states),
    ("rest", "meta"): always(market.instruments),
    ("rest", "fundingHistory"): always(market.settlements),
    ("rest", "clearinghouseState"): always(positions.positions),
    ("rest", "candleSnapshot"): always(market.candles),
}
NOTHING: dict[tuple[str, str], str] = {
    ("ws", "control"): "greeting, acknowledgement, error reply or pong",
    ("rest", "leaderboard"): "accounts, which are asked for their positions one by one",
    ("ws", "trades"): "trades, which have no mark of a liquidation: an all-zero hash is none",
    ("ws", "allDexsAssetCtxs"): "contexts by position, without the names that another answer has",
    **{
        ("ws", channel): f"{channel}: not kept"
        for channel in ("activeSpotAssetCtx", "l2Book", "bbo", "candle", "allMids")
    },
}
BY_ITEM = {"fundingHistory": {"coin", "fundingRate", "time"}, "candleSnapshot": {"t", "s", "i", "o", "c"}}
BY_KEY = {"universe": "meta", "assetPositions": "clearinghouseState", "leaderboardRows": "leaderboard"}
"""What an answer is, by the keys of its first item, or its own."""
CONTROL = ("subscriptionResponse", "error", "pong")
GREETING = b"Websocket connection established."


class _Message(msgspec.Struct):
    channel: str = ""
    data: Any = None
    events: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    block_number: int | None = None


_message = msgspec.json.Decoder(_Message).decode
_items = msgspec.json.Decoder(list[dict[str, msgspec.Raw]] | dict[str, msgspec.Raw]).decode


def channel_of(payload: bytes) -> Named | None:
    """Name a WebSocket message's channel and coin, or a node's line; None where it is none of Hyperliquid's."""
    if payload.strip() == GREETING:
        return Named("control", "*")
    if payload.lstrip()[:4] == b'["0x':
        return Named("node_fills", "*")
    try:
        message = _message(payload)
    except BAD:
        return None
    if message.events is not msgspec.UNSET and message.block_number is not None:
        return Named("node_fills_by_block", "*")
    if message.channel in CONTROL:
        return Named("control", "*")
    coin = message.data.get("coin") if isinstance(message.data, dict) else None
    return Named(message.channel, coin if isinstance(coin, str) else "*") if message.channel else None


def answer_of(payload: bytes) -> Answered | None:
    """Name an answer by what it holds."""
    try:
        answer = _items(payload)
    except BAD:
        return None
    first = next(iter(answer), {}) if isinstance(answer, list) else answer
    if not isinstance(first, dict):
        return None
    if isinstance(answer, list):
        return next((Answered(channel, "*") for channel, keys in BY_ITEM.items() if first.keys() >= keys), None)
    return next((Answered(channel, "*") for key, channel in BY_KEY.items() if key in first), None)


def group_of(_contract: Instrument) -> str:
    """Return the one list there is."""
    return "perps"


VENUE = Venue(
    "hyperliquid", PARSERS, NOTHING, channel_of, symbol_form, {"meta": ("perps",)}, group_of, answer_of, fills.RULES,
    contract_lists=("meta",), units={"linear": "base"}, price_kind="fill_average", oi_sides="one",
)  # fmt: skip
