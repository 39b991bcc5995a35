"""The events that collectors reported about their sessions, read from `collector_events`. An invalid detail is ignored."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, NamedTuple

import msgspec

from warehouse.lake import Lake

LONGEST = timedelta(days=1)
"""The longest time before an event that it may report on, so that a clock that jumped makes no gap of years."""
LONGEST_CHANGE = timedelta(days=31)
"""The same, for a Kafka log that changed while ingest did not run."""

EVENTS = """
SELECT session, venue, feed, transport, event, ts, reason, detail FROM collector_events
WHERE venue <> '' AND source = 'live' AND (
    event IN ('subscribed', 'started', 'silent', 'rolled_over', 'stopped', 'disconnected', 'paused', 'resumed', 'dropped') OR
    transport = 'rest' AND event IN ('poll_failed', 'poll_stopped') AND ts >= $since AND ts < $until
) AND (session IN (SELECT unnest($heard)) OR session IN (
    SELECT session FROM collector_events WHERE ts >= $since AND ts < $until))
ORDER BY ts, kafka_offset
"""
SUBSCRIBED = """
SELECT session, venue, feed, transport, event, ts, reason, detail FROM collector_events
WHERE venue <> '' AND source = 'live' AND event IN ('subscribed', 'started') AND ts >= $since AND ts < $until
ORDER BY ts, kafka_offset
"""

CHANGED = """
SELECT event, ts, reason, detail FROM collector_events WHERE event = 'log_changed' AND ts >= $since ORDER BY ts
"""

_Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
_Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e9)]

_Number = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
_Name = Annotated[str, msgspec.Meta(min_length=1)]


class Brings(msgspec.Struct, frozen=True):
    """A channel that a session brings from then on, its Kafka topic, and how many arguments (mostly contracts) it has."""

    channel: _Name
    topic: _Name
    arguments: _Count = 1


class Detail(msgspec.Struct, frozen=True):
    """What is read of an event's detail; `collectors/events.py` says which event has what."""

    channels: tuple[Brings, ...] = ()
    channel: str = ""
    symbol: str = ""
    topic: str = ""
    topics: tuple[str, ...] = ()
    runs: tuple[tuple[_Number, _Number], ...] = ()
    since_ns: _Number | None = None
    until_ns: _Number | None = None
    ago_s: _Seconds | None = None
    waited_s: _Seconds | None = None


class Told(NamedTuple):
    """An event of a session."""

    event: str
    ts: datetime
    reason: str
    detail: Detail

    @property
    def since(self) -> datetime:
        """When what it tells of began; itself where it tells no time, and at most a day before, or a month of a log."""
        longest = LONGEST_CHANGE if self.event == "log_changed" else LONGEST
        if self.detail.ago_s is not None:
            return self.ts - min(timedelta(seconds=self.detail.ago_s), longest)
        return min(max(_instant(self.detail.since_ns) or self.ts, self.ts - longest), self.ts)

    @property
    def until(self) -> datetime:
        """When what it tells of was over; itself where it tells no time."""
        return min(max(_instant(self.detail.until_ns) or self.ts, self.since), self.ts)


class Feed(NamedTuple):
    """One socket, or the poller, of a venue; its sessions follow one another."""

    venue: str
    name: str
    transport: str


def changed(lake: Lake, since: datetime) -> list[Told]:
    """Return what ingest told from `since` on of logs that are not the ones it had read."""
    rows = lake.connection.execute(CHANGED, {"since": since}).fetchall()
    return [Told(event, ts, reason or "", _detail_of(detail)) for event, ts, reason, detail in rows]


def told(lake: Lake, heard: Sequence[str], since: datetime, until: datetime) -> dict[tuple[str, Feed], list[Told]]:
    """Return by session and feed, oldest first, the events of the sessions `heard` and of those with any in [since, until)."""
    rows = lake.connection.execute(EVENTS, {"since": since, "until": until, "heard": list(heard)}).fetchall()
    found: dict[tuple[str, Feed], list[Told]] = {}
    for session, feed, one in _read(rows):
        found.setdefault((session, feed), []).append(one)
    return found


def subscribed(lake: Lake, since: datetime, until: datetime) -> list[tuple[Feed, Told]]:
    """Return what the feeds brought that were subscribed or started in [since, until), oldest first."""
    rows = lake.connection.execute(SUBSCRIBED, {"since": since, "until": until}).fetchall()
    return [(feed, one) for _, feed, one in _read(rows)]


def _read(rows: Iterable[tuple[Any, ...]]) -> Iterable[tuple[str, Feed, Told]]:
    for session, venue, name, transport, event, ts, reason, detail in rows:
        yield session, Feed(venue, name, transport), Told(event, ts, reason or "", _detail_of(detail))


def _instant(ns: int | None) -> datetime | None:
    return None if ns is None else datetime(1970, 1, 1) + timedelta(microseconds=ns // 1000)  # noqa: DTZ001 UTC, as ts is


_decode = msgspec.json.Decoder(Detail).decode


def _detail_of(text: str | None) -> Detail:
    try:
        return _decode(text) if text else Detail()
    except (msgspec.MsgspecError, RecursionError):
        return Detail()
