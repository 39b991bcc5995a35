"""Acme, an invented exchange: which function reads which channel."""

import msgspec
from pipelines.venues.acme.liquidations import RULES, liquidations
from pipelines.venues.acme.reference import contracts, symbol_form

from pipelines.facts import Instrument
from pipelines.venues.venue import Named, Venue, always
from pipelines.venues.wire import BAD


class _Message(msgspec.Struct):
    channel: str = ""
    symbol: str = "*"


_message = msgspec.json.Decoder(_Message).decode


def channel_of(payload: bytes) -> Named | None:
    """Name a message's channel and symbol; None where it is none of Acme's."""
    try:
        message = _message(payload)
    except BAD:
        return None
    return Named(message.channel, message.symbol) if message.channel else None


def group_of(_contract: Instrument) -> str:
    """Return the one group there is."""
    return "perp"


VENUE = Venue(
    "acme", {("ws", "liquidations"): always(liquidations), ("rest", "contracts"): always(contracts)}, {}, channel_of,
    symbol_form, {"contracts": ("perp",)}, group_of, completeness=RULES, contract_lists=("contracts",),
)  # fmt: skip
