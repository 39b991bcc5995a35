"""Who collects, by sign of life: a session whose last frame or event is older than `DEAD`, and that told no end, was killed."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple

from pipelines.status.check import Check, bad, good, span, unknown
from pipelines.status.seen import Seen

DEAD = timedelta(seconds=90)
SESSIONS = """
WITH heard AS (
    SELECT session, max(venue) AS venue, max(feed) AS feed, max(recv_last) AS sign FROM session_frames
    WHERE ts_commit > $now::TIMESTAMP - INTERVAL 15 MINUTE AND source = 'live' GROUP BY session
), told AS (
    SELECT session, max(venue) AS venue, max(feed) AS feed, max(ts) AS sign,
        arg_max(event, (ts, kafka_offset)) FILTER (event IN ('stopped', 'disconnected')) AS ended,
        arg_max(reason, (ts, kafka_offset)) FILTER (event IN ('stopped', 'disconnected')) AS reason
    FROM collector_events WHERE ts > $now::TIMESTAMP - INTERVAL 1 DAY AND venue <> '' AND source = 'live' GROUP BY session
)
SELECT coalesce(told.venue, heard.venue) AS venue, coalesce(told.feed, heard.feed) AS name, session,
    greatest(told.sign, heard.sign) AS sign, ended, reason
FROM told FULL JOIN heard USING (session) ORDER BY venue, session
"""


class Feed(NamedTuple):
    """A socket or the poller of a venue: its latest session. `ended`: stopped, disconnected, or None where it told no end."""

    venue: str
    name: str
    session: str
    sign: datetime
    ended: str | None
    reason: str | None

    def lives(self, now: datetime) -> bool:
        """Tell whether it collects now."""
        return self.ended is None and now - self.sign <= DEAD


def feeds(seen: Seen) -> list[Feed]:
    """Return the feeds of the last day, each with the session that lives, or else the one that was the last to."""
    found: dict[tuple[str, str], Feed] = {}
    for row in seen.rows(SESSIONS):
        feed = Feed(**row)
        before = found.get((feed.venue, feed.name))
        if before is None or (feed.lives(seen.now), feed.sign) > (before.lives(seen.now), before.sign):
            found[(feed.venue, feed.name)] = feed
    return list(found.values())


def collectors(seen: Seen) -> Iterable[Check]:
    """Of each venue that was collected in the last day: every feed has a session that lives."""
    found = sorted(feeds(seen))
    if behind := seen.behind():
        if found and all(feed.ended == "stopped" for feed in found):
            ago = span(seen.age_s(max(feed.sign for feed in found)))
            return [unknown("collectors", f"all were stopped {ago} ago; {behind}, so it is not known what runs since")]
        return [unknown("collectors", f"{behind}, so it is not known which collectors run")]
    if not found:
        return [bad("collectors", "no collector has run for a day", "`liq collect VENUE…`, or `liq up` for everything")]
    return [_venue(seen, venue, list(of)) for venue, of in groupby(found, lambda feed: feed.venue)]


def _venue(seen: Seen, venue: str, found: list[Feed]) -> Check:
    subject, living = f"collector {venue}", [feed for feed in found if feed.lives(seen.now)]
    if living:
        lost = [feed for feed in found if feed not in living and feed.ended != "stopped"]
        lost = [feed for feed in lost if seen.now - feed.sign > DEAD]
        if not lost:
            return good(subject, f"{len(living)} sessions live")
        said = f"{len(living)} sessions live; {_lost(seen, lost)}"
        return bad(subject, said, "the collector's log says why they have not come back")
    last = max(found, key=lambda feed: feed.sign)
    ago = span(seen.age_s(last.sign))
    if all(feed.ended == "stopped" for feed in found):
        return bad(subject, f"was stopped {ago} ago", f"`liq collect {venue}` collects again")
    said = f"no session lives; the last sign was {ago} ago, without an end: it was killed, or cannot reach Kafka"
    if last.ended:
        said = f"no session lives; the last ended {ago} ago: {last.reason or last.ended}"
    return bad(subject, said, f"`liq collect {venue}` collects again; what does its log say?")


def _lost(seen: Seen, lost: list[Feed]) -> str:
    told = [
        f"{feed.name} for {span(seen.age_s(feed.sign))} ({feed.reason or feed.ended or 'killed'})" for feed in lost[:3]
    ]
    return f"not {', '.join(told)}" + (f" and {len(lost) - 3} more" if len(lost) > 3 else "")


def processes(seen: Seen) -> list[dict[str, Any]]:
    """Return what each collector process that lives told last, of itself: detail as JSON text, and when."""
    return seen.rows(PROCESSES)


PROCESSES = """
SELECT session, max(ts) AS sign, arg_max(detail, (ts, kafka_offset)) AS detail,
    bool_or(event = 'stopped') AS ended
FROM collector_events WHERE venue = '' AND event IN ('alive', 'stopped') AND ts > $now::TIMESTAMP - INTERVAL 90 SECOND
GROUP BY session HAVING NOT ended ORDER BY session
"""
