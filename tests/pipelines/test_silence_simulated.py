"""The judge of silences in simulated days: calm ones without a false alarm, and channels that die in them."""

import numpy as np
import pytest

from pipelines.derive.coverage.expectation import DAY, LIVE, SILENT, Channel, Move, Past, judge, silences, state
from pipelines.derive.coverage.silence_rules import RULE
from tests.bench.calm import PER_MINUTE, World, world


@pytest.fixture(scope="module")
def calm() -> World:
    return world(30, 1)


@pytest.mark.parametrize("alone", [False, True], ids=["beside the others", "alone"])
@pytest.mark.parametrize("venue", PER_MINUTE)
def test_in_thirty_calm_days_no_channel_that_works_is_suspect(calm: World, venue: str, alone: bool) -> None:
    judged = [calm.judge(venue, span, alone=alone) for span in calm.silences(venue)]
    assert len(judged) > 1000
    assert {state(each, RULE)[0] for each in judged} == {LIVE}


def test_a_channel_that_dies_in_calm_days_is_suspect_and_then_silent(calm: World) -> None:
    last = int(np.flatnonzero(calm.channels["binance"].heard[: 20 * DAY])[-1]) + 1
    found = calm.judge("binance", (last, last + DAY))
    assert state(found, RULE) == (SILENT, int(np.argmax(found.likelihood < RULE.silent_below)) + 1)


def test_a_venue_whose_siblings_began_only_now_is_judged_by_its_own_past() -> None:
    busy = _channel([2.0] * 600 + [0.0] * 10)
    began = _channel([0.0] * 600 + [9.0] * 10)
    with_it = judge(busy, Past(busy, RULE), {"other": (began, Past(began, RULE))}, (600, 610), RULE)
    alone = judge(busy, Past(busy, RULE), {}, (600, 610), RULE)
    assert (with_it.expected == alone.expected).all()


def test_a_sibling_as_dead_as_the_channel_does_not_excuse_it() -> None:
    dead, other = _channel([5.0] * 600 + [0.0] * 60), _channel([5.0] * 660)
    others = {"dead": (dead, Past(dead, RULE)), "other": (other, Past(other, RULE))}
    found = judge(dead, Past(dead, RULE), others, (600, 660), RULE)
    assert state(found, RULE)[0] != LIVE


def test_where_nothing_comes_from_any_venue_that_is_suspect_too() -> None:
    dead = _channel([5.0] * 600 + [0.0] * 60)
    past = Past(dead, RULE)
    assert state(judge(dead, past, {"other": (dead, past)}, (600, 660), RULE), RULE)[0] != LIVE


def test_prices_that_move_without_a_liquidation_make_a_silence_less_likely() -> None:
    busy = _channel([0.5] * 600 + [0.0] * 12)
    moves = [Move(f"C{n}", 600, 608, RULE.price_minutes * 0.5) for n in range(40)]
    quiet = judge(busy, Past(busy, RULE), {}, (600, 612), RULE)
    moved = judge(busy, Past(busy, RULE), {}, (600, 612), RULE, moves)
    assert state(quiet, RULE)[0] == LIVE
    assert (moved.likelihood[:8] == quiet.likelihood[:8]).all()
    assert moved.likelihood[-1] < quiet.likelihood[-1] / 1000
    early = [move._replace(since=599) for move in moves]
    assert (judge(busy, Past(busy, RULE), {}, (600, 612), RULE, early).likelihood == quiet.likelihood).all()


def test_minutes_that_nobody_listened_to_say_nothing() -> None:
    busy = _channel([5.0] * 600 + [0.0] * 60)
    busy.share[600:] = 0.0
    found = judge(busy, Past(busy, RULE), {"other": (o := _channel([5.0] * 660), Past(o, RULE))}, (600, 660), RULE)
    assert (found.likelihood == 1).all()


def test_silences_begin_with_what_is_listened_to() -> None:
    heard = np.array([False, False, True, False, False, True, False])
    assert silences(heard, np.array([0, 1.0, 1, 1, 1, 1, 1])) == [(1, 2), (3, 5), (6, 7)]
    assert silences(heard, np.array([0, 0.0, 1, 1, 1, 1, 1])) == [(3, 5), (6, 7)]
    assert silences(np.zeros(3, bool), np.zeros(3)) == []


def _channel(brought: list[float]) -> Channel:
    found = np.array(brought)
    return Channel(found, np.ones(len(found)), found > 0, np.ones(len(found), bool))
