"""Margin tables: their recursion, and liquidation prices that agree with the tier of the notional at that price."""

from dataclasses import dataclass
from math import inf
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipelines.columns.contracts.static_tiers import static_tables
from pipelines.errors import InvalidPositionError
from pipelines.facts import LeverageTier
from pipelines.position.positions import Position, isolated
from pipelines.position.price import liquidation_price, maintenance_margin
from pipelines.position.tiers import Tier, TierTable, deductions, flat, from_rows, table

BTC = from_rows(static_tables()[0].steps, "linear")


@st.composite
def tables(draw: st.DrawFn, jumps: bool) -> TierTable:
    """Rising caps and rates; with deductions by the recursion, or none at all, which leaves a jump at every step."""
    count = draw(st.integers(1, 6))
    caps = [1_000.0]
    for _ in range(count - 1):
        caps.append(caps[-1] * draw(st.floats(1.1, 20)))
    rates = sorted(draw(st.lists(st.floats(0.001, 0.5), min_size=count, max_size=count)))
    steps = [
        Tier(n, floor, cap, rate)
        for n, (floor, cap, rate) in enumerate(zip((0.0, *caps), (*caps[:-1], inf), rates, strict=False), 1)
    ]
    taken_off = [0.0] * count if jumps else deductions(steps)
    return table([step._replace(deduction=amount) for step, amount in zip(steps, taken_off, strict=True)])


@dataclass
class Case:
    """A position that lives at entry, and its table."""

    position: Position
    tiers: TierTable


@st.composite
def cases(draw: st.DrawFn, jumps: bool) -> Case:
    tiers = draw(tables(jumps))
    side, contract = draw(st.sampled_from(["long", "short"])), draw(st.sampled_from(["linear", "inverse"]))
    notional, entry = draw(st.floats(10, 1e6)), draw(st.floats(0.01, 1e5))
    size = notional / entry if contract == "linear" else notional * entry
    bare = Position(side, contract, entry, size, 1.0)
    needed = maintenance_margin(bare, tiers, entry)
    return Case(Position(side, contract, entry, size, needed * draw(st.floats(1.001, 30)), mode="cross"), tiers)


def again_and_again(case: Case, most: int = 50) -> list[float]:
    """Solve, look up the tier of the answer, solve again: the notionals until one comes back."""
    position, tiers = case.position, case.tiers
    s, entry = position.direction, position.value(position.entry_price)
    found = [entry]
    while len(found) < most and found.count(found[-1]) < 2:
        tier = tiers.at(found[-1])
        found.append((position.margin + tier.deduction - s * entry) / (tier.rate - s))
    return found


def test_the_recursion_gives_every_maintenance_amount_of_binances_table() -> None:
    assert deductions(BTC.tiers) == pytest.approx([tier.deduction for tier in BTC.tiers])
    assert deductions(BTC.tiers)[1:3] == pytest.approx([50, 1_300])


@given(tables(jumps=False))
def test_with_deductions_by_the_recursion_the_maintenance_margin_has_no_jump_and_never_falls(tiers: TierTable) -> None:
    for tier, after in zip(tiers.tiers, tiers.tiers[1:], strict=False):
        at_end = tier.cap * tier.rate - tier.deduction
        assert tier.cap * after.rate - after.deduction == pytest.approx(at_end)
        assert after.deduction >= tier.deduction >= 0


@given(cases(jumps=False))
def test_the_price_is_what_solving_looking_up_and_solving_again_ends_at(case: Case) -> None:
    found = liquidation_price(case.position, case.tiers)
    rounds = again_and_again(case)
    assert rounds[-1] == pytest.approx(rounds[-2]), "without jumps it is Newton's method on a concave function: it ends"
    if found.price is None:
        assert rounds[-1] <= case.position.value(case.position.entry_price) * 1e-9
    else:
        assert case.position.value(found.price) == pytest.approx(rounds[-1], rel=1e-6)
        assert not found.on_step


@given(cases(jumps=True) | cases(jumps=False))
def test_before_the_price_the_margin_suffices_and_from_it_on_it_does_not(case: Case) -> None:
    position, tiers = case.position, case.tiers
    found = liquidation_price(position, tiers)
    s, start = position.direction, position.value(position.entry_price)
    end = 0.0 if found.price is None else position.value(found.price)

    def spare(value: float) -> float:
        tier = tiers.at(value)
        return position.margin + s * (value - start) - (value * tier.rate - tier.deduction)

    for share in (0.001, 0.1, 0.3, 0.5, 0.7, 0.9, 0.999):
        assert spare(end + (start - end) * share) > -1e-6 * start, "nothing on the way liquidates it"
    if found.price is not None:
        tier = found.tier
        assert position.margin + s * (end - start) <= (end * tier.rate - tier.deduction) + 1e-6 * start
        assert tier.floor * (1 - 1e-9) <= end <= tier.cap * (1 + 1e-9), (
            "the tier it was solved with is the one it is in"
        )


