"""Who collects, by sign of life, and how old the data of each channel is."""

from pipelines.status import feeds, sessions
from pipelines.status.kafka import Kafka, Lag
from tests.pipelines.heard import at, brings, commit, event, frame, heard, table
from tests.pipelines.status.looked import (
    AWAY,
    CAUGHT_UP,
    LIQUIDATIONS,
    REST,
    WS,
    alive,
    ms,
    only,
    polled,
    seen,
    started,
)
from warehouse.lake import Lake
from warehouse.writer import replace


def test_a_collector_that_shows_signs_lives(warehouse: Lake) -> None:
    started(warehouse)
    alive(warehouse, 2)
    found = only(list(sessions.collectors(seen(warehouse, 3))))
    assert (found.subject, found.state, found.said) == ("collector binance", "good", "2 sessions live")


def test_six_minutes_after_the_only_collector_was_killed_status_says_so(warehouse: Lake) -> None:
    started(warehouse)
    alive(warehouse, 2)
    found = only(list(sessions.collectors(seen(warehouse, 8))))
    assert found.state == "needs you"
    assert found.said.startswith("no session lives; the last sign was 6 min 0 s ago, without an end: it was killed")
    assert "liq collect binance" in found.mend
    assert [feed for feed in sessions.feeds(seen(warehouse, 8)) if feed.lives(at(8))] == []


def test_a_collector_that_was_stopped_in_good_order_is_told_of_as_such(warehouse: Lake) -> None:
    started(warehouse)
    commit(warehouse, at(2), collector_events=[event(WS, "stopped", at(2)), event(REST, "stopped", at(2))])
    found = only(list(sessions.collectors(seen(warehouse, 5))))
    assert (found.state, found.said) == ("needs you", "was stopped 3 min 0 s ago")


def test_a_killed_session_that_another_has_taken_over_needs_nobody(warehouse: Lake) -> None:
    started(warehouse)
    alive(warehouse, 2)
    again = [event(WS.replace("aa01", "bb01"), "alive", at(5)), event(REST.replace("aa02", "bb02"), "alive", at(5))]
    commit(warehouse, at(5), collector_events=again)
    assert only(list(sessions.collectors(seen(warehouse, 6)))).state == "good"


def test_a_socket_that_does_not_come_back_beside_a_living_poller_is_named_with_its_reason(warehouse: Lake) -> None:
    started(warehouse)
    commit(warehouse, at(1), collector_events=[event(WS, "disconnected", at(1), "closed by the venue: 1001")])
    commit(warehouse, at(5), collector_events=[event(REST, "alive", at(5))])
    found = only(list(sessions.collectors(seen(warehouse, 5.5))))
    assert found.state == "needs you"
    assert found.said == "1 sessions live; not um-market for 4 min 30 s (closed by the venue: 1001)"


def test_where_ingest_is_behind_or_kafka_away_who_lives_is_unknown(warehouse: Lake) -> None:
    started(warehouse)
    late = Kafka("here", [Lag("collector.events", 10, 5, ms(2))])
    assert only(list(sessions.collectors(seen(warehouse, 8, late)))).state == "unknown"
    assert only(list(sessions.collectors(seen(warehouse, 8, AWAY)))).state == "unknown"
    assert only(list(sessions.collectors(seen(warehouse, 0.5, AWAY)))).state == "good", "the last commit is fresh"


def test_where_nobody_has_collected_for_a_day_that_needs_somebody(warehouse: Lake) -> None:
    assert only(list(sessions.collectors(seen(warehouse, 0)))).said == "no collector has run for a day"


def test_a_backfill_is_no_collector(warehouse: Lake) -> None:
    commit(warehouse, at(0), collector_events=[event("binance-backfill-18f00-aa01", "started", at(0))])
    assert only(list(sessions.collectors(seen(warehouse, 1)))).said == "no collector has run for a day"


def test_data_that_is_older_than_expected_is_named_by_its_channel(warehouse: Lake) -> None:
    started(warehouse)
    alive(warehouse, 2)
    assert only(list(feeds.ages(seen(warehouse, 3)))).state == "good"
    events = [event(WS, "alive", at(9)), event(REST, "alive", at(9))]
    commit(warehouse, at(9), [heard(WS, at(9), at(9))], collector_events=events)
    found = only(list(feeds.ages(seen(warehouse, 9.5))))
    assert found.state == "needs you"
    assert found.said == "um_openInterest (rest): 7 min 30 s ago, expected within 4 min 10 s"
    commit(warehouse, at(10), raw_frames=[polled(at(9.9))], collector_events=[event(WS, "alive", at(10))])
    found = only(list(feeds.ages(seen(warehouse, 10.5))))
    assert (found.state, found.subject) == ("good", "data binance")


def test_a_channel_that_never_brought_anything_is_as_old_as_its_subscription(warehouse: Lake) -> None:
    started(warehouse)
    told = [event(WS, "alive", at(9)), event(REST, "alive", at(9))]
    commit(warehouse, at(9), collector_events=told, raw_frames=[polled(at(9.5))])
    found = only(list(feeds.ages(seen(warehouse, 10))))
    assert found.state == "needs you"
    assert "markPrice@1s (ws): nothing since its start 10 min 0 s ago, expected within 2 min 10 s" in found.said
    assert LIQUIDATIONS not in found.said, "when the next liquidation comes nobody knows"


def test_how_old_data_is_is_unknown_while_ingest_is_behind(warehouse: Lake) -> None:
    started(warehouse)
    late = CAUGHT_UP._replace(lags=[Lag("raw.liquidation", 10, 5, ms(2))])
    assert only(list(feeds.ages(seen(warehouse, 8, late)))).state == "unknown"


