"""Each channel that is collected: how old its newest data is, whether its silence is believable, whether it is heard whole."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from collectors.topics import FUNDING, KLINE, OPEN_INTEREST, TICKER
from pipelines.kept import NOT_KEPT, STATE_TOPICS
from pipelines.status.check import Check, aged, bad, good, span, unknown
from pipelines.status.seen import Seen
from pipelines.status.sessions import feeds

WS_WITHIN_S = {TICKER: 60.0, FUNDING: 180.0, OPEN_INTEREST: 180.0, KLINE: 180.0}
"""How old the newest frame of a socket's channel may be, by topic. Of others (liquidations, instruments) none is regular."""
POLLS_MISSED = 2.0
POLL_SLACK_S = 60.0
COMMIT_S = 10.0
LATE_SHOWN = 5
FIRST_S = 45.0
"""A venue that can be reached has sent something by then."""
NOTHING = " nothing since its start"
UNHEARD = "the collector's log has the venue's answers; `liq doctor` tests the venue"
GAP_OPEN = timedelta(minutes=3)
"""A reconnect of some seconds is no open gap; one that is open for so long is."""

BRINGS = """
SELECT session, min(ts) AS since, arg_max(detail, (ts, kafka_offset)) AS detail FROM collector_events
WHERE event IN ('subscribed', 'started') AND session IN (SELECT unnest($sessions)) AND ts > $now::TIMESTAMP - INTERVAL 40 DAY
GROUP BY session
"""
NEWEST = """
SELECT venue, channel, transport, max(ts_recv) AS newest FROM raw_frames
WHERE ts_recv > $now::TIMESTAMP - INTERVAL 1 DAY GROUP BY ALL
"""
NEWEST_NOT_KEPT = """
SELECT venue, kafka_topic AS channel, transport, max(recv_last) AS newest FROM session_frames
WHERE ts_commit > $now::TIMESTAMP - INTERVAL 1 HOUR AND kafka_topic IN (SELECT unnest($topics)) GROUP BY ALL
"""
STATES = """
SELECT venue, channel, state, since, reason, silence_likelihood AS likelihood FROM feed_states WHERE state <> 'LIVE'
"""
GAPS = """
WITH last AS (
    SELECT venue, channel, transport, arg_max(connected_share, minute) AS share, arg_max(gap_reason, minute) AS reason,
        coalesce(max(minute) FILTER (connected_share = 1) + INTERVAL 1 MINUTE, min(minute)) AS since
    FROM feed_coverage WHERE minute > $now::TIMESTAMP - INTERVAL 1 DAY GROUP BY ALL
)
SELECT venue, count(*) AS channels, min(since) AS since, any_value(channel ORDER BY since) AS channel,
    any_value(reason ORDER BY since) AS reason
FROM last WHERE share < 1 AND since <= $before GROUP BY venue ORDER BY venue
"""
COVERED = "SELECT max(until) AS until FROM coverage_progress"
COVERED_WITHIN = timedelta(minutes=5)
COVER = "the flow `refresh` does it every minute; `liq flows run refresh` does it now"


class Channel(NamedTuple):
    """A channel that a living session brings, since when, and how old its newest data may be (None: no expectation)."""

    venue: str
    channel: str
    transport: str
    topic: str
    since: datetime
    within_s: float | None


def ages(seen: Seen) -> Iterable[Check]:
    """Of each venue: every channel that living sessions bring has data as young as is to be expected of it."""
    if behind := seen.behind():
        return [unknown("data", f"{behind}, so the age of the newest data is not known")]
    newest = _newest(seen)
    venues: dict[str, list[Check]] = {}
    for each in _channels(seen):
        key = each.channel if each.topic not in NOT_KEPT else each.topic
        at = newest.get((each.venue, key, each.transport))
        if each.within_s is not None:
            is_heard = at is not None and at >= each.since
            said = f"{each.channel} ({each.transport}):{'' if is_heard else NOTHING}"
            age_s = seen.age_s(max(at or each.since, each.since))
            venues.setdefault(each.venue, []).append(aged("", said, age_s, each.within_s, "-"))
    return [_of_venue(venue, found) for venue, found in sorted(venues.items())]


