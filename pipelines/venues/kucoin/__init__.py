"""KuCoin futures: which function reads which channel. Facts: exchanges/kucoin-futures.md.

It publishes no liquidations, and its trades have no mark of them. Decided where the sources are silent, and visible in
the row: whether open interest counts one side or both is undocumented.
"""

import msgspec

from pipelines.facts import Instrument
from pipelines.venues.answers import named
from pipelines.venues.kucoin import market
from pipelines.venues.kucoin.symbols import symbol_form
from pipelines.venues.venue import Answered, Named, Venue, Versions, always
from pipelines.venues.wire import BAD

PARSERS: dict[tuple[str, str], Versions] = {
    ("rest", "contracts-active"): always(market.instruments),
    ("rest", "contracts-state"): always(market.states),
    ("rest", "funding-rates"): always(market.settlements),
    ("rest", "kline"): always(market.candles),
    ("rest", "ua-open-interest"): always(market.interest_history),
    ("ws", "contract/instrument"): always(market.pushed),
}
NOTHING: dict[tuple[str, str], str] = {
    ("ws", "control"): "greeting, acknowledgement, error reply or pong",
    ("ws", "contractMarket/execution"): "trades, which have no mark of a liquidation: the venue publishes none",
    **{("ws", channel): f"{channel}: not kept" for channel in ("contractMarket/*", "contract/*")},
}
FIELDS = (
    ("symbol multiplier isInverse", "contracts-active"), ("symbol fundingRate timepoint", "funding-rates"),
    ("openInterest ts", "ua-open-interest"),
)  # fmt: skip
CONTROL = ("welcome", "ack", "error", "pong")


class _Message(msgspec.Struct):
    type: str = ""
    topic: str = ""


_message = msgspec.json.Decoder(_Message).decode


def channel_of(payload: bytes) -> Named | None:
    """Name a WebSocket message's topic and contract; None where it is none of KuCoin's."""
    try:
        message = _message(payload)
    except BAD:
        return None
    if message.type in CONTROL:
        return Named("control", "*")
    channel, _, symbol = message.topic.removeprefix("/").partition(":")
    return Named(channel, symbol or "*") if message.type == "message" and channel else None


def answer_of(payload: bytes) -> Answered | None:
    """Name an answer by its first item."""
    return named(payload, lambda answer: answer.keys() >= {"code", "data"}, lambda answer: answer["data"], FIELDS)


def group_of(_contract: Instrument) -> str:
    """Return the one list there is."""
    return "contracts"


VENUE = Venue(
    "kucoin", PARSERS, NOTHING, channel_of, symbol_form, {"contracts-active": ("contracts",)}, group_of, answer_of,
    contract_lists=("contracts-active",), units={"linear": "contract", "inverse": "contract"},
)  # fmt: skip
