"""A session's identity: its frames are numbered without gaps, each has a place in Kafka, and what happens to it is told."""

import logging
import time

import pytest

from collectors.delivery import recorder as module
from collectors.delivery.counts import Counts
from collectors.delivery.dropped import events, named
from collectors.delivery.recorder import LONGEST_SYMBOL, Recorder
from collectors.envelope import ALL_SYMBOLS, from_record, to_record
from collectors.topics import DEAD_LETTER, EVENTS, LIQUIDATION, TICKER
from collectors.venues.venue import Frame
from tests.collectors.sink import Frames


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counts:
    """What is counted, of this test alone."""
    monkeypatch.setattr(module, "COUNTS", own := Counts())
    return own


@pytest.fixture
def sink() -> Frames:
    return Frames()


def test_frames_are_numbered_from_one_and_kept_as_they_came(sink: Frames, counts: Counts) -> None:
    session = Recorder("bybit", "linear", "ws", sink)
    for n, topic in enumerate((LIQUIDATION, TICKER, LIQUIDATION)):
        session.frame(b"%d" % n, Frame("c", "BTCUSDT", topic), 1_000 + n)
    told = [(each.seq, each.payload, each.topic, each.recv_ns, each.symbol) for each in sink.all]
    assert told == [
        (1, b"0", LIQUIDATION, 1_000, "BTCUSDT"),
        (2, b"1", TICKER, 1_001, "BTCUSDT"),
        (3, b"2", LIQUIDATION, 1_002, "BTCUSDT"),
    ]
    origins = {(each.venue, each.transport, each.session, each.feed, each.source) for each in sink.all}
    assert origins == {("bybit", "ws", session.session, "linear", "live")}
    assert session.frames == counts.frames["bybit", "c"] == 3
    assert counts.heard["bybit", "c"] == 1_002 / 1e9


def test_a_frame_that_nobody_can_name_is_a_dead_letter_and_counted(sink: Frames, counts: Counts) -> None:
    session = Recorder("okx", "public", "ws", sink)
    session.frame(b"?", None, 5)
    (frame,) = sink.all
    assert (frame.channel, frame.symbol, frame.topic, frame.seq) == ("?", ALL_SYMBOLS, DEAD_LETTER, 1)
    assert counts.frames["okx", "?"] == 1


@pytest.mark.parametrize(
    ("symbol", "kept"),
    [
        ("X" * LONGEST_SYMBOL, "X" * LONGEST_SYMBOL),
        ("X" * (LONGEST_SYMBOL + 1), ALL_SYMBOLS),
        ("A|B", ALL_SYMBOLS),
        ("", ALL_SYMBOLS),
    ],
)
def test_what_is_no_symbol_never_makes_a_key_that_cannot_be_read_back(sink: Frames, symbol: str, kept: str) -> None:
    session = Recorder("okx", "public", "ws", sink)
    session.frame(b"x", Frame("c", symbol, LIQUIDATION), 5)
    (frame,) = sink.all
    assert frame.symbol == kept
    record = to_record(frame)
    assert from_record(record.key, record.value, record.headers, frame.topic, 0, 0).symbol == kept


def test_a_frame_that_is_not_kept_has_its_number_and_is_counted_as_given_up(sink: Frames, counts: Counts) -> None:
    session = Recorder("bybit", "linear", "ws", sink)
    name, before = Frame("c", "BTCUSDT", TICKER), time.time()
    session.frame(b"1", name, 1)
    assert session.skip(TICKER) == 2
    session.frame(b"3", name, 3)
    assert [frame.seq for frame in sink.all] == [1, 3]
    assert counts.given_up == {TICKER: 1}
    assert before <= counts.given_up_at <= time.time()


def test_an_event_has_the_number_of_frames_so_far_and_takes_none_itself(sink: Frames, counts: Counts) -> None:
    session = Recorder("bybit", "linear", "ws", sink)
    session.event("connected", url="wss://x")
    session.frame(b"1", Frame("c", "BTCUSDT", TICKER), 1)
    session.event("notice", "why", reason="detail may have any name")
    assert [(frame.topic, frame.seq) for frame in sink.all] == [(EVENTS, 0), (TICKER, 1), (EVENTS, 1)]
    first, second = sink.events
    assert (first["event"], first["frames"], first["detail"]) == ("connected", 0, {"url": "wss://x"})
    assert (second["reason"], second["frames"]) == ("why", 1)
    assert second["detail"] == {"reason": "detail may have any name"}
    assert second["session"] == session.session


def test_sessions_that_are_open_are_counted_however_often_they_say_so(sink: Frames, counts: Counts) -> None:
    one, two = Recorder("bybit", "linear", "ws", sink), Recorder("bybit", "rest", "rest", sink)
    one.event("stopped")
    assert counts.sessions["bybit", "ws"] == 0, "it never began"
    for event in ("connected", "connected", "alive", "subscribed"):
        one.event(event)
    two.event("started")
    assert (counts.sessions["bybit", "ws"], counts.sessions["bybit", "rest"]) == (1, 1)
    one.event("disconnected")
    one.event("stopped")
    assert (counts.sessions["bybit", "ws"], counts.sessions["bybit", "rest"]) == (0, 1)
    one.event("connected")
    assert counts.sessions["bybit", "ws"] == 1
    assert counts.events["bybit", "connected"] == 3


def test_the_log_has_what_happened_and_only_what_is_out_of_order_as_a_warning(
    sink: Frames, counts: Counts, caplog: pytest.LogCaptureFixture
) -> None:
    session = Recorder("bybit", "linear", "ws", sink)
    with caplog.at_level(logging.DEBUG, logger=module.__name__):
        session.event("alive")
        session.event("connected")
        session.event("silent", "no tick", channels=["x" * 500])
    assert [record.levelname for record in caplog.records] == ["DEBUG", "INFO", "WARNING"]
    assert f"silent session={session.session} frames=0 reason='no tick' channels=" in caplog.messages[2]
    assert len(caplog.messages[2]) < 400


def test_every_session_has_a_name_of_its_own_that_begins_with_its_venue_and_feed(sink: Frames) -> None:
    names = {Recorder("kraken-futures", "linear-2", "ws", sink).session for _ in range(50)}
    assert len(names) == 50
    assert all(name.startswith("kraken-futures-linear-2-") for name in names)
    assert Recorder("", "collector", "rest", sink).session.startswith("collector-")


def test_frames_events_and_what_is_given_up_carry_the_feed_and_the_source(sink: Frames) -> None:
    session = Recorder("kraken-futures", "rest", "rest", sink, source="backfill")
    session.frame(b"x", Frame("c", "S", LIQUIDATION), 5)
    session.event("started")
    session.skip(LIQUIDATION)
    for event in events(LIQUIDATION, [named(sink.all[0])], "the disk is full"):
        sink.put(event)
    assert [each.topic for each in sink.all] == [LIQUIDATION, EVENTS, EVENTS]
    assert {(each.session, each.feed, each.source) for each in sink.all} == {(session.session, "rest", "backfill")}
