"""HTX liquidations, pushed and asked for: frames to rows. Facts: exchanges/htx.md §2.

`direction` is the ORDER's: sell, a long was liquidated. `volume` is contracts on every market; on linear markets `amount` is
the coins, which is what is taken there. The price is the bankruptcy price.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import Liquidation, Row
from pipelines.venues.bounds import PRICE, QUANTITY, is_symbol, wrong_symbol
from pipelines.venues.completeness import START, Rule, completeness
from pipelines.venues.htx.items import read_data
from pipelines.venues.htx.symbols import contract_of
from pipelines.venues.wire import Held, bounded, horizon_ms, moment, numbered

RULES = (
    Rule("htx", "liquidation_orders", START, "all", "htx.md §2: each liquidation order, no sampling is documented"),
)
_complete = completeness(RULES, "liquidation_orders")


class _Order(msgspec.Struct):
    contract_code: str
    direction: Literal["buy", "sell"]  # of the order
    volume: float  # contracts
    price: float
    created_at: int
    amount: float | None = None  # coins


_order = msgspec.json.Decoder(_Order).decode


def liquidations(frame: RawFrame, _held: Held) -> list[Row]:
    """Return each liquidation of a notification or an answer, in its order."""
    horizon = horizon_ms(frame)
    return numbered(read_data(frame, _order, lambda _, order: _liquidation(order, horizon)))


def _liquidation(order: _Order, horizon: int) -> Iterable[Row]:
    symbol = order.contract_code
    if not is_symbol(symbol):
        raise ValueError(wrong_symbol(symbol))
    time, price, contract = moment(order.created_at, horizon), bounded(order.price, PRICE), contract_of(symbol)
    in_coins = contract == "linear" and order.amount is not None and order.amount > 0
    quantity = bounded(order.amount if in_coins and order.amount else order.volume, QUANTITY)
    yield Liquidation(
        symbol, time, order.direction, "long" if order.direction == "sell" else "short", price, "bankruptcy", quantity,
        "base" if in_coins else "contract", contract, _complete(time),
        f"{symbol}|{order.created_at}|{order.direction}|{order.volume}|{order.price}",
    )  # fmt: skip
