"""When the silence of a feed's liquidations is suspicious: by its own past, and by what other venues bring."""

import numpy as np
import pytest

from collectors.live.ears import (
    DISPERSION,
    FORGET_S,
    LEAST_PAST,
    MARKET_SHAPE,
    MARKET_SHAPE_MOST,
    OWN_SHAPE,
    UNIT_S,
    Ear,
    Ears,
    _nothing,
)
from collectors.settings import CollectorSettings
from tests.bench.calm import PER_MINUTE, World, world

BELOW = CollectorSettings().suspect_below
MINUTE_S = 60.0


def _lively(ears: dict[str, Ear], until_s: float, silent: str = "", since_s: float = 0.0) -> None:
    """Let each feed bring liquidations every four seconds until `until_s`, but `silent` none after `since_s`."""
    for at in np.arange(4.0, until_s + 1, 4.0):
        for name, ear in ears.items():
            if name != silent or at <= since_s:
                ear.hear(float(at))


def _open(*venues: str) -> dict[str, Ear]:
    ears = Ears()
    return {venue: ears.open(venue, 0.0) for venue in venues}


def test_a_feed_that_falls_silent_while_others_go_on_is_suspect_within_ten_minutes() -> None:
    ears = _open("binance", "bybit", "okx")
    _lively(ears, 20 * MINUTE_S, "binance", 12 * MINUTE_S)
    assert ears["binance"].is_suspect(20 * MINUTE_S, BELOW)
    assert not any(ears[name].is_suspect(20 * MINUTE_S, BELOW) for name in ("bybit", "okx"))


@pytest.mark.parametrize("silent", ["binance", "bybit", "okx"])
def test_a_feed_that_never_brings_anything_is_suspect_within_ten_minutes_whichever_was_opened_first(
    silent: str,
) -> None:
    ears = _open("binance", "bybit", "okx")
    _lively(ears, 10 * MINUTE_S, silent)
    assert ears[silent].is_suspect(10 * MINUTE_S, BELOW)


def test_where_the_whole_market_is_quieter_a_feed_is_not_suspect() -> None:
    ears = _open("binance", "bybit", "okx")
    _lively(ears, 10 * MINUTE_S)
    for at in np.arange(10 * MINUTE_S, 18 * MINUTE_S, 120.0):
        ears["bybit"].hear(float(at))
    assert not ears["binance"].is_suspect(18 * MINUTE_S, BELOW)


def test_alone_a_feed_is_judged_by_its_own_past() -> None:
    ears = _open("binance")
    _lively(ears, 3600.0)
    assert not ears["binance"].is_suspect(3600.0 + 5 * MINUTE_S, BELOW)
    assert ears["binance"].is_suspect(3600.0 + 90 * MINUTE_S, BELOW)


def test_a_burst_counts_once_in_ten_seconds_and_what_is_long_ago_is_forgotten() -> None:
    ear = _open("binance")["binance"]
    for at in np.linspace(100.0, 100.0 + UNIT_S - 0.1, 1000):
        ear.hear(float(at))
    assert ear.total == 1
    busy = ear.rate
    for at in np.arange(110.0, 1000.0, UNIT_S):
        ear.hear(float(at))
    assert ear.rate > busy
    ear.hear(1000.0 + 5 * FORGET_S)
    assert ear.rate < 0.01


def test_a_feeds_rate_is_how_many_units_with_liquidations_it_brings_a_second() -> None:
    ear = _open("binance")["binance"]
    assert ear.rate == 0.0
    for number in range(1, 400):
        ear.hear(number * 10.0)
    assert ear.rate == pytest.approx(0.1, rel=1e-6)


def test_a_feed_never_heard_should_bring_half_of_what_another_venue_does_however_many_there_are() -> None:
    for others in (["bybit"], ["bybit", "okx"], ["bybit", "okx", "kraken"]):
        ears = _open("binance", *others)
        _lively(ears, 30 * 4.0, "binance")
        assert ears["binance"].total == 0
        came = 30 / DISPERSION
        expected = _nothing(0.5 * came, OWN_SHAPE, MARKET_SHAPE + came * len(others))
        assert ears["binance"].likelihood(120.0) == pytest.approx(expected)
    assert _open("binance")["binance"].likelihood(1e6) == 1.0, "there is nobody to compare it with"


