"""CoinEx futures: which function reads which channel. Facts: exchanges/coinex.md.

Decided where the sources are silent, and visible in the row: whether open interest counts one side or both is
undocumented; what amounts of inverse markets are in is not proven, so they have none.
"""

from typing import Any

import msgspec

from pipelines.facts import Instrument
from pipelines.venues.answers import named
from pipelines.venues.coinex import liquidations, market
from pipelines.venues.coinex.symbols import symbol_form
from pipelines.venues.venue import Answered, Named, Venue, Versions, always
from pipelines.venues.wire import BAD

PARSERS: dict[tuple[str, str], Versions] = {
    ("rest", "liquidation-history"): always(liquidations.liquidations),
    ("rest", "market"): always(market.instruments),
    ("rest", "market-state"): always(market.states),
    ("rest", "ticker"): always(market.states),
    ("rest", "funding-rate"): always(market.states),
    ("rest", "funding-rate-history"): always(market.settlements),
    ("ws", "state"): always(market.pushed),
    ("ws", "index"): always(market.pushed),
}
NOTHING: dict[tuple[str, str], str] = {
    ("ws", "control"): "acknowledgement, error reply or pong",
    **{
        ("ws", channel): f"{channel}: the warehouse keeps no trades, quotes or depth"
        for channel in ("deals", "depth", "bbo")
    },
}
FIELDS = (
    ("liq_price liq_amount", "liquidation-history"), ("funding_time actual_funding_rate", "funding-rate-history"),
    ("next_funding_rate latest_funding_rate", "funding-rate"), ("contract_type base_ccy", "market"),
    ("market mark_price", "ticker"),
)  # fmt: skip


class _Message(msgspec.Struct):
    method: str | None = None
    id: Any = None
    code: int | None = None
    data: Any = None


_message = msgspec.json.Decoder(_Message).decode


def channel_of(payload: bytes) -> Named | None:
    """Name a WebSocket message's topic; None where it is none of CoinEx's."""
    try:
        message = _message(payload)
    except BAD:
        return None
    if message.code is not None:
        return Named("control", "*")
    topic, _, kind = (message.method or "").rpartition(".")
    return Named(topic, "*") if topic and kind == "update" else None


def answer_of(payload: bytes) -> Answered | None:
    """Name an answer by its first item."""
    return named(
        payload, lambda answer: answer.keys() >= {"code", "data", "message"}, lambda answer: answer["data"], FIELDS
    )


def group_of(_contract: Instrument) -> str:
    """Return the one list there is."""
    return "futures"


VENUE = Venue(
    "coinex", PARSERS, NOTHING, channel_of, symbol_form, {"market": ("futures",)}, group_of, answer_of, liquidations.RULES,
    contract_lists=("market",), units={"linear": "base", "inverse": "unknown"}, price_kind="mark",
)  # fmt: skip
