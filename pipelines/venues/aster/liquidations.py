"""Aster's liquidations: frames to rows. Facts: exchanges/aster.md.

`S` is the ORDER's side: SELL, a long was liquidated. The price is the average fill `ap`; where there is none, none is
known, since `p` is a limit that is often far away. The quantity is `z`, all that was filled: `l` is the last fill only.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import Liquidation, Row
from pipelines.venues.binance.items import read_items
from pipelines.venues.bounds import PRICE, QUANTITY, is_symbol, wrong_symbol
from pipelines.venues.completeness import START, Rule, completeness
from pipelines.venues.wire import Held, bounded, horizon_ms, moment, number

RULES = (Rule("aster", "forceOrder", START, "one_per_second_latest", "aster.md: the latest of a symbol and 1000 ms"),)
_complete = completeness(RULES, "forceOrder")


class _Order(msgspec.Struct):
    s: str
    S: Literal["BUY", "SELL"]  # the liquidation order's
    z: str  # filled in total, coins
    T: int  # ms
    ap: str = ""  # average fill
    p: str = ""  # the order's limit
    X: str | None = None


class _ForceOrder(msgspec.Struct):
    o: _Order


_order = msgspec.json.Decoder(_ForceOrder).decode


def liquidations(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the liquidations of a forceOrder frame."""
    horizon = horizon_ms(frame)
    return read_items(frame.payload, _order, lambda item: _liquidation(item.o, horizon))


def _liquidation(order: _Order, horizon: int) -> Iterator[Row]:
    if not is_symbol(order.s):
        raise ValueError(wrong_symbol(order.s))
    time, quantity = moment(order.T, horizon), bounded(order.z, QUANTITY)
    price = bounded(order.ap, PRICE) if number(order.ap or 0) else None
    limit = bounded(order.p, PRICE) if number(order.p or 0) else None
    side, position = ("sell", "long") if order.S == "SELL" else ("buy", "short")
    yield Liquidation(
        order.s, time, side, position, price, "fill_average", quantity, "base", "linear", _complete(time),  # type: ignore[arg-type]
        f"{order.s}|{order.S}|{time}|{order.ap}|{order.z}", order_price=limit, status=order.X,
    )  # fmt: skip
