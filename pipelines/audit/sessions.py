"""Which sessions there were, from when to when each listened to which channels, and how it ended.

A session of a socket listens from `subscribed`. One that ended in good order (`stopped`, `rolled_over`) did so until that;
any other until its last frame, because a dead line is noticed only later, and a killed collector tells nothing. A poller
listens from `started` until it ends, without its pauses: `poll_stopped` until `resumed`, and from the failure of a
request for all symbols until the next answer of its channel. One of many requests that failed is no pause.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from collectors.envelope import ALL_SYMBOLS
from warehouse.lake import Lake

LOOK_BACK = timedelta(days=1)
LAST_SUBSCRIBED = timedelta(days=8)
NOT_A_FEED = ("backfill", "import")
NO_SIGN = "no sign after that"

SIGNS = """
SELECT session, max(recv_last) FROM session_frames
WHERE recv_last >= $since AND ts_commit >= $since - INTERVAL 1 HOUR GROUP BY session
"""
EVENTS = """
SELECT session, venue, transport, event, ts, reason, detail FROM collector_events
WHERE (
    event IN ('subscribed', 'started', 'silent', 'rolled_over', 'stopped', 'disconnected') OR
    transport = 'rest' AND event IN ('poll_failed', 'poll_stopped', 'resumed') AND ts >= $since AND ts < $until
) AND (session IN (SELECT unnest($heard)) OR session IN (
    SELECT session FROM collector_events WHERE ts >= $since AND ts < $until))
ORDER BY ts, kafka_offset
"""
SUBSCRIBED = """
SELECT session, detail FROM collector_events
WHERE event IN ('subscribed', 'started') AND ts >= $since AND ts < $until ORDER BY ts, kafka_offset
"""
ANSWERS = """
SELECT session, channel, list(ts_recv ORDER BY ts_recv) FROM raw_frames
WHERE ts_recv >= $since AND ts_recv < $until AND transport = 'rest' AND session IN (SELECT unnest($sessions))
    AND channel IN (SELECT unnest($channels)) GROUP BY ALL
"""


class Channel(NamedTuple):
    """A channel that a feed brings: its Kafka topic, and how many arguments (mostly contracts) are subscribed."""

    topic: str
    arguments: int


class Feed(NamedTuple):
    """One socket, or the poller, of a venue; its sessions follow one another."""

    venue: str
    name: str
    transport: str


class Pause(NamedTuple):
    """A time in which a poller brought nothing; `channel` None: of all channels. `end` None: until the session's end."""

    start: datetime
    end: datetime | None
    reason: str
    channel: str | None = None


class Session(NamedTuple):
    """One session: its first and last sign of life, whether it ended in good order, why it ended, since when it listened to
    which channel, and its pauses."""

    feed: Feed
    began: datetime
    ended: datetime
    in_order: bool
    reason: str
    channels: Mapping[str, datetime]
    pauses: tuple[Pause, ...]


class Sessions(NamedTuple):
    """The sessions of a time, oldest first, and what each feed brings."""

    all: list[Session]
    channels: Mapping[Feed, Mapping[str, Channel]]


class _Event(NamedTuple):
    event: str
    ts: datetime
    reason: str
    detail: dict[str, Any]


def sessions(lake: Lake, since: datetime, until: datetime) -> Sessions:
    """Return the sessions that had a sign of life in [since, until) or in the day before, of sockets and pollers (UTC)."""
    run, early = lake.connection.execute, since - LOOK_BACK
    heard = dict(run(SIGNS, {"since": early}).fetchall())
    told = run(EVENTS, {"since": early, "until": until + LOOK_BACK, "heard": list(heard)}).fetchall()
    found: dict[tuple[str, str, str], list[_Event]] = {}
    for session, venue, transport, event, ts, reason, detail in told:
        if _feed(session, venue) not in NOT_A_FEED:
            one = _Event(event, ts, reason or "", msgspec.json.decode(detail) if detail else {})
            found.setdefault((session, venue, transport), []).append(one)
    answers = _answers(lake, found, early, until + LOOK_BACK)
    channels: dict[Feed, dict[str, Channel]] = {}
    for session, detail in run(SUBSCRIBED, {"since": since - LAST_SUBSCRIBED, "until": early}).fetchall():
        venue = session.partition("-")[0]
        transport = "rest" if _feed(session, venue) == "rest" else "ws"
        _learn(channels, Feed(venue, _feed(session, venue), transport), msgspec.json.decode(detail) if detail else {})
    all_ = []
    for (session, venue, transport), events in found.items():
        feed = Feed(venue, _feed(session, venue), transport)
        for one in events:
            _learn(channels, feed, one.detail)
        all_.append(_session(feed, events, heard.get(session), answers.get(session, {})))
    return Sessions(sorted(all_, key=lambda one: one.began), channels)


