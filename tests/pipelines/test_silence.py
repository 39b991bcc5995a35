"""The states of feed_coverage: a liquidation channel that says nothing, judged by its past, by others and by prices."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from collectors.simulator.contracts import COINS
from collectors.simulator.listing import listed
from collectors.simulator.market import Market
from collectors.simulator.script import Phases
from pipelines.derive.coverage.cover import cover
from pipelines.derive.coverage.silence_rules import RULE, keep
from pipelines.errors import UsageError
from tests.pipelines.heard import TEN, at, brings, commit, event, heard, liquidation
from warehouse import lake
from warehouse.lake import Lake

FEEDS = {
    "binance": ("um", "forceOrder"),
    "bybit": ("linear", "allLiquidation"),
    "okx": ("public", "liquidation-orders"),
}
CLASSES = {"binance": "one_per_second_disputed", "bybit": "all", "okx": "partial"}
MINUTE = timedelta(minutes=1)

Happened = list[tuple[str, str, float]]
"""Venue, coin and minute after ten o'clock of liquidations."""


@pytest.fixture
def warehouse(fresh_world: Path) -> Iterator[Lake]:
    with lake.open(fresh_world, read_only=False) as opened:
        yield opened


@pytest.fixture(scope="module")
def lively() -> Happened:
    """Half an hour of the market that `liq demo` simulates, before and after its cascade."""
    market = Market(7, listed([coin.name for coin in COINS], 0), Phases(calm_s=3600), 0)
    return [(one.contract.venue, one.contract.coin.name, one.ts / 60_000) for one in market.advance(30 * 60_000)]


def _session(venue: str) -> str:
    return f"{venue}-{FEEDS[venue][0]}-18f00-aa01"


def _listen(warehouse: Lake, venues: Iterable[str] = FEEDS) -> None:
    """Subscribe to each venue's liquidations at ten o'clock."""
    told = [event(_session(each), "subscribed", at(0), channels=brings(FEEDS[each][1])) for each in venues]
    commit(warehouse, at(0), collector_events=told)


def _hear(warehouse: Lake, first: int, last: int, happened: Happened, venues: Iterable[str] = FEEDS) -> None:
    """Let the sockets tick in the minutes [first, last), bring what happened, and cover them."""
    rows: list[dict[str, Any]] = [
        liquidation(venue, f"{coin}USDT", at(when), CLASSES[venue], base=coin)
        for venue, coin, when in happened
        if first <= when < last
    ]
    signs = [heard(_session(venue), at(first), at(last)) for venue in venues]
    commit(warehouse, at(last), signs, liquidations=rows)
    cover(warehouse, at(last) + timedelta(seconds=10))


