"""Cascades on a real lake: what one is, and that it is found whole and once."""

import json
from datetime import timedelta

import pytest

from pipelines.derive.cascades.rules import RULE
from tests.pipelines.cascade_rows import NOON, after, frame, liquidation, normal, put, run, stored
from tests.pipelines.cascades.conftest import MINUTE, burst
from warehouse.lake import Lake
from warehouse.writer import replace


def test_a_burst_far_above_the_normal_minute_is_a_cascade(warehouse: Lake) -> None:
    normal(warehouse, 5_000)
    put(warehouse, *burst(), liquidation(3.25, 90_000, position_side="short"), liquidation(4, None))
    run(warehouse)
    (found,) = stored(warehouse)
    assert found["cascade_id"] == "v2:all:BTC:2026-10-10T12:00:00.000000"
    assert (found["ts_start"], found["ts_end"], found["closed"]) == (NOON, after(9.5), True)
    assert (found["position_side"], found["side_share"]) == ("long", 400 / 490)
    assert (found["usd"], found["usd_long"], found["usd_short"]) == (490_000, 400_000, 90_000)
    assert (found["count"], found["unpriced"], found["largest_usd"]) == (22, 1, 90_000)
    assert (found["peak_second"], found["peak_second_usd"]) == (after(2.5), 130_000)
    assert (found["peak_minute"], found["peak_minute_usd"]) == (NOON, 490_000)
    assert (found["normal_minute_usd"], found["multiple"]) == (5_000, 98)
    assert (found["venues"], found["completeness"], found["lower_bound"]) == ("bybit", "all", False)
    assert (found["kept_by"], found["saturated_share"], found["coverage_share"]) == ("usd and count", None, None)


@pytest.mark.parametrize(("usd", "known", "found"), [(900_000, False, 0), (1_100_000, False, 1), (900_000, True, 1)])
def test_more_is_asked_of_a_coin_whose_normal_minute_is_not_known(
    warehouse: Lake, usd: float, known: bool, found: int
) -> None:
    normal(warehouse, 5_000, minutes=30 if known else 29)
    put(warehouse, *burst(each=usd / 20))
    run(warehouse)
    assert [row["normal_minute_usd"] for row in stored(warehouse)] == [5_000 if known else None] * found


def test_the_normal_minute_is_the_median_of_those_with_liquidations_in_its_seven_days(warehouse: Lake) -> None:
    normal(warehouse, 5_000, minutes=31)
    normal(warehouse, 9_000, minutes=10, days_ago=1)
    normal(warehouse, 5e9, minutes=100, days_ago=9)
    normal(warehouse, 5e9, minutes=100, days_ago=1, base="ETH")
    normal(warehouse, 1_000, minutes=31, venue="okx", completeness="partial")
    put(warehouse, *burst())
    run(warehouse)
    assert [row["normal_minute_usd"] for row in stored(warehouse)] == [6_000]
    assert [row["normal_minute_usd"] for row in stored(warehouse, "complete")] == [5_000]


def test_the_normal_minute_is_that_of_its_own_hour_also_where_liquidations_ran_on_from_the_hour_before(
    warehouse: Lake,
) -> None:
    minutes = [
        {"venue": "bybit", "symbol": "BTCUSDT", "base": "BTC", "position_side": "long", "completeness": "all",
         "minute": NOON - timedelta(hours=2) + number * MINUTE, "usd": 5_000, "count": 1}
        for number in range(30)
    ]  # fmt: skip
    replace(warehouse, "liquidations_1m", frame("liquidations_1m", *minutes), "FALSE")
    put(warehouse, *(liquidation(seconds, 100) for seconds in range(-60, 0, 5)), *burst())
    run(warehouse)
    assert [(row["ts_start"], row["normal_minute_usd"]) for row in stored(warehouse)] == [(NOON, 5_000)]


def test_ten_normal_minutes_are_needed(warehouse: Lake) -> None:
    normal(warehouse, 41_000)
    put(warehouse, *burst())
    run(warehouse)
    assert stored(warehouse) == []


def test_one_large_liquidation_is_no_cascade_nor_are_few(warehouse: Lake) -> None:
    put(warehouse, liquidation(0, 5e6), *burst(300, number=4, each=1e6))
    run(warehouse)
    assert stored(warehouse) == []


def test_on_a_throttled_feed_usd_and_saturation_stand_in_for_the_count(warehouse: Lake) -> None:
    told = {"venue": "binance", "completeness": "one_per_second_latest"}
    put(warehouse, *burst(number=4, each=1e6, every=1, **told))
    put(warehouse, *burst(1000, number=4, each=1e6, every=3, **told))
    run(warehouse)
    (found,) = stored(warehouse)
    assert (found["ts_start"], found["count"], found["kept_by"]) == (NOON, 4, "usd and saturation")
    assert (found["contract_seconds"], found["saturated_seconds"], found["saturated_share"]) == (4, 4, 1.0)
    assert found["lower_bound"]
    assert "throttled" in found["branching_null_reason"]
    assert stored(warehouse, "complete") == []