@given(cases(jumps=True))
@example(
    Case(Position("short", "linear", 100, 9, 60, mode="cross"), table([Tier(1, 0, 950, 0.01), Tier(2, 950, inf, 0.1)]))
)
def test_where_solving_again_swings_for_ever_the_step_between_is_the_price(case: Case) -> None:
    found = liquidation_price(case.position, case.tiers)
    if found.on_step:
        assert found.price is not None
        value = case.position.value(found.price)
        edges = [tier.cap for tier in case.tiers.tiers[:-1]]
        assert min(abs(value / edge - 1) for edge in edges) < 1e-9


def test_an_oscillation_is_resolved_to_the_price_where_the_higher_rate_sets_in() -> None:
    tiers = table([Tier(1, 0, 950, 0.01), Tier(2, 950, inf, 0.1)])
    case = Case(Position("short", "linear", 100, 9, 60, mode="cross"), tiers)
    swings = again_and_again(case)
    assert len(swings) < 6, "two answers in turn, so the first comes back"
    assert (swings[1], swings[2]) == (pytest.approx(960 / 1.01), pytest.approx(960 / 1.1)) or swings[1] > 950 > swings[
        2
    ]
    found = liquidation_price(case.position, tiers)
    assert (found.price, found.tier.number, found.on_step) == (pytest.approx(950 / 9), 2, True)


def test_the_tier_is_the_one_at_the_liquidation_price_and_not_at_entry() -> None:
    short = liquidation_price(isolated("short", "linear", 60_000, 4, 5), BTC)
    assert (short.tier.number, short.price) == (3, pytest.approx((240_000 * 1.2 + 1_300) / (4 * 1.01)))
    long = liquidation_price(isolated("long", "linear", 67_000, 0.8, 4), BTC)
    assert (BTC.at(0.8 * 67_000).number, long.tier.number, long.price) == (2, 1, pytest.approx(67_000 * 0.75 / 0.996))


def test_a_table_without_deductions_liquidates_sooner_than_one_with_them() -> None:
    bare = table([tier._replace(deduction=0.0) for tier in BTC.tiers])
    for side in ("long", "short"):
        position = isolated(side, "linear", 60_000, 10, 20)  # type: ignore[arg-type]
        with_them, without = (liquidation_price(position, each).price for each in (BTC, bare))
        assert with_them is not None
        assert without is not None
        assert abs(without - 60_000) < abs(with_them - 60_000)


def rows(unit: Any, *steps: tuple[float, float | None, float], deduction: float | None = None) -> list[LeverageTier]:
    return [
        LeverageTier("X", n, floor, cap, unit, rate, None, 50, deduction)
        for n, (floor, cap, rate) in enumerate(steps, 1)
    ]


@pytest.mark.parametrize(
    ("unit", "contract", "size", "lot", "tier"),
    [
        ("quote", "linear", 1.0, None, 1), ("quote", "linear", 2.0, None, 2), ("usd", "linear", 2.0, None, 2),
        ("base", "linear", 150.0, None, 1), ("base", "linear", 151.0, None, 2),
        ("contract", "linear", 1.5, 0.01, 1), ("contract", "linear", 1.51, 0.01, 2),
        ("base", "inverse", 15_000.0, None, 1), ("base", "inverse", 15_001.0, None, 2),
        ("usd", "inverse", 150.0, None, 1), ("usd", "inverse", 151.0, None, 2),
        ("contract", "inverse", 15_000.0, 100.0, 1), ("contract", "inverse", 15_001.0, 100.0, 2),
    ],
)  # fmt: skip
def test_floors_and_caps_are_compared_in_their_own_unit(
    unit: str, contract: Any, size: float, lot: float | None, tier: int
) -> None:
    tiers = from_rows(rows(unit, (0, 150, 0.01), (150, None, 0.02)), contract, lot)
    position = isolated("long", contract, 100, size, 10)
    assert tiers.at(size / tiers.lot if tiers.by == "size" else position.value(100)).number == tier


def test_a_table_in_contracts_does_not_move_with_the_price() -> None:
    tiers = from_rows(rows("contract", (0, 150, 0.01), (151, None, 0.05)), "linear", 0.01)
    assert tiers.tiers[1].floor == 150, "OKX's next step begins a contract later: what lies between is the next one's"
    found = liquidation_price(isolated("short", "linear", 100, 1.5, 3), tiers)
    assert (found.tier.number, found.price) == (1, pytest.approx(100 * (1 + 1 / 3) / 1.01))


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: table([]), "the margin table is empty"),
        (lambda: flat(1.0), r"rate 1 is not in \[0, 1\)"),
        (lambda: flat(-0.1), "rate -0.1"),
        (lambda: flat(float("nan")), "rate nan"),
        (lambda: flat(0.01, -5), "deduction below zero"),
        (lambda: table([Tier(1, 0, 100, 0.01), Tier(2, 100, 100, 0.02)]), "step 2 of the margin table ends at 100"),
        (lambda: from_rows(rows("contract", (0, 1, 0.01)), "linear"), "size is not known"),
        (lambda: from_rows([*rows("quote", (0, 1, 0.01)), *rows("base", (0, 1, 0.01))], "linear"), "several units"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_is_refused(make: Any, told: str) -> None:
    with pytest.raises(InvalidPositionError, match=told):
        make()
