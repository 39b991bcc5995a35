"""OKX v5 swaps and futures: which function reads which channel. Facts: exchanges/okx.md.

Decided where the sources dispute (`[?]` there), and visible in the row: bkPx is price_kind okx_bkPx, neither a fill nor
surely a bankruptcy price; in net mode the position is the opposite of the order; open interest's sides are undocumented.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from pipelines.facts import Instrument
from pipelines.venues.okx import bulk, dumps, funding, liquidations, rest, streams
from pipelines.venues.okx.answers import answer_of
from pipelines.venues.okx.items import Arg
from pipelines.venues.okx.symbols import symbol_form
from pipelines.venues.venue import Named, Venue, Versions, always, members
from pipelines.venues.wire import BAD

PARSERS: dict[tuple[str, str], Versions] = {
    ("ws", "liquidation-orders"): always(liquidations.liquidations),
    ("rest", "liquidation-orders"): always(liquidations.answers),
    **{
        (transport, channel): always(parser)
        for transport in ("ws", "rest")
        for channel, parser in (
            ("funding-rate", funding.funding_rates),
            ("open-interest", streams.open_interest),
            ("mark-price", streams.mark_prices),
            ("index-tickers", streams.index_prices),
            ("instruments", streams.instruments),
        )
    },
    ("ws", "candle*"): always(rest.candles("trade")),
    ("ws", "mark-price-candle*"): always(rest.candles("mark")),
    ("ws", "index-candle*"): always(rest.candles("index")),
    ("rest", "candles"): always(rest.candles("trade")),
    ("rest", "history-candles"): always(rest.candles("trade")),
    ("rest", "mark-price-candles"): always(rest.candles("mark")),
    ("rest", "index-candles"): always(rest.candles("index")),
    ("rest", "history-mark-price-candles"): always(rest.candles("mark")),
    ("rest", "history-index-candles"): always(rest.candles("index")),
    ("rest", "funding-rate-history"): always(rest.settlements),
    ("rest", "position-tiers"): always(rest.tiers),
    ("rest", "dump_candlesticks"): always(dumps.candles),
    ("rest", "rubik_open-interest-history"): always(rest.open_interest),
    ("rest", "rubik_taker-volume-contract"): always(rest.taker_volumes),
    ("rest", "rubik_long-short-account-ratio"): always(rest.ratios("global_accounts", "coin")),
    ("rest", "rubik_long-short-account-ratio-contract"): always(rest.ratios("global_accounts", "symbol")),
    ("rest", "rubik_long-short-account-ratio-contract-top-trader"): always(rest.ratios("top_accounts", "symbol")),
    ("rest", "rubik_long-short-position-ratio-contract-top-trader"): always(rest.ratios("top_positions", "symbol")),
}

NOTHING: dict[tuple[str, str], str] = {
    ("ws", "control"): "acknowledgement, error reply, notice or pong",
    ("ws", "status"): "system status: not kept",
    ("ws", "adl-warning"): "adl warning: not kept",
    **{
        ("ws", channel): f"{channel}: the warehouse keeps no trades, quotes or depth"
        for channel in (
            "trades",
            "trades-all",
            "tickers",
            "books*",
            "bbo-tbt",
            "opt-summary",
            "estimated-price",
            "price-limit",
        )
    },
    ("rest", "system_status"): "system status: not kept",
    ("rest", "insurance-fund"): "insurance fund: not kept",
    ("rest", "rubik_contracts_open-interest-volume"): "a sum over all contracts of a coin; kept by contract",
}


class _Message(msgspec.Struct):
    event: str = ""
    arg: Arg | None = None
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_message = msgspec.json.Decoder(_Message).decode


def channel_of(payload: bytes) -> Named | None:
    """Name a WebSocket message's channel and symbol by its `arg`; None where it is none of OKX's."""
    if payload.strip() == b"pong":
        return Named("control", "*")
    try:
        message = _message(payload)
    except BAD:
        return None
    if message.event:
        return Named("control", "*")
    if message.arg is None or not message.arg.channel or message.data is msgspec.UNSET:
        return None
    return Named(message.arg.channel, message.arg.instId or "*")


def asked_for(message: Mapping[str, Any]) -> list[Named]:
    """Return the channels of a subscribe, each of one contract, or of all where it names none."""
    args = members(message, "args") if message.get("op") == "subscribe" else []
    return [Named(str(arg["channel"]), str(arg.get("instId") or "*"))
            for arg in args if isinstance(arg, dict) and arg.get("channel")]  # fmt: skip


def group_of(contract: Instrument) -> str:
    """Return the instrument type that lists the contract; X-perps are FUTURES."""
    return "SWAP" if contract.symbol.endswith("-SWAP") else "FUTURES"


_FIRST = re.compile(rb'"instId"\s*:\s*"([^"]+)"')


def archive_of(symbol: str, payload: bytes) -> str:
    """Return okex-swap or okex-futures: which archive has a contract, or a frame."""
    if symbol == "*" and (first := _FIRST.search(payload)):
        symbol = first[1].decode(errors="replace")
    return "okex-swap" if symbol.endswith("-SWAP") else "okex-futures"


LISTS = {"instruments": ("SWAP", "FUTURES")}
VENUE = Venue(
    "okx", PARSERS, NOTHING, channel_of, symbol_form, LISTS, group_of, answer_of, liquidations.RULES,
    bulks={("ws", "liquidation-orders"): bulk.LIQUIDATIONS}, contract_lists=("instruments",), unsaid_intervals=("candles",),
    margin_tables="position-tiers", kept=funding.FUNDING,
    units={"linear": "contract", "inverse": "contract"}, price_kind="okx_bkPx", archives=("okex-swap", "okex-futures"),
    archive_of=archive_of, asked_for=asked_for,
    named_file=dumps.named_file, left_out=dumps.left_out,
)  # fmt: skip
