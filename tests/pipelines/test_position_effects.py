"""What more margin, closing a part and funding make of a position."""

from typing import Any

import pytest

from pipelines.errors import InvalidPositionError
from pipelines.position.answer import Changes, answer
from pipelines.position.effects import add_margin, after_funding, close_part, funding_paid, settlements
from pipelines.position.market import Funding
from pipelines.position.positions import Position, isolated
from pipelines.position.price import liquidation_price
from pipelines.position.tiers import flat
from tests.pipelines.test_position_tiers import BTC

LONG = isolated("long", "linear", 60_000, 10, 20)
CROSS = Position("long", "linear", 60_000, 10, 40_000, mode="cross")


def price(position: Position, tiers: Any = BTC) -> float:
    found = liquidation_price(position, tiers).price
    assert found is not None
    return found


def test_added_margin_moves_the_price_by_itself_per_coin() -> None:
    before, after = (price(each, flat(0.01)) for each in (LONG, add_margin(LONG, 6_000)))
    assert before - after == pytest.approx(6_000 / 10 / 0.99)


def test_closing_a_part_of_an_isolated_position_gives_back_its_margin_and_moves_the_price_by_the_tier_only() -> None:
    left = close_part(LONG, 8, 58_000)
    assert (left.size, left.margin) == (2, pytest.approx(6_000))
    assert price(left, flat(0.01)) == pytest.approx(price(LONG, flat(0.01)))
    assert price(left) < price(LONG), "in a lower tier less margin is taken"


def test_closing_a_part_of_a_cross_position_keeps_the_margin_and_settles_the_profit() -> None:
    left = close_part(CROSS, 5, 58_000)
    assert left.margin == pytest.approx(40_000 - 5 * 2_000)
    assert left.equity(58_000) == pytest.approx(CROSS.equity(58_000)), "closing at the price changes no equity there"
    assert price(left) < price(CROSS)
    coin = Position("short", "inverse", 50_000, 10_000, 0.1, mode="cross")
    assert close_part(coin, 4_000, 40_000).equity(40_000) == pytest.approx(coin.equity(40_000))


@pytest.mark.parametrize(
    ("hold", "interval", "ahead", "times"),
    [
        (72, 8, None, 9), (7.9, 8, None, 0), (8, 8, None, 1), (72, 8, 0, 10), (72, 8, 3, 9), (2, 8, 3, 0), (0, 1, 0, 1),
        (24, 1, 0.5, 24),
    ],
)  # fmt: skip
def test_funding_is_paid_at_whole_intervals_the_first_when_it_is_due(
    hold: float, interval: float, ahead: float | None, times: int
) -> None:
    assert settlements(hold, interval, ahead) == times


def test_a_rate_above_zero_takes_from_longs_and_gives_to_shorts_in_the_settle_currency() -> None:
    assert funding_paid(LONG, 0.0001, 9, 61_000) == pytest.approx(10 * 61_000 * 0.0009)
    short = isolated("short", "linear", 60_000, 10, 20)
    assert funding_paid(short, 0.0001, 9, 61_000) == pytest.approx(-10 * 61_000 * 0.0009)
    coin = isolated("long", "inverse", 50_000, 10_000, 10)
    assert funding_paid(coin, 0.0001, 3, 40_000) == pytest.approx(0.25 * 0.0003)
    assert price(after_funding(LONG, 0.0001, 9, 60_000)) > price(LONG)
    assert price(after_funding(short, 0.0001, 9, 60_000)) > price(short)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda: add_margin(LONG, 0), "margin to add 0"),
        (lambda: close_part(LONG, 10, 60_000), "closing 10 of 10 leaves no position"),
        (lambda: close_part(LONG, -1, 60_000), "size to close -1"),
        (lambda: settlements(-1, 8), "holding time -1"),
        (lambda: settlements(1, 0), "funding interval 0"),
        (lambda: funding_paid(LONG, 0.1, 1, 0), "price 0"),
    ],
)
def test_a_change_that_cannot_be_is_refused(change: Any, told: str) -> None:
    with pytest.raises(InvalidPositionError, match=told):
        change()


def test_the_answer_tries_each_change_by_itself_and_says_where_the_margin_is_used_up() -> None:
    found = answer(LONG, BTC, Changes(6_000, 8, 72), 61_000, Funding(0.0001, 8, 1.0))
    assert [effect.change for effect in found.effects] == [
        "with 6,000 more margin",
        "with 8 closed at 61,000",
        "after 72 h: 9 x 0.010000% of funding, 549 paid",
    ]
    assert found.reference == 61_000
    assert all(effect.price and effect.distance == pytest.approx(effect.price / 61_000 - 1) for effect in found.effects)
    (lost,) = answer(LONG, BTC, Changes(hold_hours=2_400), None, Funding(0.0003, 8)).effects
    assert "would be liquidated at once" in lost.refused
    (unknown,) = answer(LONG, BTC, Changes(hold_hours=24)).effects
    assert "no funding rate is known" in unknown.refused


def test_what_funding_has_eaten_into_may_live_on_at_the_mark_price() -> None:
    (held,) = answer(LONG, BTC, Changes(hold_hours=480), 70_000, Funding(0.0007, 8)).effects
    assert held.price is not None
    assert 60_000 < held.price < 70_000


def test_a_mark_price_beyond_the_liquidation_price_is_said() -> None:
    assert any("beyond the liquidation price" in note for note in answer(LONG, BTC, Changes(), 55_000).notes)