def test_complete_feeds_are_also_looked_at_alone_and_each_venue_is_told(warehouse: Lake) -> None:
    put(warehouse, *burst(each=100_000))
    put(warehouse, *burst(2, number=5, each=300_000, every=1, venue="binance", completeness="one_per_second_latest"))
    run(warehouse)
    (both,), (alone,) = stored(warehouse), stored(warehouse, "complete")
    assert (both["usd"], both["venues"]) == (3_500_000, "binance, bybit")
    assert (both["completeness"], both["lower_bound"]) == ("all, one_per_second_latest", True)
    assert [(each["venue"], each["usd"], each["count"]) for each in json.loads(both["by_venue"])] == [
        ("binance", 1_500_000, 5), ("bybit", 2_000_000, 20),
    ]  # fmt: skip
    assert (alone["usd"], alone["completeness"], alone["lower_bound"]) == (2_000_000, "all", False)


def test_two_bursts_with_a_silence_between_are_two_cascades(warehouse: Lake) -> None:
    put(warehouse, *burst(each=100_000), *burst(9.5 + RULE.gap_s + 0.001, each=100_000))
    run(warehouse)
    assert len(stored(warehouse)) == 2


def test_ordinary_liquidations_around_it_do_not_belong_to_it(warehouse: Lake) -> None:
    put(warehouse, *burst(each=200_000), *(liquidation(2.5 * n - 600, 3_000) for n in range(480)))
    run(warehouse, since=-7200)
    (found,) = stored(warehouse)
    assert (found["ts_start"], found["ts_end"]) == (NOON, after(9.5))


@pytest.mark.parametrize("cut", [-5, 0, 0.25, 5, 9.5, 12, 30])
def test_a_cascade_over_the_edge_of_a_window_is_found_whole_and_once(warehouse: Lake, cut: float) -> None:
    put(warehouse, *burst(each=100_000), *burst(300, each=100_000))
    assert run(warehouse, since=-3600, until=cut).gone == 0
    run(warehouse, since=cut)
    assert [(row["ts_start"], row["ts_end"]) for row in stored(warehouse)] == [
        (NOON, after(9.5)), (after(300), after(309.5)),
    ]  # fmt: skip


def test_a_coin_that_was_not_silent_for_hours_is_read_as_far_back_as_it_takes(warehouse: Lake) -> None:
    put(warehouse, *(liquidation(9 * n - 20_000, 2_000_000 if n < 5 else 10_000) for n in range(2300)))
    run(warehouse, since=-19_990, until=-19_985)
    whole = stored(warehouse)
    assert run(warehouse, since=0, until=10) == (2, 0, 0, 2)
    assert len(whole) == 1
    assert (whole[0]["count"], whole[0]["ts_start"]) == (5, after(-20_000))


def test_running_it_again_changes_nothing(warehouse: Lake) -> None:
    put(warehouse, *burst(each=100_000))
    first, second = run(warehouse), run(warehouse)
    assert (first.stored, second) == (2, (2, 0, 0, 2))


def test_a_late_row_that_extends_a_cascade_leaves_nothing_of_the_old_one(warehouse: Lake) -> None:
    put(warehouse, *burst(each=100_000))
    run(warehouse)
    put(warehouse, liquidation(-4, 500_000), liquidation(12, 500_000))
    assert run(warehouse, since=5, until=6).gone == 2
    (found,) = stored(warehouse)
    assert (found["ts_start"], found["ts_end"], found["usd"]) == (after(-4), after(12), 3_000_000)


def test_a_cascade_whose_rows_are_gone_goes_and_what_is_left_of_it_is_looked_at(warehouse: Lake) -> None:
    put(warehouse, *burst(-400, number=60, each=200_000, every=10))
    run(warehouse)
    warehouse.connection.execute("DELETE FROM liquidations WHERE ts_event BETWEEN ? AND ?", [after(-200), after(100)])
    run(warehouse, since=0, until=1)
    assert [(row["ts_start"], row["ts_end"]) for row in stored(warehouse)] == [
        (after(-400), after(-210)), (after(110), after(190)),
    ]  # fmt: skip
    warehouse.connection.execute("DELETE FROM liquidations")
    run(warehouse, since=-600)
    assert stored(warehouse) == []


def test_a_cascade_that_may_go_on_is_not_closed(warehouse: Lake) -> None:
    put(warehouse, *burst(each=100_000))
    run(warehouse, now=after(12))
    assert [row["closed"] for row in stored(warehouse)] == [False]
    run(warehouse)
    assert [row["closed"] for row in stored(warehouse)] == [True]


def test_three_coins_at_once_are_market_wide_also_where_the_third_comes_late(warehouse: Lake) -> None:
    put(warehouse, *burst(each=100_000), *burst(5, each=100_000, base="ETH"), *burst(900, each=100_000, base="SOL"))
    run(warehouse)
    assert {row["base"]: (row["coins_at_once"], row["market_wide"]) for row in stored(warehouse)} == {
        "BTC": (2, False), "ETH": (2, False), "SOL": (1, False),
    }  # fmt: skip
    put(warehouse, *burst(15, number=15, each=200_000, base="XRP"))
    run(warehouse, since=15, until=16)
    assert {row["base"]: (row["coins_at_once"], row["market_wide"]) for row in stored(warehouse)} == {
        "BTC": (3, True), "ETH": (3, True), "XRP": (3, True), "SOL": (1, False),
    }  # fmt: skip
