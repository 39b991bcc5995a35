"""Deribit's futures: which function reads which channel. Facts: exchanges/deribit.md.

Decided where the sources are silent, and visible in the row: whether open interest counts one side or both is undocumented.
"""

from typing import Any

import msgspec

from pipelines.facts import Instrument
from pipelines.venues.answers import named
from pipelines.venues.deribit import market, trades
from pipelines.venues.deribit.symbols import UNITS, symbol_form
from pipelines.venues.venue import Answered, Named, Venue, Versions, always
from pipelines.venues.wire import BAD

PARSERS: dict[tuple[str, str], Versions] = {
    ("ws", "trades"): always(trades.pushed),
    ("ws", "ticker"): always(market.ticker),
    ("rest", "get_last_trades_by_instrument"): always(trades.answered),
    ("rest", "get_funding_rate_history"): always(market.settlements),
    ("rest", "get_book_summary*"): always(market.summaries),
    ("rest", "get_tradingview_chart_data"): always(market.candles),
    ("rest", "get_instruments"): always(market.instruments),
}
NOTHING: dict[tuple[str, str], str] = {
    ("ws", "control"): "acknowledgement, error reply or heartbeat",
    **{
        ("ws", channel): f"{channel}: not kept"
        for channel in ("book", "quote", "chart", "perpetual", "deribit_price_index", "estimated_expiration_price")
    },
}
FIELDS = (
    ("instrument_name trade_seq", "get_last_trades_by_instrument"), ("interest_1h interest_8h", "get_funding_rate_history"),
    ("instrument_name instrument_type", "get_instruments"), ("instrument_name open_interest", "get_book_summary"),
)  # fmt: skip


class _Params(msgspec.Struct):
    channel: str = ""


class _Message(msgspec.Struct):
    method: str = ""
    params: _Params | None = None
    result: Any = msgspec.UNSET
    error: Any = msgspec.UNSET


_message = msgspec.json.Decoder(_Message).decode


def channel_of(payload: bytes) -> Named | None:
    """Name a WebSocket message's channel and instrument; None where it is none of Deribit's."""
    try:
        message = _message(payload)
    except BAD:
        return None
    is_reply = message.result is not msgspec.UNSET or message.error is not msgspec.UNSET
    if is_reply or message.method == "heartbeat":
        return Named("control", "*")
    if message.method != "subscription" or message.params is None or not message.params.channel:
        return None
    channel, _, rest = message.params.channel.partition(".")
    return Named(channel, rest.rpartition(".")[0] or "*")


def answer_of(payload: bytes) -> Answered | None:
    """Name an answer by its first item."""
    return named(payload, lambda answer: "jsonrpc" in answer and "usIn" in answer, _listed, FIELDS)


def _listed(answer: dict[str, Any]) -> Any:
    result = answer.get("result")
    return result.get("trades") if isinstance(result, dict) else result


def group_of(_contract: Instrument) -> str:
    """Return the one list there is."""
    return "futures"


VENUE = Venue(
    "deribit", PARSERS, NOTHING, channel_of, symbol_form, {"get_instruments": ("futures",)}, group_of, answer_of,
    trades.RULES, contract_lists=("get_instruments",), units=UNITS, price_kind="fill_average",
)  # fmt: skip
