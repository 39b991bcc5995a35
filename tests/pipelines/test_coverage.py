"""feed_coverage: what was heard of each feed, from what collectors told and what came."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipelines.derive.coverage.cover import cover, cover_to_the_end
from pipelines.venues import PUSHED, VENUES, Venue
from tests.pipelines.heard import TEN, at, brings, commit, event, frame, heard, liquidation
from warehouse import lake
from warehouse.lake import Lake

OKX, NEXT = "okx-public-18f00-aa01", "okx-public-18f10-aa02"
LINEAR, INVERSE = "bybit-linear-18f00-bb01", "bybit-inverse-18f00-bb02"
REST = "okx-rest-18f00-cc01"
CHANNEL = "liquidation-orders"


@pytest.fixture
def warehouse(fresh_world: Path) -> Iterator[Lake]:
    with lake.open(fresh_world, read_only=False) as opened:
        yield opened


def _shares(warehouse: Lake, channel: str = CHANNEL) -> dict[float, tuple[float, str | None]]:
    rows = warehouse.connection.execute(
        "SELECT minute, connected_share, gap_reason FROM feed_coverage WHERE channel = ? ORDER BY minute", [channel]
    ).fetchall()
    return {(minute - TEN) / timedelta(minutes=1): (round(share, 6), reason) for minute, share, reason in rows}


def _cover(warehouse: Lake, minute: float) -> int:
    return cover(warehouse, at(minute) + timedelta(seconds=10))


def _row(warehouse: Lake, minute: float, *columns: str) -> Any:
    return warehouse.connection.execute(
        f"SELECT {', '.join(columns)} FROM feed_coverage WHERE minute = ?", [at(minute)]
    ).fetchone()


def _subscribed(session: str, ts: datetime, arguments: int = 1, channel: str = CHANNEL) -> dict[str, Any]:
    return event(session, "subscribed", ts, channels=brings(channel, arguments=arguments))


def test_a_socket_listens_from_subscribed_until_it_is_stopped_and_then_nobody_does(warehouse: Lake) -> None:
    told = [event(OKX, "connected", at(0)), _subscribed(OKX, at(0.5)), event(OKX, "stopped", at(3.25))]
    commit(warehouse, at(4), [heard(OKX, at(0.5), at(3))], collector_events=told)
    _cover(warehouse, 6)
    assert _shares(warehouse) == {
        0: (0.5, "collection began"), 1: (1, None), 2: (1, None), 3: (0.25, "stopped"), 4: (0, "stopped"), 5: (0, "stopped")
    }  # fmt: skip


def test_where_every_feed_has_stopped_the_running_minute_is_told_and_stays_as_it_was(warehouse: Lake) -> None:
    told = [_subscribed(OKX, at(0.5)), event(OKX, "stopped", at(1.25))]
    commit(warehouse, at(1.5), [heard(OKX, at(0.5), at(1))], collector_events=told)
    assert _cover(warehouse, 1) == 1
    assert cover_to_the_end(warehouse, at(1.5)) == 1
    assert _shares(warehouse) == {0: (0.5, "collection began"), 1: (0.25, "stopped")}
    assert _cover(warehouse, 1) == 0
    assert _cover(warehouse, 3) == 1
    assert _shares(warehouse)[1] == (0.25, "stopped")
    commit(warehouse, at(3), [heard(NEXT, at(1.5), at(3))], collector_events=[_subscribed(NEXT, at(1.5))])
    _cover(warehouse, 3)
    assert _shares(warehouse)[1] == (0.75, "stopped"), "one that began in that minute is seen when it is committed"


def test_a_killed_collector_listened_until_its_last_frame(warehouse: Lake) -> None:
    commit(warehouse, at(4), [heard(OKX, at(0), at(2.5))], collector_events=[_subscribed(OKX, at(0))])
    _cover(warehouse, 4)
    assert _shares(warehouse) == {
        0: (1, None), 1: (1, None), 2: (0.5, "no sign after that"), 3: (0, "no sign after that")
    }  # fmt: skip


def test_a_dead_line_did_not_listen_while_nobody_had_noticed(warehouse: Lake) -> None:
    told = [
        _subscribed(OKX, at(0)),
        event(OKX, "silent", at(2), "no mark-price for 30 s"),
        event(OKX, "disconnected", at(2), "SilentError"),
        _subscribed(NEXT, at(2.75)),
    ]
    commit(warehouse, at(4), [heard(OKX, at(0), at(1.5)), heard(NEXT, at(2.75), at(4))], collector_events=told)
    _cover(warehouse, 4)
    why = "silent: no mark-price for 30 s"
    assert _shares(warehouse) == {0: (1, None), 1: (0.5, why), 2: (0.25, why), 3: (1, None)}


def test_where_one_of_two_collectors_listens_there_is_no_gap(warehouse: Lake) -> None:
    told = [
        _subscribed(OKX, at(0)), event(OKX, "disconnected", at(1.5), "reset"), _subscribed(NEXT, at(1)),
        event(NEXT, "stopped", at(4)),
    ]  # fmt: skip
    commit(warehouse, at(4), [heard(OKX, at(0), at(1.5)), heard(NEXT, at(1), at(4))], collector_events=told)
    _cover(warehouse, 4)
    assert _shares(warehouse) == {0: (1, None), 1: (1, None), 2: (1, None), 3: (1, None)}


def test_of_a_channel_on_two_sockets_the_share_is_that_of_the_contracts(warehouse: Lake) -> None:
    told = [
        _subscribed(LINEAR, at(0), 300, "allLiquidation"), _subscribed(INVERSE, at(0), 100, "allLiquidation"),
        event(LINEAR, "disconnected", at(2), "reset"), _subscribed("bybit-linear-18f10-bb03", at(3), 300, "allLiquidation"),
    ]  # fmt: skip
    signs = [
        heard(LINEAR, at(0), at(2)), heard(INVERSE, at(0), at(4)), heard("bybit-linear-18f10-bb03", at(3), at(4))
    ]  # fmt: skip
    commit(warehouse, at(4), signs, collector_events=told)
    _cover(warehouse, 4)
    assert _shares(warehouse, "allLiquidation") == {
        0: (1, None), 1: (1, None), 2: (0.25, "disconnected: reset"), 3: (1, None)
    }  # fmt: skip


def test_a_socket_is_missed_after_it_failed_though_another_beside_it_was_given_up_before(warehouse: Lake) -> None:
    beside, following = "bybit-linear-18f05-bb04", "bybit-linear-18f10-bb03"
    told = [
        _subscribed(LINEAR, at(0), 300, "allLiquidation"), _subscribed(INVERSE, at(0), 100, "allLiquidation"),
        _subscribed(beside, at(0.5), 300, "allLiquidation"), event(beside, "stopped", at(1)),
        event(LINEAR, "disconnected", at(2), "reset"), _subscribed(following, at(3), 300, "allLiquidation"),
    ]  # fmt: skip
    signs = [heard(LINEAR, at(0), at(2)), heard(INVERSE, at(0), at(4)), heard(following, at(3), at(4))]
    commit(warehouse, at(4), signs, collector_events=told)
    _cover(warehouse, 4)
    assert _shares(warehouse, "allLiquidation")[2] == (0.25, "disconnected: reset")


def test_what_a_silent_socket_had_subscribed_does_not_change_what_the_feed_brings(warehouse: Lake) -> None:
    told = [
        _subscribed(LINEAR, at(0), 300, "allLiquidation"), _subscribed(INVERSE, at(0), 100, "allLiquidation"),
        event(LINEAR, "silent", at(2), "no tickers for 20 s", channels=brings("allLiquidation", arguments=1)),
        event(LINEAR, "disconnected", at(2), "silent"),
    ]  # fmt: skip
    commit(warehouse, at(4), [heard(LINEAR, at(0), at(2)), heard(INVERSE, at(0), at(4))], collector_events=told)
    _cover(warehouse, 4)
    assert _shares(warehouse, "allLiquidation")[3] == (0.25, "silent: no tickers for 20 s")


def test_a_socket_that_was_given_up_in_good_order_is_not_missed(warehouse: Lake) -> None:
    told = [
        _subscribed(LINEAR, at(0), 300, "allLiquidation"), _subscribed(INVERSE, at(0), 100, "allLiquidation"),
        event(INVERSE, "stopped", at(1.5)),
    ]  # fmt: skip
    commit(warehouse, at(4), [heard(LINEAR, at(0), at(4)), heard(INVERSE, at(0), at(1))], collector_events=told)
    _cover(warehouse, 4)
    assert set(_shares(warehouse, "allLiquidation").values()) == {(1, None)}


def test_polls_that_pause_or_fail_are_gaps_until_the_next_answer(warehouse: Lake) -> None:
    told = [
        event(REST, "started", at(0), channels=brings("open-interest", "instruments", topic="raw.reference")),
        event(REST, "poll_failed", at(1), "timeout", channel="instruments", symbol="*"),
        event(REST, "poll_failed", at(1), "timeout", channel="open-interest", symbol="BTC-USDT-SWAP"),
        event(REST, "poll_stopped", at(3), "429"), event(REST, "resumed", at(4)), event(REST, "stopped", at(5)),
    ]  # fmt: skip
    answers = [frame(REST, "instruments", at(minute)) for minute in (0.2, 2.5, 4.5)]
    commit(warehouse, at(6), collector_events=told, raw_frames=answers)
    _cover(warehouse, 5)
    failed, paused = (0, "poll failed: timeout"), (0, "polls stopped: 429")
    assert _shares(warehouse, "instruments") == {
        0: (1, None), 1: failed, 2: (0.5, "poll failed: timeout"), 3: paused, 4: (1, None)
    }  # fmt: skip
    assert _shares(warehouse, "open-interest") == {0: (1, None), 1: (1, None), 2: (1, None), 3: paused, 4: (1, None)}
    assert warehouse.connection.execute(
        "SELECT minute, frames FROM feed_coverage WHERE channel = 'instruments' AND frames > 0 ORDER BY minute"
    ).fetchall() == [(at(0), 1), (at(2), 1), (at(4), 1)]


def test_an_absence_becomes_rows_for_seven_days_and_again_when_the_feed_is_back(warehouse: Lake) -> None:
    week = 7 * 24 * 60
    told = [_subscribed(OKX, at(0)), event(OKX, "stopped", at(1)), _subscribed(NEXT, at(2 * week))]
    signs = [heard(OKX, at(0), at(1)), heard(NEXT, at(2 * week), at(2 * week + 1))]
    commit(warehouse, at(2 * week + 1), signs, collector_events=told)
    _cover(warehouse, 2 * week + 1)
    shares = _shares(warehouse)
    assert max(minute for minute, (share, _) in shares.items() if share == 0) == week
    assert shares[2 * week] == (1, None)
    assert len(shares) == week + 2


def test_backfills_and_imports_are_no_feed_and_repair_gaps(warehouse: Lake) -> None:
    told = [
        _subscribed(OKX, at(0)), event(OKX, "stopped", at(1)), event("okx-import-18f00-dd01", "started", at(2), files=1),
        event("okx-import-18f00-dd01", "stopped", at(3)),
    ]  # fmt: skip
    rows = [liquidation("okx", "A", at(minute), "one_per_second", "import") for minute in (0.5, 1.5)]
    commit(warehouse, at(4), [heard(OKX, at(0), at(1))], collector_events=told, liquidations=rows)
    _cover(warehouse, 4)
    assert warehouse.connection.execute(
        "SELECT channel, minute, repaired, rows FROM feed_coverage ORDER BY minute"
    ).fetchall() == [
        (CHANNEL, at(0), None, 0), (CHANNEL, at(1), True, 0), (CHANNEL, at(2), False, 0), (CHANNEL, at(3), False, 0)
    ]  # fmt: skip


def test_which_channels_carry_liquidations_their_venue_says_and_neither_the_topic_nor_the_name(warehouse: Lake) -> None:
    channels = brings(CHANNEL, topic="raw.funding") + brings("forceOrder")
    told = [event(OKX, "subscribed", at(0), channels=channels)]
    commit(warehouse, at(2), [heard(OKX, at(0), at(2))], collector_events=told)
    _cover(warehouse, 2)
    found = "SELECT DISTINCT channel, carries_liquidations, state FROM feed_coverage ORDER BY ALL"
    assert warehouse.connection.execute(found).fetchall() == [
        ("forceOrder", False, None), (CHANNEL, True, "LIVE")
    ]  # fmt: skip


@pytest.mark.parametrize("venue", VENUES.values(), ids=lambda venue: venue.name)
def test_a_venues_liquidations_are_counted_by_one_channel_and_by_none_that_is_asked_for(venue: Venue) -> None:
    counted: dict[str, set[str]] = {}
    for rule in (rule for rule in PUSHED if rule.venue == venue.name):
        assert ("rest", rule.channel) not in venue.parsers or ("ws", rule.channel) in venue.parsers, rule
        counted.setdefault(rule.completeness, set()).add(rule.channel)
    forms_of_one_file = {"node_fills", "node_fills_by_block"}
    assert all(len(channels - forms_of_one_file) <= 1 for channels in counted.values())


def test_seconds_beside_each_other_of_one_contract_are_saturated_on_a_throttled_feed(warehouse: Lake) -> None:
    second = 1 / 60
    rows = [
        *(liquidation("okx", "A", at(n * second), "one_per_second") for n in (0, 1, 1, 5, 59, 60)),
        *(liquidation("okx", "B", at(n * second), "one_per_second") for n in (2, 4)),
        *(liquidation("bybit", "A", at(n * second), "all") for n in (0, 1)),
    ]  # fmt: skip
    told = [_subscribed(OKX, at(0)), _subscribed(LINEAR, at(0), 1, "allLiquidation")]
    commit(warehouse, at(2), [heard(OKX, at(0), at(2)), heard(LINEAR, at(0), at(2))], collector_events=told,
           liquidations=rows)  # fmt: skip
    _cover(warehouse, 2)
    assert warehouse.connection.execute(
        "SELECT venue, minute, rows, contract_seconds, saturated_seconds FROM feed_coverage ORDER BY venue, minute"
    ).fetchall() == [
        ("bybit", at(0), 2, 2, 0), ("bybit", at(1), 0, 0, 0), ("okx", at(0), 7, 6, 3), ("okx", at(1), 1, 1, 1)
    ]  # fmt: skip


def test_a_second_run_writes_nothing_and_a_late_row_only_its_minute(warehouse: Lake) -> None:
    commit(warehouse, at(60), [heard(OKX, at(0), at(60))], collector_events=[_subscribed(OKX, at(0))])
    assert _cover(warehouse, 60) == 60
    assert _cover(warehouse, 60) == 0
    commit(warehouse, at(61), [heard(OKX, at(60), at(61))])
    assert _cover(warehouse, 61) == 1
    commit(warehouse, at(62), [heard(OKX, at(61), at(62))],
           liquidations=[liquidation("okx", "A", at(10.5), "one_per_second")])  # fmt: skip
    assert _cover(warehouse, 61) == 1
    assert _row(warehouse, 10, "rows", "contract_seconds") == (1, 1)


def test_minutes_that_came_late_fill_the_gap_they_left_in_any_order_of_commits(warehouse: Lake) -> None:
    parts: list[tuple[list[dict[str, Any]], list[dict[str, Any]]]] = [
        ([heard(OKX, at(0), at(5))], [_subscribed(OKX, at(0))]),
        ([heard(OKX, at(5), at(8))], []),
        ([], [event(OKX, "stopped", at(8.5))]),
        ([heard(NEXT, at(12), at(20))], [_subscribed(NEXT, at(12))]),
    ]  # fmt: skip
    for number, (signs, told) in enumerate(reversed(parts)):
        commit(warehouse, at(30 + 10 * number), signs, collector_events=told)
        _cover(warehouse, 30 + 10 * number)
    found = _shares(warehouse)
    whole = {minute: value for minute, value in found.items() if value[0] == 1}
    assert list(whole) == [*range(8), *range(12, 20)]
    assert found[8] == (0.5, "stopped")
    assert found[11] == (0, "stopped")
    assert found[20] == (0, "no sign after that")
    warehouse.connection.execute("DELETE FROM coverage_progress")
    assert _cover(warehouse, 60) == 0, "computed all at once it is the same"


def test_what_a_log_of_kafka_may_have_lost_is_a_gap_of_its_topic_also_when_it_is_noticed_later(warehouse: Lake) -> None:
    channels = [*brings(CHANNEL), *brings("mark-price", topic="raw.ticker")]
    told = [event(OKX, "subscribed", at(0), channels=channels), event(OKX, "stopped", at(5))]
    commit(warehouse, at(6), [heard(OKX, at(0), at(5))], collector_events=told)
    _cover(warehouse, 7)
    assert _shares(warehouse)[2] == (1, None)
    nanoseconds = [int((at(minute) - datetime(1970, 1, 1)).total_seconds()) * 10**9 for minute in (2.5, 3.5)]  # noqa: DTZ001
    detail = {"topic": "raw.liquidation", "since_ns": nanoseconds[0], "until_ns": nanoseconds[1]}
    changed = event("ingest", "log_changed", at(7), "the log lost its tail", **detail)
    own = {"venue": "", "transport": "kafka", "kafka_topic": "raw.liquidation"}
    commit(warehouse, at(7.5), [], collector_events=[changed | own])
    _cover(warehouse, 8)
    lost = (0.5, "Kafka: the log lost its tail")
    assert {minute: share for minute, share in _shares(warehouse).items() if minute < 5} == {
        0: (1, None), 1: (1, None), 2: lost, 3: lost, 4: (1, None)
    }  # fmt: skip
    assert _shares(warehouse, "mark-price")[2] == (1, None)
