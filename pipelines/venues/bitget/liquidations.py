"""Bitget liquidations: frames to rows. Facts: exchanges/bitget.md §2.

`side` is the POSITION's: buy, a long was liquidated; of trades the same word is the taker's. `amount` is money, in USDT or
USDC, and not coins: 13.70319 / 0.1649 are 83.1 APE. What it is of a coin-margined contract nobody has shown.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import Liquidation, Row
from pipelines.venues.bitget.symbols import contract_of
from pipelines.venues.bounds import PRICE, QUANTITY, is_symbol, wrong_symbol
from pipelines.venues.completeness import START, Rule, completeness
from pipelines.venues.wire import BAD, Held, bounded, each_raw, horizon_ms, moment, numbered, rejected

RULES = (
    Rule("bitget", "liquidation", START, "undocumented", "bitget.md §1: before v3 there was no public channel"),
    Rule(
        "bitget", "liquidation", datetime(2026, 4, 28, tzinfo=UTC), "one_per_second_largest",
        "bitget.md §2: of each symbol and second the largest long and the largest short",
    ),
)  # fmt: skip
_complete = completeness(RULES, "liquidation")
NOT_PROVEN = "the unit of a coin-margined contract's amount is not proven"


class _Item(msgspec.Struct):
    symbol: str
    side: Literal["buy", "sell"]  # the position's
    price: str  # computed, with more digits than the tick
    amount: str  # in the quote
    ts: str


class _Arg(msgspec.Struct):
    instType: str = ""


class _Message(msgspec.Struct):
    data: list[msgspec.Raw]
    arg: _Arg = msgspec.field(default_factory=_Arg)


_message = msgspec.json.Decoder(_Message).decode
_item = msgspec.json.Decoder(_Item).decode


def liquidations(frame: RawFrame, _held: Held) -> list[Row]:
    """Return each liquidation of a frame of a whole category, in its order."""
    try:
        message = _message(frame.payload)
    except BAD as error:
        return rejected(error)
    horizon = horizon_ms(frame)
    return numbered(each_raw(message.data, _item, lambda item: _liquidation(message.arg.instType, item, horizon)))


def _liquidation(category: str, item: _Item, horizon: int) -> Iterable[Row]:
    if not is_symbol(item.symbol):
        raise ValueError(wrong_symbol(item.symbol))
    time, price, amount = moment(item.ts, horizon), bounded(item.price, PRICE), bounded(item.amount, QUANTITY)
    contract = contract_of(category, item.symbol)
    in_quote = contract != "inverse"
    yield Liquidation(
        item.symbol, time, "sell" if item.side == "buy" else "buy", "long" if item.side == "buy" else "short", price,
        "undocumented", amount, "quote" if in_quote else "unknown", contract, _complete(time),
        f"{item.symbol}|{item.side}|{item.ts}|{item.price}|{item.amount}",
        unproven=None if in_quote else f"{NOT_PROVEN}; sent {item.amount}",
    )  # fmt: skip
