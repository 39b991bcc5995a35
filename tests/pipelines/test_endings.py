"""What Bybit's tickers held of a session is dropped when it has ended and its last frames have been read."""

from pathlib import Path
from typing import Any

from collectors.envelope import RawFrame
from collectors.topics import EVENTS, LIQUIDATION, TICKER
from pipelines.ingest.batch import Batch
from pipelines.ingest.commits import Log
from pipelines.ingest.consume import Slice
from pipelines.ingest.endings import WAIT_S, Endings
from pipelines.ingest.resume import ended_from, held_from, marks_from
from pipelines.venues import Held
from tests.pipelines.commits import commit, placed
from tests.pipelines.venue_frames import START_MS, Session, bybit_ticker
from warehouse import lake

FULL = {"markPrice": "100", "openInterest": "5", "openInterestValue": "500", "fundingRate": "0.001",
        "nextFundingTime": str(START_MS + 3_600_000), "fundingIntervalHour": "8"}  # fmt: skip


class Reader:
    """Endings with a clock that is set by hand."""

    def __init__(self, held: Held, **known: int) -> None:
        self.now_s = 0.0
        self.endings = Endings(held, known, lambda: self.now_s)

    def at(self, now_s: float) -> None:
        self.now_s = now_s
        self.endings.drop()

    def read(self, *frames: RawFrame, partition: int = 0) -> None:
        self.endings.add([Slice((frames[0].topic, partition), 0, 1, list(frames), [])])


def event(name: str, session: str, at_ms: int) -> RawFrame:
    body: dict[str, Any] = {"event": name, "ts_ns": at_ms * 1_000_000, "venue": "bybit", "session": session,
                            "transport": "ws", "frames": 1}  # fmt: skip
    return Session("bybit", session.removeprefix("bybit-")).frame("event", "*", body, at_ms, EVENTS)


def ticker(at_ms: int) -> RawFrame:
    return Session("bybit", "x").frame("tickers", "BTCUSDT", b"{}", at_ms, TICKER)


def test_it_is_dropped_when_both_clocks_are_minutes_past_the_end() -> None:
    held: Held = {("bybit-a", "BTCUSDT"): 1, ("bybit-b", "BTCUSDT"): 2}
    reader = Reader(held)
    reader.read(ticker(START_MS), partition=0)
    reader.read(ticker(START_MS), partition=1)
    reader.read(event("disconnected", "bybit-a", START_MS))
    reader.at(WAIT_S + 1)
    assert len(held) == 2, "its last frames may still be unread"
    late = START_MS + int(WAIT_S * 1000) + 1
    reader.read(ticker(late), partition=0)
    reader.at(WAIT_S + 2)
    assert len(held) == 2, "in one partition"
    reader.read(ticker(late), partition=1)
    reader.at(WAIT_S - 1)
    assert len(held) == 2, "of the others nothing may have been read yet"
    reader.at(WAIT_S + 3)
    assert held == {("bybit-b", "BTCUSDT"): 2}


def test_each_session_is_dropped_at_its_own_time_and_until_then_is_not_forgotten() -> None:
    held: Held = {("bybit-a", "BTCUSDT"): 1, ("bybit-b", "BTCUSDT"): 2}
    reader = Reader(held)
    reader.read(event("disconnected", "bybit-a", START_MS))
    reader.at(WAIT_S + 1)
    assert len(held) == 2, "no ticker has been read yet"
    reader.read(event("stopped", "bybit-b", START_MS + 100_000))
    reader.read(ticker(START_MS + int(WAIT_S * 1000) + 1))
    reader.at(WAIT_S + 2)
    assert held == {("bybit-b", "BTCUSDT"): 2}
    reader.read(ticker(START_MS + 100_000 + int(WAIT_S * 1000) + 1))
    reader.at(2 * WAIT_S + 2)
    assert held == {}


def test_how_far_other_topics_are_read_says_nothing_of_tickers() -> None:
    held: Held = {("bybit-a", "BTCUSDT"): 1}
    reader = Reader(held)
    reader.read(event("stopped", "bybit-a", START_MS))
    late = START_MS + 10_000_000
    reader.read(Session("bybit", "x").frame("allLiquidation", "BTCUSDT", b"{}", late, LIQUIDATION))
    reader.endings.add([Slice((TICKER, 0), 0, 0, [], [])])
    reader.at(WAIT_S + 1)
    assert len(held) == 1
    reader.read(ticker(START_MS))
    reader.at(WAIT_S + 2)
    assert len(held) == 1


def test_other_events_and_garbage_end_nothing() -> None:
    held: Held = {("bybit-a", "BTCUSDT"): 1}
    reader = Reader(held)
    reader.read(
        event("resumed", "bybit-a", START_MS), Session("bybit", "a").frame("event", "*", b"\xff", START_MS, EVENTS)
    )
    reader.read(ticker(START_MS + 10_000_000))
    reader.at(10_000)
    assert len(held) == 1


