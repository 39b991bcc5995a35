"""Acme's liquidations: the side is that of the closing order, the size is in coins."""

from typing import Literal

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import Liquidation, Row
from pipelines.venues.bounds import PRICE, QUANTITY
from pipelines.venues.completeness import START, Rule, completeness
from pipelines.venues.wire import BAD, Held, bounded, horizon_ms, moment, rejected

RULES = (Rule("acme", "liquidations", START, "all", "invented"),)
_class = completeness(RULES, "liquidations")


class _Message(msgspec.Struct):
    symbol: str
    side: Literal["buy", "sell"]
    price: str
    size: str
    time: int


_message = msgspec.json.Decoder(_Message).decode


def liquidations(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the liquidation of a frame."""
    try:
        told = _message(frame.payload)
        time = moment(told.time, horizon_ms(frame))
        price, qty = bounded(told.price, PRICE), bounded(told.size, QUANTITY)
    except BAD as error:
        return rejected(error)
    position: Literal["long", "short"] = "long" if told.side == "sell" else "short"
    return [Liquidation(
        told.symbol, time, told.side, position, price, "fill_average", qty, "base", "linear", _class(time),
        f"{told.symbol}|{told.side}|{told.size}|{told.price}|{told.time}",
    )]  # fmt: skip
