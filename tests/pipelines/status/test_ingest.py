"""Kafka, what waits in it, the last commit, dead letters."""

from pipelines.status import ingest, losses
from pipelines.status.kafka import Kafka, Lag
from tests.pipelines.heard import at, commit, event, heard
from tests.pipelines.status.looked import AWAY, CAUGHT_UP, WS, alive, ms, only, seen, started
from warehouse.lake import Lake


def test_a_kafka_that_is_away_is_told_and_nothing_is_called_missing(warehouse: Lake) -> None:
    started(warehouse)
    alive(warehouse, 2)
    lost = "okx-public-18f00-aa01"
    ended = event(lost, "stopped", at(3)) | {"frames": 1000}
    commit(warehouse, at(3), collector_events=[event(lost, "connected", at(2)), ended])
    here = seen(warehouse, 9, AWAY)
    assert only(list(ingest.kafka(here))).state == "needs you"
    assert only(list(ingest.lag(here))).state == "unknown"
    assert only(list(losses.missing(here))).state == "unknown"
    told = only(list(losses.missing(seen(warehouse, 9))))
    assert told.state == "needs you", "with Kafka there, and nothing in it, they are"


def test_frames_that_wait_in_kafka_are_named_where_nothing_is_missing(warehouse: Lake) -> None:
    """`frames_accounted` counts them as missing until they are committed, and both are on one screen."""
    started(warehouse)
    alive(warehouse, 2)
    waiting = Kafka("here", [Lag("raw.ticker", 1000, 668, ms(2))])
    told = only(list(losses.missing(seen(warehouse, 2.1, waiting))))
    assert told.state == "good"
    assert "668 wait in Kafka" in told.said


def test_a_kafka_that_never_got_anything_is_told(warehouse: Lake) -> None:
    told = only(list(ingest.kafka(seen(warehouse, 0, Kafka("here", [Lag("raw.ticker", 0, 0)])))))
    assert told.said == "at here; nothing has ever reached it"


def test_records_may_wait_for_a_while_and_those_of_state_for_a_grids_time_longer(warehouse: Lake) -> None:
    lags = [Lag("raw.ticker", 100, 7, ms(0)), Lag("raw.liquidation", 100, 3, ms(0)), Lag("raw.kline", 5, 0)]
    early = list(ingest.lag(seen(warehouse, 0.9, Kafka("here", lags))))
    assert [check.state for check in early] == ["good", "good", "good"]
    assert early[1].said == "3 records wait, the oldest for 54.0 s"
    late = list(ingest.lag(seen(warehouse, 1.5, Kafka("here", lags))))
    assert [check.state for check in late] == ["good", "needs you", "good"]
    assert (late[1].age_s, late[1].within_s) == (90.0, 60.0)
    assert next(iter(ingest.lag(seen(warehouse, 2.1, Kafka("here", lags))))).state == "needs you"


def test_records_that_wait_since_nobody_knows_when_are_unknown(warehouse: Lake) -> None:
    assert only(list(ingest.lag(seen(warehouse, 0, Kafka("here", [Lag("raw.ticker", 9, 9)]))))).state == "unknown"


def test_an_old_commit_needs_somebody_only_where_something_waits(warehouse: Lake) -> None:
    assert only(list(ingest.commits(seen(warehouse, 0)))).said == "never; nothing waits"
    started(warehouse)
    waits = Kafka("here", [Lag("raw.ticker", 10, 2, ms(9))])
    assert only(list(ingest.commits(seen(warehouse, 1, waits)))).state == "good"
    assert only(list(ingest.commits(seen(warehouse, 9, waits)))).state == "needs you"
    assert only(list(ingest.commits(seen(warehouse, 9, AWAY)))).state == "needs you"
    assert only(list(ingest.commits(seen(warehouse, 9)))).state == "good"


def test_dead_letters_of_the_last_hour_are_told_with_why(warehouse: Lake) -> None:
    def dead(minute: float) -> dict[str, object]:
        return {"venue": "okx", "channel": "tickers", "reason": "no field px", "ts_recv": at(minute), "payload": b"{"}

    commit(warehouse, at(0), dead_letters=[dead(0), dead(0)])
    assert only(list(ingest.dead_letters(seen(warehouse, 59)))).said == (
        "2 in the last hour, most of okx tickers: no field px"
    )
    assert only(list(ingest.dead_letters(seen(warehouse, 61)))).state == "good"


def test_what_collectors_gave_up_and_a_log_that_changed_are_told_for_a_day(warehouse: Lake) -> None:
    session = "okx-public-18f00-aa01"
    dropped = event(session, "dropped", at(0), "the spool is full", topic="raw.ticker", frames=120)
    commit(
        warehouse, at(0), collector_events=[dropped, event(session, "log_changed", at(1), "the topic was made anew")]
    )
    told = list(losses.told(seen(warehouse, 30)))
    assert [check.subject for check in told] == ["dropped okx", "log changed"]
    assert told[0].said == "120 frames were dropped, last at 10:00: the spool is full"
    assert only(list(losses.told(seen(warehouse, 25 * 60)))).state == "good"


def test_a_check_of_the_audit_that_failed_is_told(warehouse: Lake) -> None:
    row = {"ts": at(0), "name": "keys", "table": "liquidations", "severity": "failure", "meaning": "keys are unique",
           "since": at(0), "until": at(1), "offenders": 2, "seconds": 0.1}  # fmt: skip
    commit(warehouse, at(0), audit_results=[row])
    warehouse.connection.execute(f"SET VARIABLE as_of = TIMESTAMP '{at(5)}'")
    assert only(list(losses.audit(seen(warehouse, 5)))).said == "2 rows break the rule: keys are unique"


def test_a_number_is_missing_once_it_cannot_be_on_its_way_any_more(warehouse: Lake) -> None:
    def stored(first: int, last: int, minute: float) -> dict[str, object]:
        times = [at(minute), at(minute)]
        return heard(WS, *times) | {"frames": last - first + 1, "seq_min": first, "seq_max": last, "seq_sum": None,
                                    "runs": [first, last], "run_times": times}  # fmt: skip

    started(warehouse)
    commit(warehouse, at(1), [stored(1, 10, 1)])
    commit(warehouse, at(2), [stored(15, 20, 2)])
    assert only(list(losses.missing(seen(warehouse, 4)))).state == "good", "11 to 14 may be in a topic that waits"
    found = only(list(losses.missing(seen(warehouse, 6))))
    assert (found.state, found.said) == ("needs you", "4 frames are missing, of 1 sessions of the last hour")
    late = Kafka("here", [Lag("raw.ticker", 10, 5, ms(2))])
    assert only(list(losses.missing(seen(warehouse, 6, late)))).state == "unknown"


def test_nothing_is_missing_where_nothing_is(warehouse: Lake) -> None:
    assert only(list(losses.missing(seen(warehouse, 0, CAUGHT_UP)))).state == "good"
