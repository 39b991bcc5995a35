"""Liquidation and bankruptcy prices. Source: formulas.md §1; every number printed there is a test.

All four cases are one. With V the notional in the settle currency (size x price if linear, size / price if inverse), V0 that
at entry and s = +1 where V's fall hurts, margin + s (V - V0) meets V (rate + fee) - deduction at
V = (margin + deduction - s V0) / (rate + fee - s).
"""

from collections.abc import Sequence
from math import isclose, isfinite
from typing import Literal, NamedTuple

from pipelines.errors import InvalidPositionError
from pipelines.facts import Position as Side
from pipelines.position.positions import Position, above_zero
from pipelines.position.tiers import Tier, TierTable

ROUNDING = 1e-12
"""A notional below this share of that at entry is what rounding leaves of none."""


class Liquidation(NamedTuple):
    """Where a position is liquidated. `price` None: at no price above zero and finite.

    `tier`: the one of the notional at that price, by which it was solved; where there is no price, the last one tried.
    `maintenance`: margin that it takes there, fee included. `on_step`: the price is where a step of a table with jumps
    begins: just before there is margin enough, just behind there is not, and neither step's own solution lies in it.
    """

    price: float | None
    tier: Tier
    maintenance: float | None = None
    on_step: bool = False


def liquidation_price(position: Position, tiers: TierTable, at: float | None = None) -> Liquidation:
    """Return the first price, from `at` (the entry where None) on against the position, that its margin does not survive.

    The tier is that of the notional at the answer. It is found by passing the tiers in the order the price does, each once:
    the solution of a tier counts only inside it. So there is nothing to oscillate, where solving, looking up and solving
    again does on tables whose maintenance margin jumps between steps. Raises InvalidPositionError, see `check`.
    """
    start = position.entry_price if at is None else at
    check(position, tiers, start)
    if position.maintenance_at == "entry":
        return _fixed(position, tier_at(position, tiers, position.entry_price))
    if tiers.by == "size":
        tier = tier_at(position, tiers, start)
        return _told(position, tier, _solved(position, tier))
    return _walked(position, tiers, start)


def _walked(position: Position, tiers: TierTable, start: float) -> Liquidation:
    falling = position.direction > 0
    edge = position.value(start)
    for tier in tiers.on_the_way(edge, falling):
        value = _solved(position, tier)
        if (value >= edge) if falling else (value <= edge):  # the step into this tier is what margin does not survive
            return _told(position, tier, edge, not isclose(value, edge, rel_tol=1e-9))
        end = tier.floor if falling else tier.cap
        if (value > end) if falling else (value <= end):
            return _told(position, tier, value)
        edge = end
    return _told(position, tier, value)


def _solved(position: Position, tier: Tier) -> float:
    """Return the notional at which margin and loss meet the tier's maintenance margin."""
    s, entry = position.direction, position.value(position.entry_price)
    return (position.margin + tier.deduction - s * entry) / (tier.rate + position.fee_rate - s)


def _fixed(position: Position, tier: Tier) -> Liquidation:
    """Where the maintenance margin stays what it was at entry (§1.2): a fee is of the notional at the price.

    By the venue's word a short whose margin covers its notional is never liquidated.
    """
    s, entry = position.direction, position.value(position.entry_price)
    maintenance = entry * tier.rate - tier.deduction
    value = (maintenance - position.margin + s * entry) / (s - position.fee_rate)
    price = position.price(value) if bankruptcy_price(position) else None
    return Liquidation(price, tier, None if price is None else maintenance + value * position.fee_rate)


def _told(position: Position, tier: Tier, value: float, on_step: bool = False) -> Liquidation:
    price = position.price(value) if value > ROUNDING * position.value(position.entry_price) else None
    if price is None:
        return Liquidation(None, tier)
    return Liquidation(price, tier, value * (tier.rate + position.fee_rate) - tier.deduction, on_step)


def tier_at(position: Position, tiers: TierTable, price: float) -> Tier:
    """Return the tier of a position at a price."""
    return tiers.at(position.size / tiers.lot if tiers.by == "size" else position.value(price))


def maintenance_margin(position: Position, tiers: TierTable, price: float) -> float:
    """Return the margin, fee included, that a position takes at a price, in the settle currency."""
    at = position.entry_price if position.maintenance_at == "entry" else price
    tier = tier_at(position, tiers, at)
    return position.value(at) * tier.rate - tier.deduction + position.value(price) * position.fee_rate


