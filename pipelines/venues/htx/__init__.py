"""HTX futures: which function reads which channel. Facts: exchanges/htx.md.

Decided where the sources are silent, and visible in the row: whether open interest counts one side or both is undocumented;
the interval of funding is the time between settlements.
"""

import msgspec

from pipelines.facts import Instrument
from pipelines.venues.answers import Fields, named
from pipelines.venues.htx import liquidations, market, reference
from pipelines.venues.htx.symbols import symbol_form
from pipelines.venues.venue import Answered, Named, Venue, Versions, always
from pipelines.venues.wire import BAD

PARSERS: dict[tuple[str, str], Versions] = {
    ("ws", "liquidation_orders"): always(liquidations.liquidations),
    ("rest", "liquidation_history"): always(liquidations.liquidations),
    ("ws", "funding_rate"): always(market.funding_rates),
    ("ws", "contract_info"): always(reference.instruments),
    ("ws", "basis"): always(market.basis),
    ("rest", "swap_contract_info"): always(reference.instruments),
    ("rest", "contract_contract_info"): always(reference.instruments),
    ("rest", "open-interest"): always(market.open_interest),
    ("rest", "index"): always(market.index_prices),
    ("rest", "batch_funding_rate"): always(market.funding_rates),
    ("rest", "historical_funding_rate"): always(market.settlements),
    ("rest", "elite-ratio"): always(market.ratios),
    ("rest", "elite-position-ratio"): always(market.ratios),
    ("rest", "kline"): always(market.candles),
}
NOTHING: dict[tuple[str, str], str] = {
    ("ws", "control"): "acknowledgement, error reply or ping",
    **{
        ("ws", channel): f"{channel}: the warehouse keeps no trades, quotes or depth"
        for channel in ("trade", "depth", "detail", "bbo", "kline", "premium_index", "index", "estimated_rate")
    },
}
FIELDS: Fields = (
    ("contract_code contract_size", "swap_contract_info"),
    ("contract_code direction volume price", "liquidation_history"),
    ("contract_code volume amount trade_volume", "open-interest"),
    ("contract_code funding_rate estimated_rate", "batch_funding_rate"),
    ("contract_code index_price index_ts", "index"),
)
CONTROL = ("sub", "unsub", "ping", "pong", "close", "error", "auth")


class _Message(msgspec.Struct):
    op: str = ""
    topic: str = ""
    ch: str = ""
    subbed: str = ""
    unsubbed: str = ""
    ping: int = 0
    status: str = ""
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_message = msgspec.json.Decoder(_Message).decode


def channel_of(payload: bytes) -> Named | None:
    """Name a WebSocket message's channel and contract by its topic; None where it is none of HTX's."""
    try:
        message = _message(payload)
    except BAD:
        return None
    if message.op in CONTROL or message.subbed or message.unsubbed or message.ping or message.status == "error":
        return Named("control", "*")
    if message.status and message.ch:  # an answer, not a push
        return None
    parts = (message.topic if message.op == "notify" else message.ch).split(".")
    if len(parts) < 3:
        return None
    return Named(parts[-1] if message.op == "notify" else parts[2], ".".join(parts[1:-1]) if message.op else parts[1])


def answer_of(payload: bytes) -> Answered | None:
    """Name an answer with status and data."""
    return named(payload, lambda answer: "status" in answer and "data" in answer, lambda a: a["data"], FIELDS)


def group_of(contract: Instrument) -> str:
    """Return the market that lists the contract."""
    if contract.contract == "linear":
        return "linear"
    return "swap" if contract.kind == "perpetual" else "delivery"


LISTS = {"swap_contract_info": ("linear", "swap"), "contract_contract_info": ("delivery",)}
VENUE = Venue(
    "htx", PARSERS, NOTHING, channel_of, symbol_form, LISTS, group_of, answer_of, liquidations.RULES,
    contract_lists=("swap_contract_info", "contract_contract_info"),
)  # fmt: skip