def test_an_open_gap_is_told_with_its_reason_and_a_short_or_closed_one_is_not(warehouse: Lake) -> None:
    rows = [
        *(_minute("open", n, share) for n, share in enumerate((1, 0.5, 0, 0, 0))),
        *(_minute("closed", n, share) for n, share in enumerate((1, 0, 0, 0, 1))),
        *(_minute("short", n, share) for n, share in enumerate((1, 1, 1, 1, 0.9))),
    ]
    commit(warehouse, at(6), feed_coverage=rows, raw_frames=[frame("okx-public-18f00-aa01", "open", at(0))])
    assert only(list(feeds.gaps(seen(warehouse, 6)))).said == "feed_coverage was never computed"
    _covered(warehouse, 5)
    found = only(list(feeds.gaps(seen(warehouse, 6))))
    assert (found.subject, found.state) == ("gap okx", "needs you")
    assert found.said == "1 channels not fully heard for 5 min 0 s, such as open: disconnected: connection lost"
    assert only(list(feeds.gaps(seen(warehouse, 3)))).state == "good"
    stale = only(list(feeds.gaps(seen(warehouse, 11))))
    assert (stale.state, stale.said) == ("unknown", "feed_coverage is computed only until 10:05, 6 min 0 s ago")


def test_a_liquidation_feed_that_is_silent_or_suspect_needs_somebody_until_it_is_heard_again(warehouse: Lake) -> None:
    rows = [
        _minute("silent", 0, 1, state="LIVE"), _minute("silent", 1, 1, state="SILENT", state_reason="nothing since 10:00"),
        _minute("suspect", 1, 1, state="SUSPECT", state_reason="nothing since 10:01", silence_likelihood=3e-9),
        _minute("again", 0, 1, state="SILENT", state_reason="nothing"), _minute("again", 1, 1, state="LIVE"),
    ]  # fmt: skip
    commit(warehouse, at(2), feed_coverage=rows)
    _covered(warehouse, 2)
    found = list(feeds.silent(seen(warehouse, 3)))
    assert [(check.subject, check.state) for check in found] == [
        ("feed okx silent", "needs you"), ("feed okx suspect", "needs you")
    ]  # fmt: skip
    assert found[0].said == "SILENT since 2026-10-10 10:01: nothing since 10:00"
    assert found[1].said == "SUSPECT since 2026-10-10 10:01: nothing since 10:01 (likelihood 3e-09)"
    commit(
        warehouse, at(4), feed_coverage=[_minute("silent", 3, 1, state="LIVE"), _minute("suspect", 3, 1, state="LIVE")]
    )
    assert only(list(feeds.silent(seen(warehouse, 4)))).state == "good"


def test_what_a_collector_says_is_silent_needs_somebody_before_its_minute_is_over(warehouse: Lake) -> None:
    socket = "okx-public-18f00-aa01"
    told = event(socket, "silent", at(2.25), "no mark-price for 20 s", channels=brings("liquidation-orders"))
    commit(
        warehouse, at(2.25), collector_events=[told],
        feed_coverage=[_minute("liquidation-orders", 1, 1, state="LIVE"), _minute("other", 1, 1, state="LIVE")],
    )  # fmt: skip
    _covered(warehouse, 2)
    found = only(list(feeds.silent(seen(warehouse, 2.5))))
    assert (found.subject, found.state) == ("feed okx liquidation-orders", "needs you")
    assert found.said == "SILENT since 2026-10-10 10:02: silent: no mark-price for 20 s"
    commit(warehouse, at(2.75), collector_events=[event(socket, "resumed", at(2.75))])
    assert only(list(feeds.silent(seen(warehouse, 3)))).state == "good"


def _covered(warehouse: Lake, minute: float) -> None:
    replace(warehouse, "coverage_progress", table("coverage_progress", [{"until": at(minute)}]), "true")


def _minute(channel: str, minute: int, share: float, **more: object) -> dict[str, object]:
    return {
        "minute": at(minute), "hour": at(0), "venue": "okx", "channel": channel, "transport": "ws", "topic": "raw.liquidation",
        "connected_share": share, "frames": 0, "rows": 0, "contract_seconds": 0, "saturated_seconds": 0,
        "carries_liquidations": True, "gap_reason": None if share == 1 else "disconnected: connection lost", **more,
    }  # fmt: skip


def test_a_session_that_was_killed_does_not_hide_a_later_one_that_was_stopped_in_good_order(warehouse: Lake) -> None:
    started(warehouse)
    alive(warehouse, 2)
    again = [event(WS.replace("aa01", "bb01"), "stopped", at(6)), event(REST.replace("aa02", "bb02"), "stopped", at(6))]
    commit(warehouse, at(6), collector_events=again)
    found = only(list(sessions.collectors(seen(warehouse, 8))))
    assert (found.state, found.said) == ("needs you", "was stopped 2 min 0 s ago")
    away = only(list(sessions.collectors(seen(warehouse, 8, AWAY))))
    assert away.said.startswith("all were stopped 2 min 0 s ago; Kafka is away")


def test_a_venue_of_which_nothing_has_arrived_is_not_told_to_be_well(warehouse: Lake) -> None:
    started(warehouse)
    found = only(list(feeds.ages(seen(warehouse, 1))))
    assert (found.state, found.said) == ("needs you", "nothing has arrived since its collector started 1 min 0 s ago")
