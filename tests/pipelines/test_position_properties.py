"""What holds of every liquidation price: its side, what moves it which way, linear and inverse alike."""

from math import inf
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import InvalidPositionError
from pipelines.position.effects import add_margin
from pipelines.position.positions import Position, isolated
from pipelines.position.price import approximate_price, bankruptcy_price, liquidation_price
from pipelines.position.tiers import flat
from tests.pipelines.test_position_tiers import BTC

SIDES = st.sampled_from(["long", "short"])
CONTRACTS = st.sampled_from(["linear", "inverse"])
PRICES = st.floats(1e-6, 1e6)
SIZES = st.floats(1e-3, 1e6)
FEES = st.sampled_from([0.0, 0.0005])


@st.composite
def opened(draw: st.DrawFn) -> tuple[Position, float]:
    """A position just opened with a maintenance rate, fee included, below 1 / leverage; and the rate."""
    leverage, fee = draw(st.floats(1, 125)), draw(FEES)
    rate = draw(st.floats(0.0, 0.98)) / leverage - fee
    position = isolated(draw(SIDES), draw(CONTRACTS), draw(PRICES), draw(SIZES), leverage, fee)
    return position, max(rate, 0.0) * 0.98


def price(position: Position, rate: float) -> float:
    """Return the price, the end of all prices on the losing side where there is none."""
    found = liquidation_price(position, flat(rate)).price
    return (0.0 if position.position_side == "long" else inf) if found is None else found


def further(position: Position) -> int:
    """Return the sign with which a liquidation price moves away from entry."""
    return -1 if position.position_side == "long" else 1


def beyond(position: Position, first: float, second: float) -> bool:
    """Say whether `second` is as far from entry as `first`, on the losing side, or further."""
    return further(position) * (second - first) >= -1e-9 * abs(first) if first != inf else second == inf


@given(opened())
def test_a_long_is_liquidated_below_its_entry_and_a_short_above_and_both_before_bankruptcy(
    case: tuple[Position, float],
) -> None:
    position, rate = case
    found, bankrupt = price(position, rate), bankruptcy_price(position)
    assert further(position) * (found - position.entry_price) > 0
    end = (0.0 if position.position_side == "long" else inf) if bankrupt is None else bankrupt
    assert beyond(position, found, end)


@given(opened(), st.floats(1.01, 5))
def test_more_leverage_brings_it_nearer(case: tuple[Position, float], factor: float) -> None:
    position, rate = case
    assert position.leverage
    higher = isolated(
        position.position_side, position.contract, position.entry_price, position.size, position.leverage * factor,
        position.fee_rate,
    )  # fmt: skip
    try:
        nearer = price(higher, rate)
    except InvalidPositionError:
        assert (rate + position.fee_rate) * position.leverage * factor >= 1 - 1e-9
    else:
        assert beyond(position, nearer, price(position, rate))


@given(opened(), st.floats(0.01, 10))
def test_more_margin_takes_it_further_and_a_higher_rate_nearer(case: tuple[Position, float], share: float) -> None:
    position, rate = case
    more = add_margin(position, position.margin * share)
    assert beyond(position, price(position, rate), price(more, rate))
    assert beyond(position, price(position, rate), price(position, rate * 0.9))


@given(opened())
def test_at_the_price_margin_and_profit_are_the_maintenance_margin(case: tuple[Position, float]) -> None:
    position, rate = case
    found = liquidation_price(position, flat(rate))
    if found.price is not None:
        scale = position.value(found.price) + position.value(position.entry_price)
        assert position.equity(found.price) == pytest.approx(found.maintenance, abs=1e-9 * scale)


@given(SIDES, PRICES, SIZES, st.floats(1.5, 125), st.floats(0, 0.9))
def test_an_inverse_position_is_a_linear_one_of_the_other_side_in_the_price_of_a_dollar(
    side: Any, entry: float, size: float, leverage: float, share: float
) -> None:
    rate = share / leverage
    inverse = isolated(side, "inverse", entry, size, leverage)
    linear = isolated("short" if side == "long" else "long", "linear", 1 / entry, size, leverage)
    assert inverse.margin == pytest.approx(linear.margin)
    first, second = (liquidation_price(each, flat(rate)).price for each in (inverse, linear))
    assert first is not None
    assert second is not None
    assert first == pytest.approx(1 / second)


@given(opened(), st.floats(1e-3, 1e3))
def test_the_price_does_not_depend_on_the_size_under_one_rate(case: tuple[Position, float], factor: float) -> None:
    position, rate = case
    other = msgspec.structs.replace(position, size=position.size * factor, margin=position.margin * factor)
    assert price(other, rate) == pytest.approx(price(position, rate))


@given(SIDES, st.floats(100, 1e6), st.floats(0.001, 100), st.floats(1, 125))
def test_under_a_tiered_table_a_larger_position_is_liquidated_sooner(
    side: Any, entry: float, size: float, leverage: float
) -> None:
    small = isolated(side, "linear", entry, size, leverage)
    large = isolated(side, "linear", entry, size * 3, leverage)
    try:
        found = liquidation_price(large, BTC).price
    except InvalidPositionError:
        return  # too large for that leverage
    if found is not None:
        nearer = liquidation_price(small, BTC).price
        assert beyond(small, found, (0.0 if side == "long" else inf) if nearer is None else nearer)


@given(SIDES, PRICES, st.floats(1, 125), st.floats(0, 3))
def test_the_approximation_lies_on_the_losing_side_or_is_refused(
    side: Any, entry: float, leverage: float, share: float
) -> None:
    try:
        found = approximate_price(side, entry, leverage, share / leverage)
    except InvalidPositionError:
        assert share >= 1 - 1e-9
    else:
        assert share < 1 + 1e-9
        assert (found - entry) * (1 if side == "short" else -1) >= -1e-9 * entry


@given(SIDES, CONTRACTS, st.floats(), st.floats(), st.floats(), st.floats())
def test_any_numbers_give_a_price_on_the_losing_side_or_a_refusal(
    side: Any, contract: Any, entry: float, size: float, leverage: float, rate: float
) -> None:
    try:
        position = isolated(side, contract, entry, size, leverage)
        found = liquidation_price(position, flat(rate)).price
    except InvalidPositionError:
        return
    if found is not None:
        assert 0 < found < inf
        assert (
            further(position) * (found / entry - 1) >= -1e-9
        )  # rounding: a leverage of 1e15 leaves nothing between them
