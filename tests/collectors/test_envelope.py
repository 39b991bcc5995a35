"""RawFrame and Kafka record: there and back, and what is no raw record is refused by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.envelope import NotARawRecordError, RawFrame, from_record, to_record

FRAME = RawFrame("bybit", "allLiquidation", "BTCUSDT", "ws", 1_790_000_000_123_456_789, "bybit-linear-1-aaaa", 7, b"{}")
WORDS = st.text(st.characters(exclude_characters="|", exclude_categories=["Cs"]))
NUMBERS = st.integers(0, 2**63 - 1)


@given(WORDS, WORDS, WORDS, st.sampled_from(["ws", "rest"]), NUMBERS, WORDS, NUMBERS, st.binary())
def test_a_frame_comes_back_as_it_was(
    venue: str, channel: str, symbol: str, transport: str, recv_ns: int, session: str, seq: int, payload: bytes
) -> None:
    frame = RawFrame(venue, channel, symbol, transport, recv_ns, session, seq, payload)  # type: ignore[arg-type]
    key, value, headers = to_record(frame)
    assert from_record(key, value, headers, "", -1, -1) == frame


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [("v", b"2", "version"), ("transport", b"udp", "transport"), ("recv_ns", b"soon", "malformed"),
     ("recv_ns", str(2**63).encode(), "63 bits"), ("seq", str(2**64).encode(), "63 bits"), ("seq", b"-1", "63 bits"),
     ("venue", b"\xff", "malformed"), ("session", None, "session is missing")],
)  # fmt: skip
def test_what_is_no_raw_record_is_refused_by_name(name: str, value: bytes | None, said: str) -> None:
    record = to_record(FRAME)
    headers = [(key, value if key == name else own) for key, own in record.headers if key != name or value is not None]
    with pytest.raises(NotARawRecordError, match=said):
        from_record(record.key, record.value, headers, "raw.liquidation", 0, 0)  # type: ignore[arg-type]


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
