"""Bitget futures, v3 and the tickers of v2: which function reads which channel. Facts: exchanges/bitget.md.

Decided where the sources dispute (`[?]` there), and visible in the row: the unit of a coin-margined contract's amount and open
interest is `unknown`, so neither coins nor USD are given; whether open interest counts one side or both is undocumented.
"""

import msgspec

from pipelines.facts import Instrument
from pipelines.venues.answers import Fields, named
from pipelines.venues.bitget import liquidations, market, reference
from pipelines.venues.bitget.symbols import symbol_form
from pipelines.venues.venue import Answered, Named, Venue, Versions, always
from pipelines.venues.wire import BAD

PARSERS: dict[tuple[str, str], Versions] = {
    ("ws", "liquidation"): always(liquidations.liquidations),
    ("ws", "ticker"): always(market.tickers),
    ("rest", "tickers"): always(market.tickers),
    ("rest", "open-interest"): always(market.open_interest),
    ("rest", "current-fund-rate"): always(market.current_rates),
    ("rest", "history-fund-rate"): always(market.settlements),
    ("rest", "account-long-short"): always(market.ratios),
    ("rest", "history-candles"): always(market.candles),
    ("rest", "instruments"): always(reference.instruments),
}
NOTHING: dict[tuple[str, str], str] = {
    ("ws", "control"): "acknowledgement, error reply, notice or pong",
    **{
        ("ws", channel): f"{channel}: the warehouse keeps no trades, quotes or depth"
        for channel in ("trade", "publicTrade", "books*", "candle*", "kline*", "auction")
    },
}
FIELDS: Fields = (
    ("symbol baseCoin category", "instruments"),
    ("symbol lastPrice markPrice", "tickers"),
    ("symbol fundingRate fundingRateInterval", "current-fund-rate"),
    ("symbol fundingRate fundingRateTimestamp", "history-fund-rate"),
    ("symbol openInterest", "open-interest"),
    ("longAccountRatio shortAccountRatio", "account-long-short"),
)


class _Arg(msgspec.Struct):
    topic: str = ""
    channel: str = ""
    symbol: str = ""
    instId: str = ""


class _Message(msgspec.Struct):
    event: str = ""
    arg: _Arg | None = None
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_message = msgspec.json.Decoder(_Message).decode


def channel_of(payload: bytes) -> Named | None:
    """Name a WebSocket message's channel and symbol by its `arg`; None where it is none of Bitget's."""
    if payload.strip() == b"pong":
        return Named("control", "*")
    try:
        message = _message(payload)
    except BAD:
        return None
    if message.event:
        return Named("control", "*")
    if message.arg is None or message.data is msgspec.UNSET:
        return None
    channel = message.arg.topic or message.arg.channel
    return Named(channel, message.arg.symbol or message.arg.instId or "*") if channel else None


def answer_of(payload: bytes) -> Answered | None:
    """Name an answer with code and data."""
    return named(
        payload, lambda answer: "code" in answer and "data" in answer, lambda a: market.listed(a["data"]), FIELDS
    )


def group_of(contract: Instrument) -> str:
    """Return the category that lists the contract."""
    if contract.contract == "inverse":
        return "COIN-FUTURES"
    return "USDC-FUTURES" if contract.settle == "USDC" else "USDT-FUTURES"


VENUE = Venue(
    "bitget", PARSERS, NOTHING, channel_of, symbol_form,
    {"instruments": ("USDT-FUTURES", "COIN-FUTURES", "USDC-FUTURES")}, group_of, answer_of, liquidations.RULES,
    contract_lists=("instruments",),
)  # fmt: skip
