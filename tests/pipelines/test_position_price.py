"""Liquidation and bankruptcy prices: every number of formulas.md §1, and the wrong ones in public refuted."""

from typing import Any

import msgspec
import pytest

from pipelines.errors import InvalidPositionError
from pipelines.position.positions import Position, cross_margin, isolated
from pipelines.position.price import (
    Leg,
    approximate_price,
    bankruptcy_price,
    distance,
    free_margin_price,
    hedged_price,
    liquidation_price,
    maintenance_margin,
)
from pipelines.position.tiers import Tier, flat, table


def price(*position: Any, rate: float = 0.004, deduction: float = 0.0, **more: Any) -> float | None:
    return liquidation_price(isolated(*position, **more), flat(rate, deduction)).price


def printed(found: float | None) -> str:
    assert found is not None
    return f"{found:,.2f}"


@pytest.mark.parametrize(
    ("side", "size", "entry", "leverage", "rate", "deduction", "told"),
    [
        ("long", 1, 67_000, 10, 0.004, 0, "60,542.17"),
        ("short", 0.5, 67_000, 25, 0.004, 0, "69,402.39"),
        ("long", 10, 60_000, 20, 0.01, 1_300, "57,444.44"),
        ("short", 10, 60_000, 20, 0.01, 1_300, "62,504.95"),
    ],
)
def test_linear_vectors_to_the_printed_digits(
    side: str, size: float, entry: float, leverage: float, rate: float, deduction: float, told: str
) -> None:
    assert printed(price(side, "linear", entry, size, leverage, rate=rate, deduction=deduction)) == told


@pytest.mark.parametrize(
    ("side", "maintenance_at", "told"),
    [
        ("long", "entry", "45,662.10"), ("short", "entry", "55,248.62"),
        ("long", "mark", "45,681.82"), ("short", "mark", "55,277.78"),
    ],
)  # fmt: skip
def test_inverse_vectors_to_the_printed_digits(side: str, maintenance_at: str, told: str) -> None:
    assert printed(price(side, "inverse", 50_000, 10_000, 10, rate=0.005, maintenance_at=maintenance_at)) == told


@pytest.mark.parametrize("maintenance_at", ["entry", "mark"])
def test_an_inverse_short_without_leverage_has_no_liquidation_price(maintenance_at: str) -> None:
    position = isolated("short", "inverse", 50_000, 10_000, 1, maintenance_at=maintenance_at)  # type: ignore[arg-type]
    found = liquidation_price(position, flat(0.005))
    assert (found.price, bankruptcy_price(position)) == (None, None)


def test_a_linear_long_without_leverage_has_no_liquidation_price() -> None:
    position = isolated("long", "linear", 60_000, 1, 1)
    assert (liquidation_price(position, flat(0.004)).price, bankruptcy_price(position)) == (None, None)


def test_bankruptcy_is_one_leverage_away_from_entry() -> None:
    assert bankruptcy_price(isolated("long", "linear", 60_000, 3, 20)) == pytest.approx(57_000)
    assert bankruptcy_price(isolated("short", "linear", 60_000, 3, 20)) == pytest.approx(63_000)
    # inverse: Q / (PV + d IM)
    assert bankruptcy_price(isolated("long", "inverse", 50_000, 10_000, 10)) == pytest.approx(10_000 / 0.22)
    assert bankruptcy_price(isolated("short", "inverse", 50_000, 10_000, 10)) == pytest.approx(10_000 / 0.18)


def test_the_reference_files_short_would_be_bankrupt_long_before_the_price_it_prints() -> None:
    position = isolated("short", "linear", 67_000, 0.5, 25)
    assert printed(liquidation_price(position, flat(0.004)).price) != "69,920.32"
    assert position.equity(69_920.32) < 0 < maintenance_margin(position, flat(0.004), 69_920.32)
    assert bankruptcy_price(position) == pytest.approx(69_680.0)
    # its own line adds 1,340 and 33,500 as 35,090, and that divided by 0.502 is not what it prints either
    assert (1_340 + 33_500, round(35_090 / 0.502, 2)) == (34_840, 69_900.40)


