"""The margin table of a contract as a position needs it: which tier a notional is in, and what margin it takes."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from math import inf
from typing import Literal, NamedTuple

from pipelines.errors import InvalidPositionError
from pipelines.facts import Contract, LeverageTier


class Tier(NamedTuple):
    """A step: holds for notionals in (floor, cap]. Maintenance margin = notional x rate - deduction."""

    number: int
    floor: float
    cap: float
    rate: float
    deduction: float = 0.0
    max_leverage: float | None = None


class TierTable(NamedTuple):
    """Tiers without gaps from 0 on. `by`: what floors and caps measure.

    value: the notional in the settle currency (quote if linear, coins if inverse), which moves with the price.
    size: the position's size / `lot` (contracts, coins, USD), which does not.
    """

    tiers: tuple[Tier, ...]
    by: Literal["value", "size"] = "value"
    lot: float = 1.0

    def at(self, amount: float) -> Tier:
        """Return the tier of a notional or size; beyond the table's end the last one."""
        return next((tier for tier in self.tiers if amount <= tier.cap), self.tiers[-1])

    def on_the_way(self, amount: float, falling: bool) -> Iterator[Tier]:
        """Yield the tiers that an amount passes through as it falls to 0 or rises for ever, each once."""
        first = self.tiers.index(self.at(amount))
        if falling:
            yield from reversed(self.tiers[: first + 1])
        else:
            yield from self.tiers[first:-1]
            yield self.tiers[-1]._replace(cap=inf)


def flat(rate: float, deduction: float = 0.0) -> TierTable:
    """Return a table of one tier for every notional. Raises InvalidPositionError for a rate outside [0, 1)."""
    return table([Tier(1, 0.0, inf, rate, deduction)])


def table(tiers: Sequence[Tier], by: Literal["value", "size"] = "value", lot: float = 1.0) -> TierTable:
    """Return the tiers in order and without gaps: a step begins where the one before ends.

    Raises InvalidPositionError where there is none, a rate is outside [0, 1), a cap is not above the one before, or a
    deduction is below zero.
    """
    ordered = sorted(tiers, key=lambda tier: tier.floor)
    if not ordered:
        raise InvalidPositionError("the margin table is empty")
    floors = (0.0, *(tier.cap for tier in ordered[:-1]))
    found = tuple(tier._replace(floor=floor) for tier, floor in zip(ordered, floors, strict=True))
    for tier in found:
        if not 0 <= tier.rate < 1:
            raise InvalidPositionError(f"maintenance margin rate {tier.rate:g} is not in [0, 1)")
        if not tier.cap > tier.floor:
            raise InvalidPositionError(f"step {tier.number} of the margin table ends at {tier.cap:g}, before it begins")
        if tier.deduction < 0:
            raise InvalidPositionError(f"step {tier.number} of the margin table has a deduction below zero")
    return TierTable(found, by, lot)


def from_rows(rows: Iterable[LeverageTier], contract: Contract, contract_size: float | None = None) -> TierTable:
    """Return the table of a contract's rows in `leverage_tiers`. `contract_size`: coins if linear, USD if inverse.

    A missing deduction counts as 0: the rate then holds for the whole notional, which liquidates sooner, never later.
    Raises InvalidPositionError for units that differ, or for contracts whose size is not known.
    """
    rows = list(rows)
    units = {row.unit for row in rows}
    if len(units) > 1:
        raise InvalidPositionError(f"the margin table has several units: {', '.join(sorted(units))}")
    tiers = [
        Tier(row.tier, row.floor, inf if row.cap is None else row.cap, row.maintenance_margin_rate, row.deduction or 0.0,
             row.max_leverage)
        for row in rows
    ]  # fmt: skip
    if units & {"contract"}:
        if not contract_size:
            raise InvalidPositionError("the margin table counts contracts, and the contract's size is not known")
        return table(tiers, "size", contract_size)
    by_value = units <= ({"quote", "usd"} if contract == "linear" else {"base"})
    return table(tiers, "value" if by_value else "size")


def deductions(tiers: Sequence[Tier]) -> list[float]:
    """Return the maintenance amounts that leave no jump between steps: MA_n = MA_(n-1) + floor_n (rate_n - rate_(n-1)).

    Source: formulas.md §1.1; the recursion gives every amount of the published tables that were tried.
    """
    found = [0.0]
    for before, tier in pairwise(tiers):
        found.append(found[-1] + tier.floor * (tier.rate - before.rate))
    return found
