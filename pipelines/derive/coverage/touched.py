"""Which minutes of `feed_coverage` may have changed, because of what ingest has committed since."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from collectors.topics import EVENTS, KLINE, LIQUIDATION
from pipelines.derive.coverage.told import changed
from warehouse.lake import Lake

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
OVERLAP = timedelta(minutes=5)
"""How far back commits are checked again: two ingests may commit in another order than their clocks say."""

LIVE = "venue <> '' AND source = 'live'"
TOLD_OF = """ts - to_milliseconds((1000 * least(86400, greatest(0, coalesce(
    try_cast(detail ->> '$.ago_s' AS DOUBLE), try_cast(detail ->> '$.waited_s' AS DOUBLE),
    epoch(ts) - try_cast(detail ->> '$.since_ns' AS DOUBLE) / 1e9, 0))))::BIGINT)"""
"""Since when what an event tells of was so: `told.Told.since`."""

FIRST = f"SELECT min(ts) FROM collector_events WHERE event IN ('subscribed', 'started') AND {LIVE}"
NEWEST = "SELECT least(max(ts_commit), $now) FROM ingest_commits"
OFFSETS = """
SELECT c.kafka_partition AS partition, new.first, max(c.offset_next) AS next
FROM ingest_commits AS c JOIN (
    SELECT kafka_partition, min(offset_from) AS first FROM ingest_commits
    WHERE ts_commit > $since AND kafka_topic = $topic GROUP BY ALL
) AS new USING (kafka_partition)
WHERE c.ts_commit > $since - INTERVAL 1 DAY AND c.kafka_topic = $topic AND c.offset_next > new.first GROUP BY ALL
"""
"""Up to the last record taken in, also where ingest's clock was wrong at its commit."""
HEARD = f"""
WITH new AS (
    SELECT session, min(recv_first) AS first, max(recv_last) AS last FROM session_frames
    WHERE ts_commit > $since AND {LIVE} GROUP BY session
), times AS (
    SELECT session, unnest(list_append(run_times, recv_last)) AS ts FROM session_frames
    WHERE ts_commit <= $since AND session IN (SELECT session FROM new)
), old AS (
    SELECT session, max(t.ts) AS last, max(t.ts) FILTER (t.ts < new.first) AS before,
        min(t.ts) FILTER (t.ts > new.last) AS after
    FROM times AS t JOIN new USING (session) GROUP BY session
)
SELECT least(new.first, old.last, old.before), greatest(new.last, old.last, old.after) FROM new LEFT JOIN old USING (session)
"""
"""The frames that came, and from the one before to the one after them: what lies between was missing until then."""
TOLD = f"""
WITH new AS (
    SELECT venue, feed, session, ts, {TOLD_OF} AS since FROM collector_events
    WHERE {LIVE} AND kafka_topic = '{EVENTS}' AND kafka_partition = $partition
        AND kafka_offset >= $first AND kafka_offset < $next
), starts AS (
    SELECT venue, feed, ts FROM collector_events WHERE event IN ('subscribed', 'started') AND {LIVE}
), heard AS (
    SELECT session, max(recv_last) AS last FROM session_frames WHERE session IN (SELECT session FROM new) GROUP BY session
)
SELECT least(new.since, heard.last),
    CASE WHEN starts.ts IS NULL THEN $until ELSE greatest(starts.ts, heard.last) END
FROM new ASOF LEFT JOIN starts ON new.venue = starts.venue AND new.feed = starts.feed AND new.ts < starts.ts
LEFT JOIN heard ON new.session = heard.session
"""
DROPPED = """
SELECT recv_before, coalesce(recv_after, $until) FROM frame_numbers
WHERE fate = 'dropped' AND recv_before IS NOT NULL AND session IN (
    SELECT session FROM collector_events WHERE event = 'dropped' AND kafka_topic = $topic AND kafka_partition = $partition
        AND kafka_offset >= $first AND kafka_offset < $next)
"""
ROWS = """
SELECT DISTINCT date_trunc('minute', ts_event) - INTERVAL 1 MINUTE, date_trunc('minute', ts_event) + INTERVAL 2 MINUTES
FROM {table}
WHERE kafka_topic = $topic AND kafka_partition = $partition AND kafka_offset >= $first AND kafka_offset < $next
    AND ({which})
"""
FEEDS_OWN = {LIQUIDATION: ("liquidations", "true"), KLINE: ("klines", "source <> 'live'")}

Span = tuple[datetime, datetime]


class Progress(NamedTuple):
    """Up to where the table is kept: the newest commit taken into account, and the end of its last minute; None: nothing."""

    ts_commit: datetime | None
    until: datetime | None


def newest_commit(lake: Lake, now: datetime) -> datetime | None:
    """Return when ingest last committed (UTC), None where it never has; `now` where its clock was ahead then."""
    return _one(lake, NEWEST, {"now": now})


def touched(lake: Lake, progress: Progress, now: Progress) -> list[Span]:
    """Return the spans of whole minutes before `now.until` to compute again, in order and apart from each other.

    Where nothing was committed since `progress` those are the minutes that have passed.
    """
    until = now.until
    assert until is not None
    if (first := _one(lake, FIRST)) is None:
        return []
    first = max(first, until - timedelta(days=400))  # a clock that was wrong makes no decades of rows
    if progress.until is None:
        return minutes([(first, until)], until)
    spans = [(progress.until, until)]
    if progress.ts_commit is not None and progress.ts_commit != now.ts_commit:
        spans += _since(lake, progress.ts_commit - OVERLAP, until)
    return minutes([(max(start, first), end) for start, end in spans if end > first], until)


def _since(lake: Lake, since: datetime, until: datetime) -> Iterable[Span]:
    yield from _rows(lake, HEARD, {"since": since})
    for at in _offsets(lake, EVENTS, since):
        yield from _rows(lake, TOLD, {**at, "until": until})
        yield from _rows(lake, DROPPED, {**at, "until": until, "topic": EVENTS})
    yield from ((one.since, one.until) for one in changed(lake, since))
    for topic, (table, which) in FEEDS_OWN.items():
        for at in _offsets(lake, topic, since):
            yield from _rows(lake, ROWS.format(table=table, which=which), {**at, "topic": topic})


def minutes(spans: Iterable[Span], until: datetime) -> list[Span]:
    """Return the spans widened to whole minutes before `until`, those that meet as one."""
    found: list[Span] = []
    for start, end in sorted(spans):
        start, end = _minute(start), min(_minute(end) + MINUTE, until)
        if start >= end:
            continue
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found


def by_day(spans: Iterable[Span]) -> Iterable[Span]:
    """Yield the spans cut at midnight (UTC)."""
    for start, end in spans:
        while start < end:
            midnight = start.replace(hour=0, minute=0, second=0, microsecond=0) + DAY
            yield start, min(end, midnight)
            start = midnight


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


def _offsets(lake: Lake, topic: str, since: datetime) -> list[dict[str, int]]:
    rows = lake.connection.execute(OFFSETS, {"since": since, "topic": topic}).fetchall()
    return [dict(zip(("partition", "first", "next"), row, strict=True)) for row in rows]


def _rows(lake: Lake, query: str, told: Mapping[str, Any]) -> list[Span]:
    return lake.connection.execute(query, dict(told)).fetchall()


def _one(lake: Lake, query: str, told: Mapping[str, Any] | None = None) -> datetime | None:
    row = lake.connection.execute(query, told).fetchone()
    return row[0] if row else None