def _states(warehouse: Lake, venue: str) -> dict[int, str]:
    rows = warehouse.connection.execute(
        "SELECT minute, state FROM feed_coverage WHERE venue = ? AND topic = 'raw.liquidation' ORDER BY minute", [venue]
    ).fetchall()
    return {(minute - TEN) // MINUTE: state for minute, state in rows}


def _reason(warehouse: Lake, venue: str, minute: int) -> Any:
    return warehouse.connection.execute(
        "SELECT state_reason FROM feed_coverage WHERE venue = ? AND minute = ?", [venue, at(minute)]
    ).fetchone()[0]  # type: ignore[index]


def _without(happened: Happened, venue: str, first: float, last: float = float("inf")) -> Happened:
    return [one for one in happened if one[0] != venue or not first <= one[2] < last]


def test_a_channel_that_stops_while_its_siblings_liquidate_is_suspect_within_ten_minutes_and_later_silent(
    warehouse: Lake, lively: Happened
) -> None:
    _listen(warehouse)
    dead = _without(lively, "binance", 12.5)
    _hear(warehouse, 0, 12, dead)
    assert set(_states(warehouse, "binance").values()) == {"LIVE"}
    for minute in range(12, 30):
        _hear(warehouse, minute, minute + 1, dead)
        if _states(warehouse, "binance")[minute] == "SUSPECT":
            break
    assert minute + 1 - 12.5 <= 8, "a minute is looked at up to two minutes after it began"
    states = _states(warehouse, "binance")
    assert [n for n, state in states.items() if state != "LIVE"] == list(range(12, minute + 1))
    assert states[12] == "SUSPECT", "the channel may have died within the minute of its last liquidation"
    assert {"LIVE"} == {*_states(warehouse, "bybit").values(), *_states(warehouse, "okx").values()}
    reason = _reason(warehouse, "binance", minute)
    assert reason.startswith("no liquidation since 2026-10-10 10:13; ")
    assert "others brought: bybit allLiquidation" in reason
    _hear(warehouse, minute + 1, 30, dead)
    states = _states(warehouse, "binance")
    assert {n for n, state in states.items() if state == "SILENT"} == set(range(12, 30))
    assert {"LIVE"} == {*_states(warehouse, "bybit").values(), *_states(warehouse, "okx").values()}


def test_a_channel_that_never_brought_anything_is_suspect_within_ten_minutes(warehouse: Lake, lively: Happened) -> None:
    _listen(warehouse)
    _hear(warehouse, 0, 9, _without(lively, "okx", 0))
    assert set(_states(warehouse, "okx").values()) == {"SUSPECT"}
    assert _reason(warehouse, "okx", 8).startswith("no liquidation was ever heard, since 2026-10-10 10:00; ")


@pytest.mark.parametrize("wrong_s", [3600, -3600])
def test_rows_that_come_late_are_counted_though_the_clock_of_ingest_was_wrong_for_one_commit(
    warehouse: Lake, wrong_s: int
) -> None:
    _listen(warehouse, ["okx"])
    signs = [heard(_session("okx"), at(0), at(5))]
    commit(warehouse, at(5), signs)
    wrong, late = liquidation("okx", "BTCUSDT", at(1), "partial"), liquidation("okx", "BTCUSDT", at(2), "partial")
    commit(warehouse, at(5) + timedelta(seconds=wrong_s), liquidations=[wrong])
    cover(warehouse, at(6))
    commit(warehouse, at(7), [heard(_session("okx"), at(5), at(7))], liquidations=[late])
    cover(warehouse, at(8))
    counted = "SELECT minute FROM feed_coverage WHERE venue = 'okx' AND topic = 'raw.liquidation' AND rows = 1 ORDER BY minute"
    assert warehouse.connection.execute(counted).fetchall() == [(at(1),), (at(2),)]


def test_where_all_venues_are_quiet_no_channel_is_suspect(warehouse: Lake, lively: Happened) -> None:
    _listen(warehouse)
    _hear(warehouse, 0, 10, lively)
    _hear(warehouse, 10, 30, [one for number, one in enumerate(lively) if number % 20 == 0])
    assert {state for venue in FEEDS for state in _states(warehouse, venue).values()} == {"LIVE"}


def test_a_channel_heard_again_is_live_and_its_silence_stays_what_it_was(warehouse: Lake, lively: Happened) -> None:
    _listen(warehouse)
    for first, last in ((0, 10), (10, 16), (16, 24), (24, 30)):
        _hear(warehouse, first, last, _without(lively, "bybit", 10, 24.5))
    states = _states(warehouse, "bybit")
    assert {n for n, state in states.items() if state != "LIVE"} == set(range(9, 25)), "the minute it came back in too"
    assert {states[n] for n in range(9, 25)} <= {"SUSPECT", "SILENT"}
    before = warehouse.connection.execute("FROM feed_coverage ORDER BY ALL").fetchall()
    assert cover(warehouse, at(30) + timedelta(seconds=10), again=(at(0), at(30))) == 0
    warehouse.connection.execute("DELETE FROM feed_coverage WHERE minute = ?", [at(12)])
    assert cover(warehouse, at(30) + timedelta(seconds=10), again=(at(10), at(20))) == 3, "also where nothing is new"
    warehouse.connection.execute("DELETE FROM feed_coverage; DELETE FROM coverage_progress")
    cover(warehouse, at(30) + timedelta(seconds=10))
    assert warehouse.connection.execute("FROM feed_coverage ORDER BY ALL").fetchall() == before, (
        "all at once it is the same"
    )


def test_while_nobody_listens_a_channel_is_silent_with_the_reason_of_the_gap(warehouse: Lake, lively: Happened) -> None:
    _listen(warehouse)
    _hear(warehouse, 0, 5, lively)
    told = [event(_session("okx"), "stopped", at(5))]
    commit(warehouse, at(5), collector_events=told)
    _hear(warehouse, 5, 12, _without(lively, "okx", 5), ("binance", "bybit"))
    states = _states(warehouse, "okx")
    assert {states[n] for n in range(5)} == {"LIVE"}
    assert {states[n] for n in range(5, 12)} == {"SILENT"}
    assert _reason(warehouse, "okx", 9) == "stopped"


def test_a_late_liquidation_takes_the_suspicion_away(warehouse: Lake, lively: Happened) -> None:
    _listen(warehouse)
    _hear(warehouse, 0, 20, _without(lively, "bybit", 10, 20))
    assert _states(warehouse, "bybit")[15] != "LIVE"
    late = [one for one in lively if one[0] == "bybit" and 10 <= one[2] < 20]
    rows = [liquidation("bybit", f"{coin}USDT", at(when), "all", base=coin) for _, coin, when in late]
    commit(warehouse, at(21), [heard(_session("bybit"), at(10), at(20))], liquidations=rows)
    cover(warehouse, at(20) + timedelta(seconds=10))
    assert set(_states(warehouse, "bybit").values()) == {"LIVE"}


def test_a_rule_is_stored_once_and_never_with_other_numbers(warehouse: Lake) -> None:
    keep(warehouse, RULE)
    keep(warehouse, RULE)
    assert warehouse.connection.execute("SELECT rule_version FROM silence_rules").fetchall() == [("v1",)]
    with pytest.raises(UsageError, match="a changed rule is a new version"):
        keep(warehouse, RULE._replace(dispersion=2.0))
