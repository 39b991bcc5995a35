"""feed_coverage where sessions paused, were killed, gave frames up or lost them: no minute is whole that lost a frame."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipelines.derive.coverage.cover import cover, cover_to_the_end
from tests.pipelines.heard import TEN, at, brings, commit, event, heard, numbered, own
from warehouse import lake
from warehouse.lake import Lake

OKX, REST = "okx-public-18f00-aa01", "okx-rest-18f00-cc01"
CHANNEL, MARKS = "liquidation-orders", "mark-price"


@pytest.fixture
def warehouse(fresh_world: Path) -> Iterator[Lake]:
    with lake.open(fresh_world, read_only=False) as opened:
        yield opened


def _shares(warehouse: Lake, channel: str = CHANNEL, venue: str = "okx") -> dict[float, tuple[float, str | None]]:
    rows = warehouse.connection.execute(
        "SELECT minute, connected_share, gap_reason FROM feed_coverage WHERE venue = ? AND channel = ? ORDER BY minute",
        [venue, channel],
    ).fetchall()
    return {(minute - TEN) / timedelta(minutes=1): (round(share, 6), reason) for minute, share, reason in rows}


def _subscribed(session: str = OKX, ts: datetime = at(0)) -> dict[str, Any]:
    return event(session, "subscribed", ts, channels=brings(CHANNEL) + brings(MARKS, topic="raw.ticker"))


def _ns(at: datetime) -> int:
    return (at - datetime(1970, 1, 1)) // timedelta(microseconds=1) * 1000  # noqa: DTZ001 UTC


def _cover(warehouse: Lake, minute: float) -> int:
    return cover(warehouse, at(minute) + timedelta(seconds=10))


def test_a_pause_counts_from_the_last_frame_kept_until_reading_goes_on(warehouse: Lake) -> None:
    told = [
        _subscribed(),
        event(OKX, "paused", at(1.5), "Kafka did not take frames", since_ns=_ns(at(1.25)), topics=["raw.liquidation"]),
        event(OKX, "resumed", at(3.5), "reading goes on", since_ns=_ns(at(1.25)), waited_s=120.0),
    ]
    commit(warehouse, at(5), [heard(OKX, at(0), at(5))], collector_events=told)
    _cover(warehouse, 5)
    why = "paused: Kafka did not take frames"
    assert _shares(warehouse) == {0: (1, None), 1: (0.25, why), 2: (0, why), 3: (0.5, why), 4: (1, None)}
    assert set(_shares(warehouse, MARKS).values()) == {(1, None)}, "the pause named the topics it was of"


def test_a_poller_pauses_too_and_its_stops_are_told_apart(warehouse: Lake) -> None:
    told = [
        event(REST, "started", at(0), channels=brings("instruments", topic="raw.reference")),
        event(REST, "poll_stopped", at(1), "429"),
        event(REST, "paused", at(1.5), "Kafka did not take frames", since_ns=_ns(at(1.25))),
        event(REST, "resumed", at(2), "polls go on"),
        event(REST, "resumed", at(3), "reading goes on", since_ns=_ns(at(1.25)), waited_s=90.0),
    ]
    commit(warehouse, at(5), [heard(REST, at(0), at(5))], collector_events=told)
    _cover(warehouse, 5)
    assert {n: share for n, (share, _) in _shares(warehouse, "instruments").items()} == {0: 1, 1: 0, 2: 0, 3: 1, 4: 1}


def test_a_pause_that_a_session_did_not_outlive_lasts_until_the_next(warehouse: Lake) -> None:
    following = "okx-public-18f10-aa02"
    told = [
        _subscribed(),
        event(OKX, "paused", at(1.5), "Kafka did not take frames", since_ns=_ns(at(1.5))),
        event(OKX, "stopped", at(2.5)),
        _subscribed(following, at(3)),
    ]
    commit(warehouse, at(5), [heard(OKX, at(0), at(1.5)), heard(following, at(3), at(5))], collector_events=told)
    _cover(warehouse, 5)
    assert {n: share for n, (share, _) in _shares(warehouse).items()} == {0: 1, 1: 0.5, 2: 0, 3: 1, 4: 1}


def test_a_killed_socket_listened_until_its_last_frame_or_the_last_message_before_it_told_that_it_lives(
    warehouse: Lake,
) -> None:
    told = [
        _subscribed(),
        event(OKX, "alive", at(2.5), quiet_s=6.0),
        event(OKX, "alive", at(3.0), quiet_s=36.0),
        event("collector-18f00-ffff", "alive", at(4)) | {"venue": ""},
    ]
    commit(warehouse, at(5), [heard(OKX, at(0), at(1))], collector_events=told)
    _cover(warehouse, 5)
    why = "no sign after that"
    assert _shares(warehouse) == {0: (1, None), 1: (1, None), 2: (0.4, why), 3: (0, why), 4: (0, why)}


def test_an_alive_that_does_not_say_when_it_heard_something_is_no_sign_of_the_line(warehouse: Lake) -> None:
    commit(warehouse, at(5), [heard(OKX, at(0), at(1.5))], collector_events=[_subscribed(), event(OKX, "alive", at(4))])
    _cover(warehouse, 5)
    assert {n: share for n, (share, _) in _shares(warehouse).items()} == {0: 1, 1: 0.5, 2: 0, 3: 0, 4: 0}


def test_a_channel_that_another_socket_showed_to_be_dead_was_so_since_its_last_frame(warehouse: Lake) -> None:
    told = [
        _subscribed(),
        event(OKX, "silent", at(3), "heard on a second route", channel=CHANNEL, since_ns=_ns(at(1.25))),
        event(OKX, "stopped", at(4)),
    ]
    commit(warehouse, at(4), [heard(OKX, at(0), at(4))], collector_events=told)
    _cover(warehouse, 4)
    assert {n: share for n, (share, _) in _shares(warehouse).items()} == {0: 1, 1: 0.25, 2: 0, 3: 0}
    assert set(_shares(warehouse, MARKS).values()) == {(1, None)}


def test_frames_given_up_are_a_gap_of_their_topic_between_the_frames_around_them(warehouse: Lake) -> None:
    dropped = {
        "topic": "raw.liquidation",
        "partition": 0,
        "first_seq": 101,
        "last_seq": 150,
        "frames": 50,
        "runs": [[101, 150]],
    }
    told = [_subscribed(), event(OKX, "dropped", at(9), "the spool is full", **dropped)]
    stored = [numbered(OKX, at(0), at(2.25), 1, 100), numbered(OKX, at(3.5), at(10), 151, 200)]
    commit(warehouse, at(10), stored, collector_events=told)
    _cover(warehouse, 10)
    why = "dropped: the spool is full"
    expected = dict.fromkeys(range(10), (1.0, None)) | {2: (0.25, why), 3: (0.5, why)}
    assert _shares(warehouse) == expected
    assert set(_shares(warehouse, MARKS).values()) == {(1, None)}


def test_what_was_given_up_long_ago_changes_the_minutes_it_was_of(warehouse: Lake) -> None:
    stored = [numbered(OKX, at(0), at(2.25), 1, 100), numbered(OKX, at(3.5), at(60), 151, 200)]
    commit(warehouse, at(60), stored, collector_events=[_subscribed()])
    _cover(warehouse, 60)
    assert _shares(warehouse)[2] == (0.25, "frames are missing")
    dropped = {
        "topic": "raw.ticker",
        "partition": 0,
        "first_seq": 101,
        "last_seq": 150,
        "frames": 50,
        "runs": [[101, 150]],
    }
    commit(
        warehouse,
        at(120),
        [heard(OKX, at(60), at(120))],
        collector_events=[event(OKX, "dropped", at(119), "full", **dropped)],
    )
    _cover(warehouse, 120)
    assert _shares(warehouse)[2] == (1, None), "only tickers were lost"
    assert _shares(warehouse, MARKS)[2] == (0.25, "dropped: full")


def test_numbers_that_are_not_stored_are_a_gap_of_every_channel_until_they_come_late(warehouse: Lake) -> None:
    stored = [numbered(OKX, at(0), at(2.25), 1, 100), numbered(OKX, at(6.5), at(20), 151, 200)]
    commit(warehouse, at(20), stored, collector_events=[_subscribed()])
    _cover(warehouse, 20)
    why = "frames are missing"
    gap = {2: (0.25, why), 3: (0, why), 4: (0, why), 5: (0, why), 6: (0.5, why)}
    assert _shares(warehouse) == dict.fromkeys(range(20), (1.0, None)) | gap == _shares(warehouse, MARKS)
    commit(warehouse, at(40), [numbered(OKX, at(4), at(5), 101, 150)])
    _cover(warehouse, 40)
    found = _shares(warehouse)
    assert {found[n] for n in range(20)} == {(1.0, None)}, (
        "also the minutes before and after those in which they had come"
    )
    warehouse.connection.execute("DELETE FROM coverage_progress")
    assert _cover(warehouse, 40) == 0, "computed all at once it is the same"


def test_frames_that_may_still_be_in_kafka_are_not_missing_yet_but_where_all_is_committed_they_are(
    warehouse: Lake,
) -> None:
    stored = [numbered(OKX, at(0), at(2.5), 1, 100), numbered(OKX, at(3.75), at(4), 151, 152)]
    commit(warehouse, at(4), stored, collector_events=[_subscribed(), event(OKX, "stopped", at(4.5))])
    _cover(warehouse, 5)
    assert {_shares(warehouse)[n] for n in range(4)} == {(1, None)}
    commit(warehouse, at(5))
    cover_to_the_end(warehouse, at(5))
    assert {n: share for n, (share, _) in _shares(warehouse).items()} == {0: 1, 1: 1, 2: 0.5, 3: 0.25, 4: 0.5, 5: 0}


def test_the_last_frames_of_a_session_that_told_their_number_are_missing_where_they_are_not_stored(
    warehouse: Lake,
) -> None:
    told = [_subscribed(), event(OKX, "stopped", at(8)) | {"frames": 120}]
    commit(warehouse, at(10), [numbered(OKX, at(0), at(3.5), 1, 100)], collector_events=told)
    _cover(warehouse, 20)
    why = "frames are missing"
    assert {n: _shares(warehouse)[n] for n in (2, 3, 4, 7)} == {2: (1, None), 3: (0.5, why), 4: (0, why), 7: (0, why)}


def test_a_log_that_changed_is_a_gap_of_what_lay_in_it(warehouse: Lake) -> None:
    commit(warehouse, at(10), [heard(OKX, at(0), at(10))], collector_events=[_subscribed()])
    _cover(warehouse, 10)
    detail = {"topic": "raw.liquidation", "partition": 2, "since_ns": _ns(at(4.5)), "until_ns": _ns(at(6.25))}
    changed = event("ingest", "log_changed", at(11), "raw.liquidation[2]: the log lost its tail", **detail)
    changed |= {"venue": "", "transport": "kafka", "kafka_topic": "raw.liquidation", "kafka_partition": 2}
    commit(warehouse, at(11), [heard(OKX, at(10), at(11))], collector_events=[changed])
    _cover(warehouse, 11)
    why = "Kafka: raw.liquidation[2]: the log lost its tail"
    assert _shares(warehouse) == dict.fromkeys(range(11), (1.0, None)) | {4: (0.5, why), 5: (0, why), 6: (0.75, why)}
    assert set(_shares(warehouse, MARKS).values()) == {(1, None)}


ODD = (
    {"channels": "x"}, {"channels": [1]}, {"channels": [{"channel": CHANNEL}]}, {"channels": {"channel": CHANNEL}},
    {"channels": [{"channel": CHANNEL, "topic": "raw.liquidation", "arguments": -1}]},
    {"channels": [{"channel": CHANNEL, "topic": "raw.liquidation", "arguments": 10**30}]},
    {"channels": [{"channel": None, "topic": None}]}, {"since_ns": 10**30}, {"since_ns": "yesterday"}, {"runs": [[1]]},
    {"topics": "raw.liquidation"}, {"waited_s": -5}, {"waited_s": "long"}, {"quiet_s": 1e300}, {"quiet_s": "x"},
    {"ago_s": 1e300}, {"channel": 7, "symbol": []},
)  # fmt: skip


def test_an_event_that_makes_no_sense_tells_nothing_and_stops_nothing(warehouse: Lake) -> None:
    names = (
        "subscribed", "started", "paused", "silent", "suspect", "heard_again", "resumed", "dropped", "poll_failed", "alive",
        "log_changed",
    )  # fmt: skip
    odd = [event(session, name, at(1), **detail) for session in (OKX, REST) for name in names for detail in ODD]
    bare = [event(OKX, name, at(1)) | {"detail": text} for name in names for text in ("[]", '"x"', "7", "null", None)]
    other = "okx-public-18f10-aa02"
    commit(warehouse, at(3), [heard(other, at(0), at(3))], collector_events=[_subscribed(other), *odd, *bare])
    _cover(warehouse, 3)
    assert set(_shares(warehouse)) == {0, 1, 2}
    warehouse.connection.execute("SET VARIABLE as_of = ?::TIMESTAMP", [at(3)])
    states = warehouse.connection.execute("SELECT venue, channel FROM feed_states").fetchall()
    assert states == [("okx", CHANNEL)]


def test_an_event_that_reaches_back_for_years_makes_a_gap_of_a_day_at_most(warehouse: Lake) -> None:
    told = [_subscribed(), event(OKX, "paused", at(60 * 25), "odd", since_ns=0)]
    commit(warehouse, at(60 * 25), [heard(OKX, at(0), at(60 * 25))], collector_events=told)
    _cover(warehouse, 60 * 25)
    assert {share for minute, (share, _) in _shares(warehouse).items() if minute < 60} == {1}


def test_a_venue_with_a_hyphen_in_its_name_is_heard_and_its_backfill_is_none(warehouse: Lake) -> None:
    live, backfill = "kraken-futures-main-18f00-aa01", "kraken-futures-backfill-18f00-bb02"
    of_live, of_backfill = own(live, "kraken-futures"), own(backfill, "kraken-futures")
    older = event(live, "subscribed", at(-3 * 24 * 60), channels=brings("liquidations")) | of_live
    told = [
        event(live, "subscribed", at(0), channels=brings("liquidations")) | of_live,
        event(backfill, "started", at(3), channels=brings("other")) | of_backfill,
        event(backfill, "stopped", at(4)) | of_backfill,
        event(live, "stopped", at(5.5)) | of_live,
    ]
    signs = [heard(live, at(0), at(5)) | of_live, heard(backfill, at(3), at(4)) | of_backfill]
    commit(warehouse, at(6), signs, collector_events=[older, *told])
    _cover(warehouse, 6)
    shares = _shares(warehouse, "liquidations", "kraken-futures")
    assert {minute: share for minute, (share, _) in shares.items() if minute >= 0} == dict.fromkeys(range(5), 1) | {
        5: 0.5
    }
    assert _shares(warehouse, "other", "kraken-futures") == {}
    feeds = warehouse.connection.execute("SELECT DISTINCT venue FROM feed_coverage").fetchall()
    assert feeds == [("kraken-futures",)]
