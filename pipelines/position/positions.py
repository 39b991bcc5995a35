"""A position and what it is worth. Money is in the settle currency: the quote if linear, the coin if inverse."""

from math import isfinite
from typing import Literal

import msgspec

from pipelines.errors import InvalidPositionError
from pipelines.facts import Contract
from pipelines.facts import Position as Side

Mode = Literal["isolated", "cross"]


class Position(msgspec.Struct, frozen=True):
    """An open position.

    `size`: coins if linear, USD if inverse, as the venue quotes the contract. `margin`: what stands behind it, in the
    settle currency; cross: see `cross_margin`. `leverage`: as chosen, None where only the margin is known. `fee_rate`: of
    the notional, paid when it is closed by force; 0 leaves fees out. `maintenance_at`: whether the maintenance margin is
    of the notional at the mark price, or fixed at entry. Formulas.md §1.
    """

    position_side: Side
    contract: Contract
    entry_price: float
    size: float
    margin: float
    leverage: float | None = None
    mode: Mode = "isolated"
    fee_rate: float = 0.0
    maintenance_at: Literal["mark", "entry"] = "mark"

    @property
    def direction(self) -> int:
        """+1 where the position loses as its value in the settle currency falls (linear long, inverse short), else -1."""
        return 1 if (self.position_side == "long") == (self.contract == "linear") else -1

    def value(self, price: float) -> float:
        """Return the notional at a price, in the settle currency."""
        return self.size * price if self.contract == "linear" else self.size / price

    def price(self, value: float) -> float | None:
        """Return the price at which the notional is `value`; None where no price above zero and finite has it."""
        if value <= 0:
            return None
        found = value / self.size if self.contract == "linear" else self.size / value
        return found if isfinite(found) and found > 0 else None

    def profit(self, price: float) -> float:
        """Return the unrealised profit at a price."""
        return self.direction * (self.value(price) - self.value(self.entry_price))

    def equity(self, price: float) -> float:
        """Return margin and unrealised profit at a price."""
        return self.margin + self.profit(price)


def isolated(
    position_side: Side, contract: Contract, entry_price: float, size: float, leverage: float, fee_rate: float = 0.0,
    maintenance_at: Literal["mark", "entry"] = "mark",
) -> Position:  # fmt: skip
    """Return a position just opened: its margin is its notional / leverage. Raises InvalidPositionError."""
    for name, number in (("entry price", entry_price), ("size", size), ("leverage", leverage)):
        above_zero(name, number)
    bare = Position(position_side, contract, entry_price, size, 0.0, leverage, "isolated", fee_rate, maintenance_at)
    return msgspec.structs.replace(bare, margin=bare.value(entry_price) / leverage)


def cross_margin(balance: float, other_maintenance: float = 0.0, other_profit: float = 0.0) -> float:
    """Return what stands behind a cross position: balance - TMM1 + UPNL1, of the account's other positions (§1.1).

    Raises InvalidPositionError where nothing is left.
    """
    found = balance - other_maintenance + other_profit
    if not (isfinite(found) and found > 0):
        raise InvalidPositionError(
            f"a balance of {balance:,g} leaves {found:,g} for this position after {other_maintenance:,g} of maintenance"
            f" margin and {other_profit:+,g} of unrealised profit of the others"
        )
    return found


def above_zero(name: str, number: float) -> float:
    """Return `number`. Raises InvalidPositionError, naming it, where it is no number above zero."""
    if isfinite(number) and number > 0:
        return number
    raise InvalidPositionError(f"{name} {number:g} is not above zero")
