"""Bybit v5, linear and inverse: which function reads which channel. Facts: exchanges/bybit.md.

Decided where the sources dispute (`[?]` there), and visible in the row: the v2 side is the position's, as in v5; risk
limits are percent where initial margin x leverage is about 100. Rows of the retired topic are of another completeness.
Frames are taken to be identical on two sockets, so identical items of a frame are told apart by their occurrence in it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from pipelines.facts import Instrument
from pipelines.venues.bybit import bulk, dumps, kept, latest, liquidations, rest, tickers
from pipelines.venues.bybit.answers import answer_of
from pipelines.venues.bybit.streams import klines
from pipelines.venues.bybit.symbols import symbol_form
from pipelines.venues.venue import Named, Venue, Versions, always, members
from pipelines.venues.wire import BAD

UNTIL_V2_ENDED = datetime(2023, 5, 1, tzinfo=UTC)
UNTIL_TOPIC_ENDED = datetime(2025, 11, 19, tzinfo=UTC)

PARSERS: dict[tuple[str, str], Versions] = {
    ("ws", "allLiquidation"): always(liquidations.liquidations),
    ("ws", "liquidation"): [
        (UNTIL_V2_ENDED, liquidations.liquidation_v2),
        (UNTIL_TOPIC_ENDED, liquidations.liquidation_v5),
    ],
    ("ws", "tickers"): always(tickers.tickers),
    ("ws", "kline.*"): always(klines),
    ("rest", "tickers"): always(tickers.ticker_list),
    ("rest", "instruments-info"): always(rest.instruments),
    ("rest", "open-interest"): always(rest.open_interest),
    ("rest", "funding_history"): always(rest.settlements),
    ("rest", "kline"): always(rest.klines("trade")),
    ("rest", "mark-price-kline"): always(rest.klines("mark")),
    ("rest", "index-price-kline"): always(rest.klines("index")),
    ("rest", "premium-index-price-kline"): always(rest.klines("premium")),
    ("rest", "account-ratio"): always(rest.ratios),
    ("rest", "risk-limit"): always(rest.risk_limits),
    ("rest", "dump_kline"): always(dumps.candles),
}

NOTHING: dict[tuple[str, str], str] = {
    ("ws", "control"): "acknowledgement or error reply",
    ("ws", "system.status"): "system status: not kept",
    **{
        ("ws", channel): f"{channel}: the warehouse keeps no trades or depth"
        for channel in ("publicTrade", "orderbook.*", "orderbook_rpi*", "priceLimit")
    },
    ("ws", "adlAlert"): "adl alert: not kept",
    ("ws", "insurance"): "insurance fund: not kept",
    ("rest", "adlAlert"): "adl alert: not kept",
    ("rest", "insurance"): "insurance fund: not kept",
    ("rest", "system_status"): "system status: not kept",
}


class _Message(msgspec.Struct):
    topic: str = ""
    op: str = ""
    success: bool | None = None


_message = msgspec.json.Decoder(_Message).decode


def channel_of(payload: bytes) -> Named | None:
    """Name a WebSocket message's channel and symbol by its topic; None where it is none of Bybit's."""
    try:
        message = _message(payload)
    except BAD:
        return None
    if message.topic.startswith("system."):
        return Named(message.topic, "*")
    if message.topic:
        channel, _, symbol = message.topic.rpartition(".")
        return Named(channel or symbol, symbol if channel else "*")
    return Named("control", "*") if message.op or message.success is not None else None


def asked_for(message: Mapping[str, Any]) -> list[Named]:
    """Return the topics of a subscribe: allLiquidation.BTCUSDT."""
    topics = members(message, "args") if message.get("op") == "subscribe" else []
    parts = (topic.rpartition(".") for topic in topics if isinstance(topic, str))
    return [Named(channel, symbol) for channel, _, symbol in parts if channel]


def group_of(contract: Instrument) -> str:
    """Return linear or inverse: the category whose instruments-info lists the contract, over several pages."""
    return contract.contract


LISTS = {"instruments-info": ("linear", "inverse")}
VENUE = Venue(
    "bybit", PARSERS, NOTHING, channel_of, symbol_form, LISTS, group_of, answer_of, liquidations.RULES,
    bulks={("ws", "allLiquidation"): bulk.LIQUIDATIONS}, latest={("ws", "tickers"): latest.tickers},
    contract_lists=("instruments-info",), unsaid_intervals=("kline",), margin_tables="risk-limit", entry_based=("inverse",),
    kept=kept.TICKERS,
    units={"linear": "base", "inverse": "usd"}, price_kind="bankruptcy", oi_sides="both", archives=("bybit",),
    asked_for=asked_for, named_file=dumps.named_file, left_out=dumps.left_out,
)  # fmt: skip
