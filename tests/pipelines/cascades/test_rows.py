"""Cascades on a real lake: what a row says of coverage, prices and the rule."""

from typing import Any

import pytest

from pipelines.derive.bars.run import rollup
from pipelines.derive.cascades.inputs import require
from pipelines.derive.cascades.rules import RULE, keep
from pipelines.derive.cascades.run import detect, old_since
from pipelines.errors import UsageError
from tests.pipelines.cascade_rows import LATER, NOON, after, frame, liquidation, put, run, stored
from tests.pipelines.cascades.conftest import MINUTE, burst
from tests.pipelines.heard import brings, event
from warehouse.lake import Lake
from warehouse.writer import append, replace


def test_a_feed_that_was_away_makes_a_lower_bound(warehouse: Lake) -> None:
    put(warehouse, *burst(each=100_000))
    rows = [
        {"minute": NOON, "venue": venue, "channel": channel, "connected_share": share}
        for venue, channel, share in (("bybit", "allLiquidation", 0.5), ("bybit", "tickers", 0.0), ("okx", "x", 0.0))
    ]
    replace(warehouse, "feed_coverage", frame("feed_coverage", *rows), "FALSE")
    run(warehouse)
    assert [(row["coverage_share"], row["lower_bound"]) for row in stored(warehouse)] == [(0.5, True)]


def test_a_cascade_of_which_nothing_was_missed_was_heard_whole_though_its_minute_was_not(warehouse: Lake) -> None:
    """The collector began a second before it and was stopped a second after it, all in one minute."""
    put(warehouse, *burst(20, each=100_000))
    session = "bybit-public-1-aaaa"
    told = [
        event(session, "subscribed", after(19), channels=brings("allLiquidation")), event(session, "stopped", after(31)),
    ]  # fmt: skip
    append(warehouse, {"collector_events": frame("collector_events", *told)})
    row = {
        "minute": NOON,
        "venue": "bybit",
        "channel": "allLiquidation",
        "connected_share": 0.2,
        "gap_reason": "stopped",
    }
    replace(warehouse, "feed_coverage", frame("feed_coverage", row), "FALSE")
    run(warehouse)
    assert [(one["coverage_share"], one["lower_bound"]) for one in stored(warehouse)] == [(1.0, False)]


@pytest.mark.parametrize(
    ("state", "share", "lower_bound"), [("LIVE", 1, False), ("SUSPECT", 1, True), ("SILENT", 0, True)]
)
def test_a_feed_that_is_suspect_or_silent_makes_a_lower_bound(
    warehouse: Lake, state: str, share: float, lower_bound: bool
) -> None:
    put(warehouse, *burst(each=100_000))
    row = {"minute": NOON, "venue": "bybit", "channel": "allLiquidation", "connected_share": 1, "state": state}
    replace(warehouse, "feed_coverage", frame("feed_coverage", row), "FALSE")
    run(warehouse)
    assert [(one["coverage_share"], one["lower_bound"]) for one in stored(warehouse)] == [(share, lower_bound)]


def candle(minute: int, low: float, close: float, **other: Any) -> dict[str, Any]:
    return {
        "venue": "bybit", "symbol": "BTCUSDT", "base": "BTC", "ts_event": NOON + minute * MINUTE, "interval": "1m",
        "price_kind": "trade", "open": close, "high": close, "low": low, "close": close, "closed": True,
    } | other  # fmt: skip


def test_prices_are_those_of_the_minutes_before_during_and_an_hour_after(warehouse: Lake) -> None:
    put(warehouse, *burst(30, each=100_000, every=3))
    listed = {"venue": "bybit", "symbol": "BTCUSDT", "base": "BTC", "multiplier": 10, "valid_from": NOON}
    candles = [candle(-2, 1, 1), candle(-1, 900, 1000), candle(0, 800, 850), candle(1, 790, 880), candle(61, 900, 968),
               candle(1, 1, 1, closed=False), candle(0, 1, 1, price_kind="mark")]  # fmt: skip
    append(warehouse, {"klines": frame("klines", *candles), "instruments": frame("instruments", listed)})
    run(warehouse)
    (found,) = stored(warehouse)
    assert found["price_source"] == "klines bybit BTCUSDT"
    prices = [found[f"price_{name}"] for name in ("before", "extreme", "end", "1h")]
    assert prices == [100, 79, 88, 96.8]
    assert [found[name] for name in ("move", "move_extreme", "move_1h")] == pytest.approx([-0.12, -0.21, 0.1])


def test_marks_stand_in_for_candles_and_what_is_not_there_is_null(warehouse: Lake) -> None:
    put(warehouse, *burst(each=100_000), *burst(each=100_000, base="ETH"))
    marks = [
        {"venue": "bybit", "symbol": "BTCUSDT", "base": "BTC", "ts": at, "ts_event": at, "mark_price": price}
        for at, price in ((after(-30), 200.0), (after(20), 180.0), (after(5), 170.0))
    ]
    append(warehouse, {"mark_prices": frame("mark_prices", *marks)})
    run(warehouse)
    btc, eth = stored(warehouse)
    assert btc["price_source"] == "mark_prices bybit BTCUSDT"
    assert [btc[f"price_{name}"] for name in ("before", "extreme", "end", "1h")] == [200, 170, 180, None]
    assert (btc["move"], btc["move_1h"]) == (pytest.approx(-0.1), None)
    assert (eth["price_source"], eth["price_before"], eth["move"]) == (None, None, None)


