"""What a collector tells becomes a well-formed row of `collector_events`, or a dead letter."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.envelope import RawFrame
from collectors.topics import EVENTS
from pipelines.ingest.events import collector_events
from tests.pipelines.venue_frames import START_MS

NOW_NS = START_MS * 10**6
HOUR_NS = 3600 * 10**9


def event(name: str = "notice", ts_ns: Any = NOW_NS, frames: Any = 3, **detail: Any) -> bytes:
    return json.dumps({
        "event": name, "venue": "okx", "session": "okx-a", "transport": "ws", "ts_ns": ts_ns, "frames": frames,
        "reason": "", "detail": detail,
    }).encode()  # fmt: skip


def record(payload: bytes, off_ns: int = 0) -> RawFrame:
    """Return an event sent by a collector whose clock is ahead by `off_ns`, as it lies in Kafka."""
    return RawFrame("okx", "event", "*", "ws", NOW_NS + off_ns, "okx-a", "a", "live", 3, payload, EVENTS, 0, 7, NOW_NS)


def rejected(payload: bytes) -> str:
    table, parsed = collector_events([record(payload)])
    assert table.is_empty()
    return " ".join(row.reason for row in parsed.rejected.rows)


def test_an_event_has_the_brokers_time_also_inside() -> None:
    table, _ = collector_events([record(event("paused", NOW_NS + HOUR_NS, since_ns=NOW_NS + HOUR_NS - 5), HOUR_NS)])
    row = table.row(0, named=True)
    assert row["ts"] == datetime.fromtimestamp(START_MS / 1000, UTC).replace(tzinfo=None)
    assert json.loads(row["detail"]) == {"since_ns": NOW_NS - 5}


@pytest.mark.parametrize(
    "payload",
    [
        event(ts_ns=10**30), event(ts_ns=-1), event(ts_ns=1), event(ts_ns=2**63), event(frames=2**63), event(frames=-1),
        event(""), event("x" * 5000), event("subscribed", channels="x"), event("started", channels=[{"channel": 1}]),
        event("subscribed", channels={"a": 1}), event("paused", since_ns="yesterday"), event("paused", since_ns=5),
        event("resumed", since_ns=NOW_NS + 1), event("dropped", topic="raw.ticker"), event(big="x" * 2_000_000),
        b'{"detail":' + b"[" * 3000 + b"]" * 3000 + b"}", event()[:-1] + b',"detail":' + b'{"a":' * 3000 + b"1" + b"}" * 3001,
        b"[" * 100_000, b"\xff", b"", b"null",
    ],
)  # fmt: skip
def test_an_event_that_is_not_as_described_is_a_dead_letter(payload: bytes) -> None:
    assert rejected(payload).startswith("not a collector event: ")


def test_brackets_in_texts_are_no_nesting() -> None:
    table, _ = collector_events([record(event(why='"' + "[{" * 100)), record(event("subscribed", channels=[]))])
    assert table.height == 2


ANYTHING = st.recursive(
    st.none() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["event", "detail", "channels"]), inner)
    ),
).map(msgspec.json.encode)


@given(st.lists(st.binary(max_size=50) | ANYTHING, max_size=5))
def test_whatever_is_sent_each_record_is_a_row_or_a_dead_letter(payloads: list[bytes]) -> None:
    table, parsed = collector_events([record(payload) for payload in payloads])
    assert table.height + len(parsed.rejected.rows) == len(payloads)