def test_dividing_the_maintenance_rate_by_leverage_moves_the_level_fifty_times_too_little() -> None:
    position = isolated("long", "linear", 100, 1, 50)
    slip = 100 * (1 - 1 / 50 + 0.004 / 50)
    assert position.equity(slip) < maintenance_margin(position, flat(0.004), slip), "there it is long gone"
    assert distance(slip, 98) == pytest.approx(0.00008, rel=0.03)
    assert distance(approximate_price("long", 100, 50, 0.004), 98) == pytest.approx(0.004, rel=0.03)
    assert liquidation_price(position, flat(0.004)).price == pytest.approx(98 / 0.996)


@pytest.mark.parametrize("find", [price, lambda *a, rate: approximate_price("long", 100, 100, rate)])
def test_a_maintenance_rate_of_two_and_a_half_percent_at_100x_is_refused(find: Any) -> None:
    with pytest.raises(InvalidPositionError, match=r"2\.5000% is not below the initial margin of 100x"):
        find("long", "linear", 100, 1, 100, rate=0.025)
    assert pytest.approx(101.5) == 100 * (1 - 1 / 100 + 0.025), "what a public map draws, above its own entry"


def test_at_2x_there_is_room_for_half_less_the_maintenance_rate_not_for_a_quarter() -> None:
    long, short = (isolated(side, "linear", 100, 1, 2) for side in ("long", "short"))  # type: ignore[arg-type]
    found = liquidation_price(long, flat(0.004)).price
    assert found == pytest.approx(50 / 0.996)
    assert long.equity(75) == pytest.approx(25), "a quarter down, half of the margin is still there"
    assert liquidation_price(short, flat(0.004)).price == pytest.approx(150 / 1.004)


def test_the_approximation_of_the_maps_is_close_where_leverage_is_high() -> None:
    for side, exact in (("long", 99 / 0.996), ("short", 101 / 1.004)):
        assert approximate_price(side, 100, 100, 0.004) == pytest.approx(exact, rel=1e-4)  # type: ignore[arg-type]


def test_cross_margin_is_the_balance_less_the_others_maintenance_and_with_their_profit() -> None:
    assert cross_margin(10_000, 800, -500) == 8_700
    position = Position("long", "linear", 60_000, 1, cross_margin(10_000, 800, -500), mode="cross")
    # P = (WB - TMM1 + UPNL1 + cum - q E) / (q (MMR - 1))
    assert liquidation_price(position, flat(0.01, 100)).price == pytest.approx((8_700 + 100 - 60_000) / (0.01 - 1))
    with pytest.raises(InvalidPositionError, match=r"leaves -300 for this position"):
        cross_margin(1_000, 800, -500)


def test_legs_of_a_hedge_are_summed_as_in_binances_full_form() -> None:
    long, short = Leg("long", 3, 50_000, 0.005, 50), Leg("short", 1, 52_000, 0.004)
    found = hedged_price([long, short], 20_000)
    assert found is not None
    above = 20_000 + 50 - 3 * 50_000 + 52_000
    assert found == pytest.approx(above / (3 * 0.005 + 0.004 - 3 + 1))
    worth = 20_000 + 3 * (found - 50_000) - (found - 52_000)
    assert worth == pytest.approx(3 * found * 0.005 - 50 + found * 0.004), (
        "margin and profit meet the maintenance margin"
    )
    alone = Position("long", "linear", 50_000, 3, 20_000, mode="cross")
    assert hedged_price([long], 20_000) == pytest.approx(liquidation_price(alone, flat(0.005, 50)).price)
    assert hedged_price([Leg("long", 1, 100, 0.0), Leg("short", 1, 100, 0.0)], 5) is None


