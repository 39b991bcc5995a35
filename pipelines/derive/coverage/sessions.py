"""Which sessions there were, from when to when each listened to which channels, and how it ended.

A session of a socket listens from `subscribed`. If it ended normally (`stopped`, `rolled_over`), it listened until then.
Otherwise it listened until its last sign, because a dead connection is noticed only later, and a killed collector reports
nothing. A sign is a frame, or the last message before an `alive`. A poller listens from `started` until it ends. Pauses are
taken out.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from collectors.envelope import ALL_SYMBOLS
from pipelines.derive.coverage.lost import changes, lost
from pipelines.derive.coverage.pauses import Pause, pauses
from pipelines.derive.coverage.told import Brings, Feed, Told, subscribed, told
from warehouse.lake import Lake

LOOK_BACK = timedelta(days=1)
LAST_SUBSCRIBED = timedelta(days=8)
NO_SIGN = "no sign after that"
BEGINNINGS = ("subscribed", "started")
"""The events that say which channels a session has from then on."""

SIGNS = """
SELECT session, max(recv_last) FROM session_frames
WHERE recv_last >= $since AND ts_commit >= $since - INTERVAL 2 DAYS GROUP BY session
"""
ALIVE = """
SELECT session, max(ts - to_milliseconds((least(try_cast(detail ->> '$.quiet_s' AS DOUBLE), 86400) * 1000)::BIGINT))
FROM collector_events WHERE event = 'alive' AND venue <> '' AND ts >= $since AND ts < $until GROUP BY session
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


def sessions(lake: Lake, since: datetime, until: datetime, settled: datetime) -> Sessions:
    """Return the sessions that had a sign of life in [since, until) or in the day before, of sockets and pollers (UTC).

    `settled`: what arrived before it is stored, or never will be.
    """
    early, late = since - LOOK_BACK, until + LOOK_BACK
    heard = _signs(lake, early, late)
    found = told(lake, list(heard), early, late)
    answers = _answers(lake, found, early, late)
    channels: dict[Feed, dict[str, Channel]] = {}
    for feed, one in subscribed(lake, since - LAST_SUBSCRIBED, early):
        _learn(channels, feed, one.detail.channels)
    for (_, feed), events in found.items():
        for one in events:
            if one.event in BEGINNINGS:
                _learn(channels, feed, one.detail.channels)
    gone, of_all = lost(lake, found, heard, settled), changes(lake, since)
    all_ = []
    for (session, feed), events in found.items():
        own = (*pauses(events, answers.get(session, {})), *gone.get(session, ()), *of_all)
        all_.append(_session(feed, events, heard.get(session), own))
    return Sessions(sorted(all_, key=lambda one: one.began), channels)


def _signs(lake: Lake, since: datetime, until: datetime) -> dict[str, datetime]:
    """Return the last sign of each session: its last frame, or the last message before an `alive`."""
    signs: dict[str, datetime] = {}
    for query, span in ((SIGNS, {"since": since}), (ALIVE, {"since": since, "until": until})):
        for session, last in lake.connection.execute(query, span).fetchall():
            if last is not None:
                signs[session] = max(last, signs.get(session, last))
    return signs


def _learn(channels: dict[Feed, dict[str, Channel]], feed: Feed, brings: tuple[Brings, ...]) -> None:
    if brings:
        channels[feed] = {each.channel: Channel(each.topic, each.arguments) for each in brings}


def _session(feed: Feed, events: list[Told], heard: datetime | None, pauses: tuple[Pause, ...]) -> Session:
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
        for each in one.detail.channels if one.event in BEGINNINGS else ():
            since.setdefault(each.channel, one.ts)
    return Session(feed, events[0].ts, max(last, events[0].ts), in_order, _why(events, end), since, pauses)


def _why(events: list[Told], end: Told | None) -> str:
    if silent := next((one for one in events if one.event == "silent"), None):
        return f"silent: {silent.reason}"
    if end is None:
        return NO_SIGN
    return f"{end.event}: {end.reason}" if end.reason and end.reason != end.event else end.event


def _answers(
    lake: Lake, found: Mapping[tuple[str, Feed], list[Told]], since: datetime, until: datetime
) -> dict[str, dict[str, list[datetime]]]:
    """Return when answers came, per session and channel, of the channels that failed as a whole."""
    failed = [
        (session, one.detail.channel)
        for (session, feed), events in found.items()
        if feed.transport == "rest"
        for one in events
        if one.event == "poll_failed" and one.detail.symbol == ALL_SYMBOLS
    ]
    answers: dict[str, dict[str, list[datetime]]] = {}
    if failed:
        of = {"sessions": [one for one, _ in failed], "channels": [one for _, one in failed]}
        rows = lake.connection.execute(ANSWERS, {"since": since, "until": until, **of}).fetchall()
        for session, channel, times in rows:
            answers.setdefault(session, {})[channel] = times
    return answers