def test_the_rule_is_stored_with_what_it_found_and_its_numbers_do_not_change(warehouse: Lake) -> None:
    put(warehouse, *burst(each=100_000))
    run(warehouse)
    rows = warehouse.connection.execute("SELECT rule_version, gap_s, min_usd, multiple FROM cascade_rules").fetchall()
    assert rows == [("v2", 180.0, 100_000.0, 10.0)]
    with pytest.raises(UsageError, match="new version"):
        keep(warehouse, RULE._replace(gap_s=11.0))
    strict = RULE._replace(rule_version="strict", min_usd_without_normal=1e9)
    assert detect(warehouse, after(-60), after(60), LATER, strict).found == 0
    assert len(stored(warehouse)) == 1, "another rule leaves what this one found"


@pytest.mark.parametrize(("number", "fitted"), [(49, False), (50, True), (1000, True), (1001, False)])
def test_too_few_and_too_many_liquidations_are_not_fitted(warehouse: Lake, number: int, fitted: bool) -> None:
    put(warehouse, *burst(number=number, each=50_000, every=0.2), liquidation(0, 1_000))
    run(warehouse, now=after(299 + 0.2 * (number - 1)))
    assert "less than 300 s" in stored(warehouse)[0]["branching_null_reason"]
    run(warehouse)
    (found,) = stored(warehouse)
    assert found["branching_instants"] == (number if fitted else None)
    assert found["branching_ratio"] is None
    assert run(warehouse).stored == 0


def test_a_silence_of_two_minutes_does_not_part_a_burst_and_one_beyond_the_gap_does(warehouse: Lake) -> None:
    put(warehouse, *burst(each=100_000), *burst(120, each=100_000), *burst(310, each=100_000))
    run(warehouse)
    assert [(row["ts_start"], row["ts_end"]) for row in stored(warehouse)] == [
        (NOON, after(129.5)), (after(310), after(319.5)),
    ]  # fmt: skip


def test_ordinary_liquidations_between_two_bursts_do_not_make_one_of_them(warehouse: Lake) -> None:
    trickle = [liquidation(9 * n + 15, 1_000) for n in range(60)]
    put(warehouse, *burst(each=100_000), *trickle, *burst(600, each=100_000))
    run(warehouse)
    assert [row["ts_start"] for row in stored(warehouse)] == [NOON, after(600)]


def test_a_cascade_takes_the_price_of_the_coins_best_other_contract_where_its_own_has_none(warehouse: Lake) -> None:
    put(warehouse, *burst(30, each=100_000, every=3))
    kinds = (("EXPIRY", "delivery", "USDT", 900), ("COIN", "perpetual", "ETH", 800), ("LARGE", "perpetual", "USDT", 70),
             ("SMALL", "perpetual", "USDT", 7))  # fmt: skip
    listed = [{"venue": "okx", "symbol": name, "base": "BTC", "quote": quote, "kind": kind, "multiplier": 1, "valid_from": NOON}
              for name, kind, quote, _ in kinds]  # fmt: skip
    candles = [
        candle(minute, 90, 100, venue="okx", symbol=name, volume_quote=turnover)
        for minute in (-1, 0, 1, 61)
        for name, _, _, turnover in kinds
    ]
    append(warehouse, {"klines": frame("klines", *candles), "instruments": frame("instruments", *listed)})
    run(warehouse)
    (found,) = stored(warehouse)
    assert (found["price_source"], found["price_before"], found["price_extreme"]) == ("klines okx LARGE", 100, 90)


def test_cascades_are_not_looked_for_where_what_is_normal_waits_for_a_rollup(warehouse: Lake) -> None:
    put(warehouse, *burst(-86_400, number=60, each=5_000, every=61), *burst())
    with pytest.raises(UsageError, match="liq rollup"):
        require(warehouse, after(-60), after(60), RULE)
    rollup(warehouse)
    require(warehouse, after(-60), after(60), RULE)
    put(warehouse, liquidation(-90_000, 5_000))
    with pytest.raises(UsageError, match="liq rollup"):
        require(warehouse, after(-60), after(60), RULE)


def test_cascades_of_an_older_rule_are_found_again_by_the_rule_in_use(warehouse: Lake) -> None:
    assert old_since(warehouse, LATER, RULE) is None
    put(warehouse, *burst(each=100_000))
    older = RULE._replace(rule_version="older", gap_s=10.0)
    detect(warehouse, after(-60), after(60), LATER, older)
    assert old_since(warehouse, LATER, RULE) == NOON
    run(warehouse)
    assert old_since(warehouse, LATER, RULE) is None