def test_an_end_before_a_restart_is_known_after_it(fresh_world: Path) -> None:
    one, two = Session("bybit", "linear-1-a"), Session("bybit", "linear-2-b")
    frames = [
        one.frame("tickers", "BTCUSDT", bybit_ticker(START_MS, "snapshot", 1, **FULL), START_MS, TICKER),
        event("stopped", one.session, START_MS + 1),
        two.frame(
            "tickers", "BTCUSDT", bybit_ticker(START_MS + 90_000, "snapshot", 1, **FULL), START_MS + 90_000, TICKER
        ),
    ]
    with lake.open(fresh_world, read_only=False) as warehouse:
        commit(warehouse, placed(frames))
        held, ended = held_from(warehouse), ended_from(warehouse)
    assert ended == {one.session: (START_MS + 1) * 1_000_000}
    assert {session for session, _ in held} == {one.session, two.session}
    reader = Reader(held, **ended)
    reader.read(ticker(START_MS + 1_000_000))
    reader.at(WAIT_S + 1)
    assert {session for session, _ in held} == {two.session}


def test_after_a_restart_a_session_knows_what_another_was_told_last(fresh_world: Path) -> None:
    one, two = Session("bybit", "linear-1-a"), Session("bybit", "linear-2-b")
    frames = [
        session.frame("tickers", "BTCUSDT", bybit_ticker(at, kind, cs, **fields), at, TICKER)
        for cs, (session, at, kind, fields) in enumerate(
            [
                (one, START_MS, "snapshot", FULL),
                (two, START_MS + 60_000, "snapshot", FULL),
                (one, START_MS + 120_000, "delta", {"fundingRate": "0.002"}),
                (two, START_MS + 120_001, "delta", {"fundingRate": "0.002"}),
            ]
        )
    ]
    with lake.open(fresh_world, read_only=False) as warehouse:
        commit(warehouse, placed(frames))
        held = held_from(warehouse)
    assert {state.ticker.fundingRate for state in held.values()} == {"0.002"}
    assert {session for session, _ in held} == {one.session, two.session}


def test_a_session_without_a_snapshot_knows_nothing_after_a_restart_either(fresh_world: Path) -> None:
    """Else a restart would make rows of deltas that say nothing to an ingest that goes on."""
    one, two = Session("bybit", "linear-1-a"), Session("bybit", "linear-2-b")
    frames = [
        one.frame("tickers", "BTCUSDT", bybit_ticker(START_MS, "snapshot", 1, **FULL), START_MS, TICKER),
        two.frame("tickers", "BTCUSDT", bybit_ticker(START_MS + 1, "delta", 2, markPrice="101"), START_MS + 1, TICKER),
    ]
    with lake.open(fresh_world, read_only=False) as warehouse:
        commit(warehouse, placed(frames))
        held = held_from(warehouse)
    assert {session for session, _ in held} == {one.session}


def test_an_event_nested_too_deeply_is_no_end_and_stops_nobody() -> None:
    """It becomes a dead letter where events are read; whoever reads it first must not fail."""
    told = b'{"event":"stopped","ts_ns":1,"detail":' + b'{"a":' * 3000 + b"1" + b"}" * 3000 + b"}"
    frame = RawFrame("bybit", "events", "*", "ws", START_MS * 1_000_000, "s", "a", "live", 1, told, EVENTS, 0, 0)
    batch = Batch(60, {}, keep_all_frames=False)
    batch.add([Slice((EVENTS, 0), 0, 1, [frame], [])])
    tables = batch.take().tables(Log("cluster", {}, "commit"), 60)
    assert tables["collector_events"].is_empty()
    assert tables["dead_letters"].height == 1


def test_a_batch_drops_what_belongs_to_sessions_that_have_ended_when_it_is_committed() -> None:
    held: Held = {("bybit-a", "BTCUSDT"): 1}
    batch = Batch(60, held, keep_all_frames=False, ended={"bybit-a": START_MS * 10**6})
    began = batch._endings._clock()
    batch.add([Slice((TICKER, 0), 0, 1, [ticker(START_MS + int(WAIT_S * 1000) + 1)], [])])
    batch._endings._clock = lambda: began + WAIT_S + 1
    assert len(held) == 1
    batch.take()
    assert held == {}


def test_marks_are_of_the_last_days_and_of_all_time_for_who_reads_old_logs_again(fresh_world: Path) -> None:
    one, two = Session("bybit", "linear-1-a"), Session("bybit", "linear-2-b")
    with lake.open(fresh_world, read_only=False) as warehouse:
        for session, at in ((one, START_MS), (two, START_MS + 1)):
            ticker_ = session.frame("tickers", "BTCUSDT", bybit_ticker(at, "snapshot", 1, **FULL), at, TICKER)
            commit(warehouse, placed([ticker_]))
        warehouse.connection.execute(
            "UPDATE session_frames SET ts_commit = ts_commit - INTERVAL 9 DAYS WHERE session = ?", [one.session]
        )
        assert set(marks_from(warehouse)) == {(two.session, TICKER, 0)}
        assert set(marks_from(warehouse, ever=True)) == {(one.session, TICKER, 0), (two.session, TICKER, 0)}
