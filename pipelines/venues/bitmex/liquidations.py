"""BitMEX liquidations, out of a table of open orders that changes: frames to rows. Facts: exchanges/bitmex.md §2.

`side` is the ORDER's: Sell, a long was liquidated. An order is inserted, may be repriced, filled in part or ENLARGED,
and is deleted; what was liquidated is the largest `leavesQty` it was seen with. So a row is given when the order is
deleted, or, where that fell into a gap, when the next image of the table lacks it. Orders are known by their id
whichever connection tells of them, so several connections give one row. There is no time in it: a row's is when the
order was first heard of.
"""

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import Liquidation, Rejected, Row
from pipelines.venues.bitmex.symbols import contract_of, symbol_form
from pipelines.venues.bounds import PRICE, QUANTITY, is_symbol, wrong_symbol
from pipelines.venues.completeness import START, Rule, completeness
from pipelines.venues.wire import BAD, Held, bounded, nothing, reason, rejected

RULES = (
    Rule(
        "bitmex", "liquidation", START, "undocumented", "bitmex.md §2: the open orders; whether all of them is not said"
    ),
)
_complete = completeness(RULES, "liquidation")
OPEN, DONE = "bitmex orders", "bitmex orders that are over"
"""Under what orders are held, with their id: open ones, and those that have given their row."""
MOST_DONE = 20_000
YOUNG_MS = 5_000
"""An order that is younger than this may be missing from an image that was taken before it."""


class Order(NamedTuple):
    """An open order. `largest`: contracts, the most it was seen with; `since_ms`: when it was first heard of, UTC."""

    symbol: str
    side: str
    price: float
    largest: float
    since_ms: int


class _Change(msgspec.Struct):
    orderID: str
    symbol: str = ""
    side: Literal["Buy", "Sell", ""] = ""
    price: float | None = None
    leavesQty: float | None = None


class _Message(msgspec.Struct):
    action: Literal["partial", "insert", "update", "delete"]
    data: list[msgspec.Raw]


_message = msgspec.json.Decoder(_Message).decode
_change = msgspec.json.Decoder(_Change).decode


def liquidations(frame: RawFrame, held: Held) -> list[Row]:
    """Return the liquidations that a change of the table ends; most changes end none."""
    now = frame.at_ns // 1_000_000
    try:
        message = _message(frame.payload)
    except BAD as error:
        return rejected(error)
    rows: list[Row] = []
    told: set[str] = set()
    for index, raw in enumerate(message.data):
        try:
            change = _change(raw)
            told.add(change.orderID)
            rows += _changed(message.action, change, held, now)
        except BAD as error:
            rows.append(Rejected(reason(error), f"data[{index}]"))
    if message.action == "partial":
        rows += _lacking(told, held, now)
    return rows or nothing(f"{message.action}: no order is over by it")


def _changed(action: str, change: _Change, held: Held, now: int) -> Iterable[Row]:
    order: Order | None = held.get((OPEN, change.orderID))
    if action == "delete":
        return _over(change.orderID, held)
    if order is None:
        if change.side and (DONE, change.orderID) not in held:
            held[OPEN, change.orderID] = _opened(change, now)
    elif change.leavesQty is not None and change.leavesQty > order.largest:
        held[OPEN, change.orderID] = order._replace(largest=bounded(change.leavesQty, QUANTITY))
    return ()


def _opened(change: _Change, now: int) -> Order:
    if not is_symbol(change.symbol):
        raise ValueError(wrong_symbol(change.symbol))
    if change.price is None or change.leavesQty is None:
        raise ValueError("an order without price or quantity")
    return Order(change.symbol, change.side, bounded(change.price, PRICE), bounded(change.leavesQty, QUANTITY), now)


def _lacking(told: set[str], held: Held, now: int) -> Iterator[Row]:
    """Yield the orders that an image of the table lacks: their end fell into a gap."""
    known = [(id, order) for (what, id), order in held.items() if what == OPEN]
    for id, order in known:
        if id not in told and now - order.since_ms > YOUNG_MS:
            yield from _over(id, held)


def _over(id: str, held: Held) -> list[Row]:
    """Return the row of an order that is over; none of one that was never heard of, or that has given it."""
    order: Order | None = held.pop((OPEN, id), None)
    if order is None:
        return []
    held[DONE, id] = order.since_ms
    _forget(held)
    contract, form = contract_of(order.symbol), symbol_form(order.symbol)
    side, position = ("sell", "long") if order.side == "Sell" else ("buy", "short")
    is_quanto = form is not None and form.contract is None
    return [Liquidation(
        order.symbol, order.since_ms, side, position, order.price, "order_limit", order.largest,  # type: ignore[arg-type]
        "contract", contract, _complete(order.since_ms), id, id=id,
        unproven="a quanto contract, whose dollars need the price of XBT" if is_quanto else None,
    )]  # fmt: skip


def _forget(held: Held) -> None:
    """Forget the first of the orders that are over, once there are many."""
    over = [key for key in held if key[0] == DONE] if len(held) > MOST_DONE else []
    for key in over[: len(over) - MOST_DONE // 2]:
        del held[key]