def _of_venue(venue: str, found: list[Check]) -> Check:
    late = sorted(
        (each for each in found if each.state != "good"), key=lambda each: -(each.age_s or 0) / (each.within_s or 1)
    )
    unheard = [each for each in found if NOTHING in each.said]
    since_s = max((each.age_s or 0 for each in unheard), default=0.0)
    if len(unheard) == len(found) and since_s > FIRST_S:
        return bad(f"data {venue}", f"nothing has arrived since its collector started {span(since_s)} ago", UNHEARD)
    if not late:
        heard = [each for each in found if each not in unheard]
        youngest = min(heard or found, key=lambda each: each.age_s or 0)
        return good(f"data {venue}", f"{len(found)} channels, none older than expected; newest {youngest.said}")
    said = "; ".join(each.said for each in late[:LATE_SHOWN]) + (
        f" and {len(late) - LATE_SHOWN} more" if late[LATE_SHOWN:] else ""
    )
    return Check(f"data {venue}", "needs you", said, UNHEARD, late[0].age_s, late[0].within_s)


def _newest(seen: Seen) -> dict[tuple[str, str, str], datetime]:
    rows = seen.rows(NEWEST) + seen.rows(NEWEST_NOT_KEPT, topics=sorted(NOT_KEPT))
    return {(row["venue"], row["channel"], row["transport"]): row["newest"] for row in rows}


def _channels(seen: Seen) -> list[Channel]:
    living = {feed.session: feed.venue for feed in feeds(seen) if feed.lives(seen.now)}
    found: dict[tuple[str, str, str], Channel] = {}
    for row in seen.rows(BRINGS, sessions=list(living)):
        detail = msgspec.json.decode(row["detail"]) if row["detail"] else {}
        for told in detail.get("channels", ()):
            each = _channel(seen, living[row["session"]], row["since"], told)
            key = (each.venue, each.channel, each.transport)
            found[key] = max(found.get(key, each), each, key=lambda one: one.since)
    return list(found.values())


def _channel(seen: Seen, venue: str, since: datetime, told: dict[str, Any]) -> Channel:
    topic, every = str(told.get("topic", "")), told.get("every_s")
    is_poll = "arguments" not in told
    within = (POLLS_MISSED * float(every) + POLL_SLACK_S if every else None) if is_poll else WS_WITHIN_S.get(topic)
    if within is not None:
        within += COMMIT_S + (seen.grid_s if topic in STATE_TOPICS else 0)
    return Channel(venue, str(told.get("channel")), "rest" if is_poll else "ws", topic, since, within)


def silent(seen: Seen) -> Iterable[Check]:
    """No liquidation channel is silent or suspect."""
    if stale := _stale(seen):
        return [unknown("liquidation feeds", stale, COVER)]
    found = [
        bad(f"feed {row['venue']} {row['channel']}", _silence(**row),
            "does the venue itself show liquidations? `liq sql \"from feed_states where state <> 'LIVE'\"` has the details")
        for row in seen.rows(STATES)
    ]  # fmt: skip
    return found or [good("liquidation feeds", "none is silent or suspect")]


def _silence(state: str, since: datetime, reason: str, likelihood: float | None, **_: str) -> str:
    unlikely = "" if likelihood is None else f" (likelihood {likelihood:.1g})"
    return f"{state} since {since:%Y-%m-%d %H:%M}: {reason}{unlikely}"


def gaps(seen: Seen) -> Iterable[Check]:
    """No channel is unheard, whole or in part, right now."""
    if stale := _stale(seen):
        return [unknown("gaps", stale, COVER)]
    found = [_gap(seen, **row) for row in seen.rows(GAPS, before=seen.now - GAP_OPEN)]
    return found or [good("gaps", "none is open")]


def _stale(seen: Seen) -> str:
    """Return why `feed_coverage` does not show what happens now; empty where it does, as far as the last commit."""
    until: datetime | None = seen.rows(COVERED)[0]["until"]
    if until is None:
        return "feed_coverage was never computed"
    if seen.now - until > COVERED_WITHIN:
        return f"feed_coverage is computed only until {until:%H:%M}, {span(seen.age_s(until))} ago"
    return ""


def _gap(seen: Seen, venue: str, channels: int, since: datetime, channel: str, reason: str) -> Check:
    said = f"{channels} channels not fully heard for {span(seen.age_s(since))}, such as {channel}: {reason}"
    return bad(f"gap {venue}", said, f"`liq sql \"from feed_gaps where ongoing and venue = '{venue}'\"`")
