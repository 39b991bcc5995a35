"""What moves a liquidation price: more margin, a smaller position, funding over time. Each gives the position after it."""

from math import floor, isfinite

import msgspec

from pipelines.errors import InvalidPositionError
from pipelines.position.positions import Position, above_zero


def add_margin(position: Position, amount: float) -> Position:
    """Return the position with `amount` (settle currency) added to its margin. Raises InvalidPositionError."""
    above_zero("margin to add", amount)
    return msgspec.structs.replace(position, margin=position.margin + amount)


def close_part(position: Position, size: float, price: float) -> Position:
    """Return what is left when `size` of the position is closed at `price`; fees apart.

    Isolated: the closed part takes its share of the margin and its profit with it, so that the price moves only by a lower
    tier. Cross: the margin stays and the profit goes into it. Raises InvalidPositionError for all of it, or more.
    """
    above_zero("price", price)
    if not above_zero("size to close", size) < position.size:
        raise InvalidPositionError(f"closing {size:,g} of {position.size:,g} leaves no position")
    left = 1 - size / position.size
    released, settled = position.margin * (1 - left), position.profit(price) * (1 - left)
    margin = position.margin + (-released if position.mode == "isolated" else settled)
    return msgspec.structs.replace(position, size=position.size - size, margin=margin)


def settlements(hold_hours: float, interval_hours: float, next_in_hours: float | None = None) -> int:
    """Return how often funding is paid while a position is held; the first time after `next_in_hours`.

    Where that is None, after a whole interval: then it is the least. Raises InvalidPositionError.
    """
    above_zero("funding interval", interval_hours)
    if not (isfinite(hold_hours) and hold_hours >= 0):
        raise InvalidPositionError(f"holding time {hold_hours:g} h is negative or not a number")
    first = interval_hours if next_in_hours is None else next_in_hours
    return max(0, floor((hold_hours - first) / interval_hours + 1e-9) + 1)


def funding_paid(position: Position, funding_rate: float, times: int, price: float) -> float:
    """Return what funding takes from the margin when it is paid `times` at a mark price that stays at `price`.

    `funding_rate`: per interval; above zero longs pay shorts. Below zero in the answer: it is received.
    """
    d = 1 if position.position_side == "long" else -1
    return d * funding_rate * position.value(above_zero("price", price)) * times


def after_funding(position: Position, funding_rate: float, times: int, price: float) -> Position:
    """Return the position with its funding taken from the margin, or added where it is received. See `funding_paid`."""
    paid = funding_paid(position, funding_rate, times, price)
    return msgspec.structs.replace(position, margin=position.margin - paid)