def check(position: Position, tiers: TierTable, at: float) -> None:
    """Raise InvalidPositionError, with the reason, for a position that cannot be: numbers not above zero, a leverage that
    its tier does not allow, a maintenance rate not below 1 / leverage, or a margin that is used up at the price `at`."""
    for name, number in (("entry price", position.entry_price), ("size", position.size), ("price", at)):
        above_zero(name, number)
    if not 0 <= position.fee_rate < 1 - max(tier.rate for tier in tiers.tiers):
        raise InvalidPositionError(f"fee {position.fee_rate:g} is not possible; it is a fraction: 0.05 % is 0.0005")
    tier = tier_at(position, tiers, position.entry_price)
    _check_size(position, tiers, tier)
    if position.leverage is not None:
        _check_leverage(position.leverage, tier)
    needed = maintenance_margin(position, tiers, at)
    if not (isfinite(position.margin) and position.equity(at) > needed):
        profit = position.profit(at)
        found = f"margin {position.margin:,.8g}" + (f" with {profit:+,.8g} of unrealised profit" if profit else "")
        raise InvalidPositionError(
            f"{found} is not above the maintenance margin {needed:,.8g} at {at:,.8g}: the position would be liquidated at once"
        )


def _check_size(position: Position, tiers: TierTable, tier: Tier) -> None:
    notional = position.value(position.entry_price)
    amount = position.size / tiers.lot if tiers.by == "size" else notional
    if amount > tiers.tiers[-1].cap:
        raise InvalidPositionError(
            f"a position of {amount:,.8g} is above the largest of its margin table, {tiers.tiers[-1].cap:,.8g}"
        )
    if notional * tier.rate < tier.deduction:
        raise InvalidPositionError(
            f"deduction {tier.deduction:,g} is above the maintenance margin {notional * tier.rate:,g} from which it is "
            f"subtracted; it belongs to larger positions"
        )


def _check_leverage(leverage: float, tier: Tier) -> None:
    if not (isfinite(leverage) and leverage >= 1):
        raise InvalidPositionError(f"no such leverage: {leverage:g}; it must be 1 or more (--add-margin adds margin)")
    if tier.max_leverage is not None and leverage > tier.max_leverage:
        raise InvalidPositionError(
            f"no such leverage: {leverage:g}x is above the {tier.max_leverage:g}x of tier {tier.number}, "
            f"which holds for this size"
        )
    if tier.rate * leverage >= 1:
        raise InvalidPositionError(
            f"maintenance margin rate {tier.rate:.4%} is not below the initial margin of {leverage:g}x, {1 / leverage:.4%}: "
            f"it would be liquidated as soon as it is opened"
        )


def bankruptcy_price(position: Position) -> float | None:
    """Return the price at which the margin is lost whole, fees apart: entry x (1 - d / leverage) if linear and isolated.

    None where no price does that: a linear long or an inverse short of leverage 1 or less.
    """
    entry = position.value(position.entry_price)
    value = entry - position.direction * position.margin
    return position.price(value) if value > ROUNDING * entry else None


def distance(price: float, reference: float) -> float:
    """Return how far `price` is from `reference`, as a signed fraction of it: -0.1 is 10 % below."""
    return price / reference - 1


class Leg(NamedTuple):
    """One side of a hedged linear position, with the rate and deduction of its tier."""

    position_side: Side
    size: float
    entry_price: float
    rate: float
    deduction: float = 0.0


def hedged_price(legs: Sequence[Leg], margin: float) -> float | None:
    """Return the liquidation price of legs of one linear contract under one cross margin: the full form (§1.1).

    `margin`: see `cross_margin`. None where no price above zero liquidates it, such as where the legs cancel out and the
    margin covers what they have lost.
    """
    signs = [1 if leg.position_side == "long" else -1 for leg in legs]
    each = list(zip(signs, legs, strict=True))
    above = margin + sum(leg.deduction - d * leg.size * leg.entry_price for d, leg in each)
    below = sum(leg.size * (leg.rate - d) for d, leg in each)
    found = above / below if below else 0.0
    return found if found > 0 else None


def free_margin_price(
    position_side: Side, price: float, size: float, margin_available: float, max_leverage: float
) -> float | None:
    """Return Hyperliquid's liquidation price: price - d x margin_available / size / (1 - l d) (§1.3).

    `margin_available`: above the maintenance margin, at `price` (isolated: of the position; cross: of the account), USDC.
    l = 1 / maintenance leverage: half the initial margin at the asset's highest leverage. Raises InvalidPositionError.
    """
    for name, number in (("price", price), ("size", size), ("margin available", margin_available)):
        above_zero(name, number)
    d = 1 if position_side == "long" else -1
    share = 1 / (2 * above_zero("highest leverage", max_leverage))
    found = price - d * margin_available / size / (1 - share * d)
    return found if found > 0 else None


def approximate_price(
    position_side: Literal["long", "short"], entry_price: float, leverage: float, rate: float
) -> float:
    """Return what almost all liquidation maps take: entry x (1 - d (1 / leverage - rate)) (§1.4).

    Raises InvalidPositionError where the rate is not below 1 / leverage: the level would lie on the wrong side of entry.
    """
    _check_leverage(leverage, Tier(1, 0.0, 0.0, rate))
    d = 1 if position_side == "long" else -1
    return above_zero("entry price", entry_price) * (1 - d * (1 / leverage - rate))