def test_the_longer_a_feed_has_been_heard_the_surer_is_what_it_should_bring() -> None:
    ear = _open("binance")["binance"]
    for number in range(1, 7):
        ear.hear(number * 10.0)
    expected = ear.rate * 600 / DISPERSION
    assert ear.likelihood(660.0) == pytest.approx(_nothing(expected, OWN_SHAPE + ear._count / DISPERSION, MARKET_SHAPE))
    assert ear._count == pytest.approx(6, rel=0.05)


@pytest.mark.parametrize(("past", "is_known"), [(LEAST_PAST - 1, False), (LEAST_PAST, True)])
def test_another_feed_counts_once_it_has_brought_enough_to_be_known(past: int, is_known: bool) -> None:
    ears = _open("binance", "bybit")
    for number in range(1, past + 1):
        ears["bybit"].hear(number * 4.0)
    ears["binance"].hear(past * 4.0 + 1)
    usual = ears["bybit"].rate * 40 / DISPERSION if is_known else 0.0
    for number in range(past + 1, past + 11):
        ears["bybit"].hear(number * 4.0)
    mine = ears["binance"]
    market = MARKET_SHAPE + (10 / DISPERSION if is_known else 0.0)
    expected = mine.rate * 40 / DISPERSION * market / (MARKET_SHAPE + usual)
    assert mine.likelihood(past * 4.0 + 41) == pytest.approx(_nothing(expected, OWN_SHAPE + 1 / DISPERSION, market))


@pytest.mark.parametrize(("own", "market"), [(2.0, 8.0), (20.0, 40.0), (5.0, 11.0)])
def test_nothing_is_as_likely_as_where_own_and_market_activity_both_vary(own: float, market: float) -> None:
    """Of a product of two independent gamma variables of mean one the variance is the inverse of the shape."""
    variance = (1 + 1 / own) * (1 + 1 / market) - 1
    for expected in (0.0, 0.5, 3.0, 40.0):
        assert _nothing(expected, own, market) == pytest.approx((1 + expected * variance) ** (-1 / variance))
    assert _nothing(3.0, own, 1e9) == _nothing(3.0, own, MARKET_SHAPE_MOST), "a busy market is not certain either"


def test_a_connection_that_is_opened_anew_begins_a_silence_anew() -> None:
    ears = _open("binance", "bybit", "okx")
    _lively(ears, 20 * MINUTE_S, "binance", 12 * MINUTE_S)
    ears["binance"].begin(20 * MINUTE_S)
    assert ears["binance"].likelihood(20 * MINUTE_S) == pytest.approx(1.0)
    assert not ears["binance"].is_suspect(21 * MINUTE_S, BELOW)


def test_other_sockets_of_the_same_venue_and_feeds_that_are_gone_are_not_compared_with() -> None:
    registry = Ears()
    linear, inverse, gone = registry.open("bybit", 0.0), registry.open("bybit", 0.0), registry.open("okx", 0.0)
    assert set(registry.others(linear)) == {gone}
    registry.forget(gone)
    assert set(registry.others(inverse)) == set()


@pytest.fixture(scope="module")
def calm() -> World:
    return world(30, 2)


def test_in_thirty_calm_days_no_feed_that_works_is_suspect(calm: World) -> None:
    """Each minute with a liquidation is heard at its start; a silence is asked about at its end, where it is longest."""
    ears = _open(*PER_MINUTE)
    heard = {venue: calm.channels[venue].heard for venue in PER_MINUTE}
    lowest = 1.0
    for minute in range(len(heard["okx"])):
        at = minute * MINUTE_S
        for venue, ear in ears.items():
            if heard[venue][minute]:
                assert not ear.is_suspect(at, BELOW)
                lowest = min(lowest, ear.likelihood(at) if ear.total else 1.0)
                ear.hear(at)
    assert lowest > BELOW
