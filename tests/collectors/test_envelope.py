"""RawFrame and Kafka record: there and back, and what is no raw record is refused by name."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.envelope import (
    BEHIND_NS,
    LONGEST_WAIT_NS,
    MOST_SEQ,
    NotARawRecordError,
    RawFrame,
    arrival_ns,
    from_record,
    to_record,
)

FRAME = RawFrame(
    "bybit", "allLiquidation", "BTCUSDT", "ws", 1_790_000_000_123_456_789, "bybit-linear-1-aaaa", "linear", "live", 7, b"{}",
)  # fmt: skip
WORDS = st.text(st.characters(exclude_characters="|", exclude_categories=["C", "Z"]), min_size=1, max_size=64)
NOW_MS = 1_790_000_000_500
S = 1_000_000_000
NUMBERS = st.integers(0, 2**63 - 1)


@given(WORDS, WORDS, WORDS, st.sampled_from(["ws", "rest"]), NUMBERS, WORDS, WORDS,
       st.sampled_from(["live", "backfill", "import"]), st.integers(0, MOST_SEQ), st.binary())  # fmt: skip
def test_a_frame_comes_back_as_it_was(
    venue: str, channel: str, symbol: str, transport: str, recv_ns: int, session: str, feed: str, source: str, seq: int,
    payload: bytes,
) -> None:  # fmt: skip
    frame = RawFrame(venue, channel, symbol, transport, recv_ns, session, feed, source, seq, payload)  # type: ignore[arg-type]
    key, value, headers = to_record(frame)
    read = from_record(key, value, headers, "", -1, -1)
    assert msgspec.structs.replace(read, arrived_ns=0) == frame
    assert read.at_ns == recv_ns


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [("v", b"3", "version"), ("v", b"", "version"), ("v", None, "v is missing"),
     ("transport", b"udp", "transport"), ("recv_ns", b"soon", "malformed"),
     ("recv_ns", str(2**63).encode(), "63 bits"), ("seq", str(2**64).encode(), "no count"), ("seq", b"-1", "no count"),
     ("seq", str(2**63 - 1).encode(), "no count"),
     ("venue", b"\xff", "malformed"), ("session", None, "session is missing"), ("session", b"", "empty"),
     ("channel", b"a\0b", "printable"), ("channel", b"x" * 5000, "longer"), ("sent_ns", b"soon", "malformed"),
     ("sent_ns", str(2**63).encode(), "63 bits"), ("sent_ns", b"-1", "63 bits"),
     ("feed", None, "feed is missing"), ("feed", b"", "feed is empty"), ("feed", b"a\0b", "printable"),
     ("feed", b"x" * 5000, "longer"), ("feed", b"\xff", "malformed"),
     ("source", None, "source is missing"), ("source", b"", "source is b''"), ("source", b"Live", "not live, backfill"),
     ("source", b"\xff", "not live")],
)  # fmt: skip
def test_what_is_no_raw_record_is_refused_by_name(name: str, value: bytes | None, said: str) -> None:
    record = to_record(FRAME)
    headers = [(key, own) for key, own in record.headers if key != name] + (
        [(name, value)] if value is not None else []
    )
    with pytest.raises(NotARawRecordError, match=said):
        from_record(record.key, record.value, headers, "raw.liquidation", 0, 0, NOW_MS)


OLD = [(name, value) for name, value in to_record(FRAME).headers if name not in ("v", "feed", "source")] + [("v", b"1")]


@pytest.mark.parametrize(
    ("venue", "session", "feed", "source"),
    [
        ("bybit", "bybit-linear-18f0-ab12", "linear", "live"),
        ("bybit", "bybit-linear-2-18f0-ab12", "linear-2", "live"),
        ("bybit", "bybit-rest-18f0-ab12", "rest", "live"),
        ("bybit", "bybit-backfill-18f0-ab12", "backfill", "backfill"),
        ("bybit", "bybit-import-18f0-ab12", "import", "import"),
        ("kraken-futures", "kraken-futures-public-18f0-ab12", "public", "live"),
        ("kraken-futures", "kraken-futures-backfill-18f0-ab12", "backfill", "backfill"),
        ("kraken-futures", "kraken-futures-import-18f0-ab12", "import", "import"),
        ("data-backfill-spot", "data-backfill-spot-linear-18f0-ab12", "linear", "live"),
        ("data-backfill-spot", "data-backfill-spot-backfill-18f0-ab12", "backfill", "backfill"),
        ("x-backfill", "x-backfill-public-18f0-ab12", "public", "live"),
        ("import", "import-rest-18f0-ab12", "rest", "live"),
        ("bybit", "bybit-backfiller-18f0-ab12", "backfiller", "live"),
        ("", "collector-18f0-ab12", "collector", "live"),
        ("bybit", "of another producer", "of another producer", "live"),
    ],
)
def test_of_a_record_of_version_1_the_sessions_name_says_feed_and_source(
    venue: str, session: str, feed: str, source: str
) -> None:
    headers = [*dict(OLD, venue=venue.encode(), session=session.encode()).items()]
    key = f"{venue}|allLiquidation|BTCUSDT".encode()
    for more in ([], [("feed", b"other"), ("source", b"\xff")]):
        frame = from_record(key, b"{}", [*headers, *more], "raw.liquidation", 0, 0)
        assert (frame.venue, frame.session, frame.feed, frame.source) == (venue, session, feed, source)


def test_of_a_record_of_version_2_the_sessions_name_says_nothing() -> None:
    told = msgspec.structs.replace(FRAME, session="bybit-backfill-18f0-ab12", feed="inverse", source="import")
    frame = from_record(*to_record(told), "raw.liquidation", 0, 0)
    assert (frame.session, frame.feed, frame.source) == ("bybit-backfill-18f0-ab12", "inverse", "import")


def test_a_record_without_key_or_value_is_refused() -> None:
    key, value, headers = to_record(FRAME)
    for lacking in ((None, value), (key, None), (b"bybit", value)):
        with pytest.raises(NotARawRecordError):
            from_record(*lacking, headers, "raw.liquidation", 0, 0)


def test_when_a_record_was_sent_is_in_it_and_changes_nothing_else() -> None:
    key, value, headers = to_record(FRAME, 1_790_000_000_200_000_000)
    assert headers == [*to_record(FRAME).headers, ("sent_ns", b"1790000000200000000")]
    frame = from_record(key, value, headers, "", -1, -1)
    assert (frame.recv_ns, frame.seq, frame.payload) == (FRAME.recv_ns, FRAME.seq, FRAME.payload)


@pytest.mark.parametrize("symbol", ["", "BTC\0USDT", "B" * 5000, "BTC\nUSDT"])
def test_a_symbol_that_is_none_is_refused(symbol: str) -> None:
    _, value, headers = to_record(FRAME)
    with pytest.raises(NotARawRecordError, match="symbol"):
        from_record(f"bybit|allLiquidation|{symbol}".encode(), value, headers, "raw.liquidation", 0, 0)


def read(recv_ns: int, sent_ns: int | None, appended_ms: int, now_ns: int = 2**63 - 1) -> int:
    record = to_record(msgspec.structs.replace(FRAME, recv_ns=recv_ns))
    headers = [(name, own) for name, own in record.headers if name != "sent_ns"]
    headers += [] if sent_ns is None else [("sent_ns", str(sent_ns).encode())]
    return from_record(record.key, record.value, headers, "raw.liquidation", 0, 0, appended_ms, now_ns).arrived_ns


@given(st.integers(-7 * 86_400, 7 * 86_400), st.integers(0, 86_400), st.integers(0, 10_000))
def test_whatever_a_collectors_clock_says_a_frame_arrived_when_the_broker_says(
    off_s: int, waited_s: int, ms: int
) -> None:
    """Up to the minute that a clock may be behind, so that it need not be exact; never later than it was."""
    arrived_ns = NOW_MS * 10**6
    recv_ns = arrived_ns + off_s * S
    sent_ns, appended_ms = recv_ns + waited_s * S, NOW_MS + waited_s * 1000 + ms
    found = read(recv_ns, sent_ns, appended_ms)
    latest_ns = (NOW_MS + ms) * 10**6 + 999_999
    assert found == (recv_ns if -BEHIND_NS <= recv_ns - latest_ns <= 0 else latest_ns)
    assert abs(found - arrived_ns) <= max(ms * 10**6 + 10**6, BEHIND_NS)


def test_without_the_time_of_sending_a_clock_ahead_does_not_count() -> None:
    now_ns = NOW_MS * 10**6
    assert read(now_ns - 5 * S, None, NOW_MS) == now_ns - 5 * S
    assert read(now_ns + 3600 * S, None, NOW_MS) == now_ns + 999_999
    assert read(now_ns + 3600 * S, None, 0, now_ns) == now_ns, "of a topic whose time stamps are the sender's"
    assert read(now_ns + 3600 * S, now_ns + 7200 * S, 0, now_ns) == now_ns


def test_a_wait_longer_than_any_is_a_clock_that_was_set_meanwhile() -> None:
    now_ns = NOW_MS * 10**6 + 999_999
    assert arrival_ns(5, now_ns, 5 + LONGEST_WAIT_NS + 1) == now_ns
    assert arrival_ns(2**63 - 1, now_ns, 0) == now_ns
    assert arrival_ns(now_ns - 3600 * S, now_ns, now_ns) == now_ns - 3600 * S, "an hour in the spool"
