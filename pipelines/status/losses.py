"""What was lost, as far as it is known: frame numbers, frames given up, a log that changed, checks that failed."""

from collections.abc import Iterable
from datetime import timedelta

from pipelines.status.check import Check, bad, good, unknown
from pipelines.status.kafka import Away
from pipelines.status.seen import LAG_S, Seen

DOUBTFUL = """
WITH numbers AS (
    SELECT session, unnest(runs) AS number, unnest(run_times) AS ts, generate_subscripts(runs, 1) AS place, rowid AS row
    FROM session_frames WHERE runs IS NOT NULL AND ts_commit > $now::TIMESTAMP - INTERVAL 1 HOUR
), runs AS (
    SELECT session, min(number) AS first, max(number) AS last, min(ts) AS began, max(ts) AS ended
    FROM numbers GROUP BY session, row, (place + 1) // 2
), beside AS (
    SELECT session, first, began, max(last) OVER earlier AS before, max(ended) OVER earlier AS ended_before
    FROM runs WINDOW earlier AS (PARTITION BY session ORDER BY first ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), told AS (
    SELECT session, max(frames) AS frames, min(frames) AS frames_before FROM collector_events
    WHERE venue <> '' AND ts > $now::TIMESTAMP - INTERVAL 1 HOUR AND ts < $settled GROUP BY session
), stored AS (
    SELECT session, max(last) AS last FROM runs GROUP BY session
)
SELECT session FROM beside
WHERE first > before + 1 AND ended_before > $now::TIMESTAMP - INTERVAL 1 HOUR AND began < $settled
UNION
SELECT session FROM told LEFT JOIN stored USING (session) WHERE frames > coalesce(last, frames_before)
"""
"""Sessions of which a number that came in the last hour seems to be missing: quick, and right where it finds none."""
MISSING = """
SELECT n.venue, sum(n.frames)::BIGINT AS missing, count(DISTINCT session) AS sessions
FROM frame_numbers AS n JOIN frames_accounted AS a USING (session)
WHERE session IN (SELECT unnest($sessions)) AND n.fate = 'missing' AND coalesce(n.recv_after, a.last_sign) < $settled
GROUP BY n.venue ORDER BY n.venue
"""
TOLD = """
SELECT event, venue, count(*) AS times, any_value(reason ORDER BY ts DESC) AS reason, max(ts) AS last,
    coalesce(sum(TRY_CAST(json_extract_string(detail, '$.frames') AS BIGINT)), 0)::BIGINT AS frames
FROM collector_events WHERE event IN ('dropped', 'log_changed') AND ts > $now::TIMESTAMP - INTERVAL 1 DAY
GROUP BY ALL ORDER BY ALL
"""
FAILED = "SELECT name, offenders, meaning FROM audit_last WHERE result = 'failure' ORDER BY name"


def missing(seen: Seen) -> Iterable[Check]:
    """Every frame number of the last hour is stored or named as given up, but those that may still be on their way.

    A number that is not stored, though later ones of its session have been for longer than any record may wait, is missing.
    Older ones are the audit's, every hour.
    """
    if behind := seen.behind():
        return [unknown("frames", f"{behind}, so which are missing is not known")]
    if isinstance(seen.kafka, Away):
        return [unknown("frames", "Kafka is away, so frames that are not stored may still be in it")]
    settled = seen.now - timedelta(seconds=2 * LAG_S + seen.grid_s)
    doubtful = [row["session"] for row in seen.rows(DOUBTFUL, settled=settled)]
    found = [
        bad(f"frames {row['venue']}", f"{row['missing']:,} frames are missing, of {row['sessions']} sessions of the last hour",
            f"`from frame_numbers where fate = 'missing' and venue = '{row['venue']}'`")
        for row in (seen.rows(MISSING, settled=settled, sessions=doubtful) if doubtful else [])
    ]  # fmt: skip
    waits = sum(lag.behind for lag in seen.kafka.lags)
    note = (
        f"; {waits:,} wait in Kafka, which `frames_accounted` counts as missing until they are committed"
        if waits
        else ""
    )
    return found or [good("frames", f"none of the last hour is missing{note}")]


def told(seen: Seen) -> Iterable[Check]:
    """In the last day no collector gave frames up, and Kafka's log was the one that was read before."""
    found = [_told(row) for row in seen.rows(TOLD)]
    return found or [good("losses", "none was reported in the last day")]


def _told(row: dict[str, object]) -> Check:
    if row["event"] == "dropped":
        said = f"{row['frames']:,} frames were dropped, last at {row['last']:%H:%M}: {row['reason']}"
        return bad(
            f"dropped {row['venue']}",
            said,
            "`from collector_events where event = 'dropped'`; a larger spool keeps more",
        )
    said = f"Kafka's log is not the one that was read before, {row['last']:%H:%M}: {row['reason']}"
    return bad(
        "log changed",
        said,
        "`from collector_events where event = 'log_changed'`; `from feed_gaps` shows what is unknown",
    )


def audit(seen: Seen) -> Iterable[Check]:
    """The last audit found nothing that must not be."""
    found = [
        bad(f"check {row['name']}", f"{row['offenders']:,} rows break the rule: {row['meaning']}",
            f"`liq audit`, then `from audit_last where name = '{row['name']}'`")
        for row in seen.rows(FAILED)
    ]  # fmt: skip
    return found or [good("audit", "no check has failed")]
