"""CoinEx's liquidations, which are asked for by REST: frames to rows. Facts: exchanges/coinex.md §1.

`side` is the POSITION's. `liq_price` is the mark price that triggered it; no fill is told, and the bankruptcy price is
not read. An amount is in coins on linear markets; what it is in on inverse ones is not proven, so those have no
amounts.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import Liquidation, Row
from pipelines.venues.bounds import PRICE, QUANTITY, is_symbol, wrong_symbol
from pipelines.venues.coinex.answers import read_items
from pipelines.venues.coinex.symbols import contract_of
from pipelines.venues.completeness import START, Rule, completeness
from pipelines.venues.wire import Held, bounded, horizon_ms, moment, numbered

CHANNEL = "liquidation-history"
RULES = (Rule("coinex", CHANNEL, START, "undocumented", "coinex.md §1: whether it has all is not said", "rest"),)
_complete = completeness(RULES, CHANNEL, "rest")
NOT_PROVEN = "what amounts of inverse markets are in is not proven"


class _Liquidation(msgspec.Struct):
    market: str
    side: Literal["long", "short"]  # the position's
    liq_price: str
    liq_amount: str
    created_at: int  # ms


_liquidation = msgspec.json.Decoder(_Liquidation).decode


def liquidations(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the liquidations of an answer."""
    horizon = horizon_ms(frame)
    return numbered(read_items(frame, _liquidation, lambda item: _row(item, horizon)))


def _row(item: _Liquidation, horizon: int) -> Iterator[Row]:
    symbol = item.market.strip()
    if not is_symbol(symbol):
        raise ValueError(wrong_symbol(symbol))
    time, price, quantity = (
        moment(item.created_at, horizon),
        bounded(item.liq_price, PRICE),
        bounded(item.liq_amount, QUANTITY),
    )
    contract = contract_of(symbol)
    is_known = contract == "linear"
    yield Liquidation(
        symbol, time, "sell" if item.side == "long" else "buy", item.side, price, "mark", quantity,
        "base" if is_known else "unknown", contract, _complete(time),
        f"{symbol}|{item.side}|{time}|{item.liq_price}|{item.liq_amount}",
        unproven=None if is_known else f"{NOT_PROVEN}; sent {item.liq_amount}",
    )  # fmt: skip