@pytest.mark.parametrize(("side", "d"), [("long", 1), ("short", -1)])
def test_hyperliquids_form_is_the_linear_one_with_half_the_initial_margin(side: Any, d: int) -> None:
    position = isolated(side, "linear", 3_000, 2, 10)
    share = 1 / (2 * 25)
    exact = liquidation_price(position, flat(share)).price
    for at in (3_000, 3_000 - d * 100):  # from any price on the way
        free = position.equity(at) - share * position.value(at)
        assert free_margin_price(side, at, 2, free, 25) == pytest.approx(exact)
    assert 1 / (2 * 50) == 0.01
    assert pytest.approx(0.167, abs=5e-4) == 1 / (2 * 3)
    with pytest.raises(InvalidPositionError, match="margin available -1"):
        free_margin_price(side, 3_000, 2, -1, 25)
    assert free_margin_price("long", 3_000, 1, 5_000, 25) is None


def test_a_fee_counts_as_margin_that_the_forced_close_takes() -> None:
    position = isolated("long", "linear", 60_000, 1, 10, fee_rate=0.0005)
    found = liquidation_price(position, flat(0.004))
    assert found.price == pytest.approx(54_000 / (1 - 0.0045))
    assert found.maintenance == pytest.approx(found.price * 0.0045)
    for at in ("mark", "entry"):
        bare = isolated("short", "inverse", 60_000, 600, 10, maintenance_at=at)  # type: ignore[arg-type]
        with_fee = msgspec.structs.replace(bare, fee_rate=0.0005)
        bare_price, fee_price = (liquidation_price(each, flat(0.004)).price for each in (bare, with_fee))
        assert bare_price is not None
        assert fee_price is not None
        assert fee_price < bare_price, "the fee liquidates a short sooner"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"entry_price": 0.0}, "entry price 0 is not above zero"),
        ({"entry_price": float("nan")}, "entry price nan"),
        ({"size": -1.0}, "size -1 is not above zero"),
        ({"leverage": 0.5}, "no such leverage: 0.5"),
        ({"leverage": float("inf")}, "no such leverage: inf"),
        ({"leverage": 126.0}, "no such leverage: 126x is above the 125x of tier 1"),
        ({"size": 10.0, "leverage": 101.0}, "no such leverage: 101x is above the 100x of tier 2"),
        ({"size": 2_000.0}, "a position of 2,000,000 is above the largest of its margin table, 1,000,000"),
        ({"margin": 0.0}, "margin 0 is not above the maintenance margin 4 at 1,000"),
        ({"margin": -5.0}, "margin -5 is not above"),
        ({"margin": float("nan")}, "margin nan is not above"),
        ({"margin": 3.0, "leverage": None}, "the position would be liquidated at once"),
        ({"fee_rate": -0.1}, "fee -0.1 is not possible"),
        ({"fee_rate": 0.999}, "fee 0.999 is not possible"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_the_reason(changed: dict[str, Any], told: str) -> None:
    tiers = table([Tier(1, 0, 5_000, 0.004, 0, 125), Tier(2, 5_000, 1_000_000, 0.005, 5, 100)])
    valid = Position("long", "linear", 1_000, 1, 100, 10)
    assert liquidation_price(valid, tiers).price is not None
    with pytest.raises(InvalidPositionError, match=told):
        liquidation_price(msgspec.structs.replace(valid, **changed), tiers)


def test_a_position_that_is_lost_at_the_mark_price_is_refused_there_and_not_at_entry() -> None:
    position = isolated("long", "linear", 100, 1, 10)
    assert liquidation_price(position, flat(0.01)).price == pytest.approx(90 / 0.99)
    with pytest.raises(InvalidPositionError, match="margin 10 with -15 of unrealised profit"):
        liquidation_price(position, flat(0.01), at=85)


def test_a_deduction_of_larger_positions_is_refused() -> None:
    with pytest.raises(InvalidPositionError, match="deduction 1,300 is above the maintenance margin 10"):
        price("long", "linear", 1_000, 1, 10, rate=0.01, deduction=1_300)