def _feed(session: str, venue: str) -> str:
    """Return the feed's name out of a session's, venue-feed-time-random."""
    return re.sub(r"-[0-9a-f]+-[0-9a-f]{4}$", "", session).removeprefix(f"{venue}-")


def _learn(channels: dict[Feed, dict[str, Channel]], feed: Feed, detail: Mapping[str, Any]) -> None:
    if told := detail.get("channels"):
        channels[feed] = {each["channel"]: Channel(each["topic"], each.get("arguments", 1)) for each in told}


def _session(
    feed: Feed, events: list[_Event], heard: datetime | None, answers: Mapping[str, list[datetime]]
) -> Session:
    names = {one.event for one in events}
    end = next((one for one in reversed(events) if one.event in ("stopped", "disconnected")), None)
    in_order = end is not None and ("stopped" in names or "rolled_over" in names)
    last = max(events[-1].ts, heard or events[-1].ts)
    if feed.transport == "ws" and not in_order:  # the failure is told later than it happened
        last = heard or events[0].ts
    elif end is not None:
        last = end.ts
    since: dict[str, datetime] = {}
    for one in events:
        for each in one.detail.get("channels", ()):
            since.setdefault(each["channel"], one.ts)
    pauses = tuple(_pauses(events, answers)) if feed.transport == "rest" else ()
    return Session(feed, events[0].ts, max(last, events[0].ts), in_order, _why(events, end), since, pauses)


def _why(events: list[_Event], end: _Event | None) -> str:
    if silent := next((one for one in events if one.event == "silent"), None):
        return f"silent: {silent.reason}"
    if end is None:
        return NO_SIGN
    return f"{end.event}: {end.reason}" if end.reason and end.reason != end.event else end.event


def _pauses(events: Iterable[_Event], answers: Mapping[str, list[datetime]]) -> Iterable[Pause]:
    stopped: _Event | None = None
    for one in events:
        if one.event == "poll_stopped":
            stopped = stopped or one
        elif one.event == "resumed" and stopped:
            yield Pause(stopped.ts, one.ts, f"polls stopped: {stopped.reason}")
            stopped = None
        elif one.event == "poll_failed" and one.detail.get("symbol") == ALL_SYMBOLS:
            channel = one.detail["channel"]
            after = answers.get(channel, [])
            at = bisect_right(after, one.ts)
            yield Pause(one.ts, after[at] if at < len(after) else None, f"poll failed: {one.reason}", channel)
    if stopped:
        yield Pause(stopped.ts, None, f"polls stopped: {stopped.reason}")


def _answers(
    lake: Lake, found: Mapping[tuple[str, str, str], list[_Event]], since: datetime, until: datetime
) -> dict[str, dict[str, list[datetime]]]:
    """Return when answers came, per session and channel, of the channels that failed as a whole."""
    failed = [
        (session, one.detail.get("channel", ""))
        for (session, _, transport), events in found.items()
        if transport == "rest"
        for one in events
        if one.event == "poll_failed" and one.detail.get("symbol") == ALL_SYMBOLS
    ]
    answers: dict[str, dict[str, list[datetime]]] = {}
    if failed:
        told = {"sessions": [one for one, _ in failed], "channels": [one for _, one in failed]}
        rows = lake.connection.execute(ANSWERS, {"since": since, "until": until, **told}).fetchall()
        for session, channel, times in rows:
            answers.setdefault(session, {})[channel] = times
    return answers
