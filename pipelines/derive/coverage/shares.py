"""Which share of each minute a channel was listened to, and why not all of it. Pure.

A channel may come by several sockets, each with a part of the contracts. The share at a moment is: arguments on sockets that
listened / arguments on sockets that should have listened. A socket should listen from the start of a session until the session
ends normally; after any other end, until its next session, but for a day at most (then its contracts have gone to another
socket). If no socket should listen, the collector was not running, and the share is 0.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from pipelines.derive.coverage.pauses import Pause
from pipelines.derive.coverage.sessions import Channel, Session
from pipelines.derive.coverage.told import Feed

MINUTE = timedelta(minutes=1)
MISSED_FOR = timedelta(days=1)
BEGAN = "collection began"

Span = tuple[datetime, datetime]
_Step = tuple[datetime, datetime, float, str | None]
"""From, to, the share that listened, and why not all did."""


class Share(NamedTuple):
    """A minute: the share of it in which the channel was listened to, and why it is below 1, if that is known."""

    minute: datetime
    share: float
    reason: str | None


class _Part(NamedTuple):
    """One feed's part of a channel: arguments, when it listened, when it should have, and its ends in order of time."""

    arguments: int
    heard: list[Span]
    due: list[Span]
    ends: list[tuple[datetime, str]]


def shares(
    channel: str, feeds: Mapping[Feed, Channel], sessions: Iterable[Session], since: datetime, until: datetime
) -> list[Share]:
    """Return every minute of [since, until), whole minutes UTC, of a channel that comes by `feeds`.

    `sessions`: of any feed, oldest first.
    """
    return list(_by_minute(_steps(channel, feeds, sessions, since, until), since, until))


def share(
    channel: str, feeds: Mapping[Feed, Channel], sessions: Iterable[Session], since: datetime, until: datetime
) -> float:
    """Return the share of [since, until), to the microsecond, in which a channel that comes by `feeds` was listened to."""
    steps = _steps(channel, feeds, sessions, since, until)
    return sum(part * ((end - start) / (until - since)) for start, end, part, _ in steps)


def _steps(
    channel: str, feeds: Mapping[Feed, Channel], sessions: Iterable[Session], since: datetime, until: datetime
) -> list[_Step]:
    own: dict[Feed, list[Session]] = {feed: [] for feed in feeds}
    for session in sessions:
        if session.feed in own:
            own[session.feed].append(session)
    parts = [_part(channel, feeds[feed], of) for feed, of in own.items() if of]
    cuts = sorted({since, until, *(at for part in parts for span in (*part.heard, *part.due) for at in span
                                   if since < at < until)})  # fmt: skip
    return [(start, end, *_at(parts, start)) for start, end in pairwise(cuts)]


def _part(channel: str, what: Channel, sessions: Sequence[Session]) -> _Part:
    heard: list[Span] = []
    ends: list[tuple[datetime, str]] = []
    due: list[Span] = []
    for session in sessions:
        pauses = [pause for pause in session.pauses if pause.is_of(channel, what.topic)]
        if channel in session.channels and session.channels[channel] < session.ended:
            heard += _without(pauses, session.channels[channel], session.ended)
        ends += [(pause.start, pause.reason) for pause in pauses]
        ends.append((session.ended, session.reason))
        last = session.ended
        if not session.in_order:  # one beside it may have been given up before: the next is one that begins later
            following = (other.began for other in sessions if other.began >= session.ended)
            last = min(next(following, last + MISSED_FOR), last + MISSED_FOR)
        due.append((session.began, last))
    return _Part(what.arguments, _union(heard), _union(due), sorted(ends))


def _without(pauses: Iterable[Pause], start: datetime, end: datetime) -> Iterable[Span]:
    for paused, over in _union((pause.start, pause.end or end) for pause in pauses):
        if start < min(paused, end):
            yield start, min(paused, end)
        start = max(start, over)
    if start < end:
        yield start, end


def _union(spans: Iterable[Span]) -> list[Span]:
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found


def _at(parts: Sequence[_Part], at: datetime) -> tuple[float, str | None]:
    """Return the share at an instant, and the last end before it among those of the parts that did not listen."""
    due = [part for part in parts if _holds(part.due, at)]
    deaf = [part for part in due or parts if not _holds(part.heard, at)]
    wanted = sum(part.arguments for part in due)
    share = sum(part.arguments for part in due if part not in deaf) / wanted if wanted else 0.0
    ends = [part.ends[n - 1] for part in deaf if (n := bisect_right(part.ends, at, key=lambda end: end[0]))]
    return share, max(ends)[1] if ends and share < 1 else None


def _holds(spans: Sequence[Span], at: datetime) -> bool:
    n = bisect_right(spans, at, key=lambda span: span[0])
    return n > 0 and at < spans[n - 1][1]


def _by_minute(steps: Sequence[_Step], since: datetime, until: datetime) -> Iterable[Share]:
    position, minute = 0, since
    while minute < until:
        whole, reason, after = 0.0, None, minute + MINUTE
        while position < len(steps):
            start, end, share, why = steps[position]
            whole += share * ((min(end, after) - max(start, minute)) / MINUTE)
            reason = reason or why
            if end > after:
                break
            position += 1
            if end == after:
                break
        whole = 1.0 if whole > 1 - 1e-9 else whole
        yield Share(minute, whole, reason if whole < 1 else None)
        minute = after
