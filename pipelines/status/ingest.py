"""How far ingest has come: Kafka itself, what waits in it, the last commit, and what could not be read."""

from collections.abc import Iterable
from contextlib import closing

from pipelines.settings import IngestSettings
from pipelines.status.check import Check, aged, bad, good, span, unknown
from pipelines.status.kafka import Away, Lag
from pipelines.status.seen import Seen
from warehouse.members import Member, Members

COMMIT_WITHIN_S = 120.0
FORGOTTEN_S = 3600.0
DEAD = """
SELECT venue, channel, count(*) AS dead, any_value(reason) AS reason FROM dead_letters
WHERE coalesce(ts_recv, $now) > $now::TIMESTAMP - INTERVAL 1 HOUR GROUP BY ALL ORDER BY dead DESC
"""


def kafka(seen: Seen) -> Iterable[Check]:
    """Kafka answers, and something has reached it."""
    if isinstance(seen.kafka, Away):
        return [
            bad("Kafka", seen.kafka.why, "`liq up` keeps one running, `liq broker start` starts one; see LIQ_KAFKA_*")
        ]
    if not any(lag.end for lag in seen.kafka.lags):
        mend = "does `liq collect` run, and what does its log say?"
        return [bad("Kafka", f"at {seen.kafka.address}; nothing has ever reached it", mend)]
    return [good("Kafka", f"at {seen.kafka.address}, {sum(lag.end for lag in seen.kafka.lags):,} records ever written")]


def lag(seen: Seen) -> Iterable[Check]:
    """Of each topic: how many records wait to be committed, and how long the oldest of them has."""
    if isinstance(seen.kafka, Away):
        return [unknown("lag", "Kafka is away, so it is not known what waits in it")]
    return [_lag(seen, each) for each in seen.kafka.lags if each.end]


def _lag(seen: Seen, of: Lag) -> Check:
    subject = f"lag {of.topic}"
    if not of.behind:
        return good(subject, "nothing waits")
    if of.oldest_ms is None:
        return unknown(subject, f"{of.behind:,} records wait; since when is not known")
    waits, may = seen.waits_s(of), seen.may_wait_s(of.topic)
    said = f"{of.behind:,} records wait, the oldest for {span(waits)}"
    if waits <= may:
        return Check(subject, "good", said, "", waits, may)
    mend = "`liq ingest --follow` commits them; if it runs, its log says what it waits for"
    return Check(subject, "needs you", f"{said}, expected within {span(may)}", mend, waits, may)


def commits(seen: Seen) -> Iterable[Check]:
    """Ingest has committed lately, or has nothing to commit."""
    last = seen.last_commit()
    waits = isinstance(seen.kafka, Away) or any(each.behind for each in seen.kafka.lags)
    if last is None:
        if isinstance(seen.kafka, Away):
            return [unknown("last commit", "never; Kafka is away, so whether anything waits is not known")]
        if waits:
            return [bad("last commit", "never", "`liq ingest --follow` moves what Kafka has into the tables")]
        return [good("last commit", "never; nothing waits")]
    found = aged(
        "last commit",
        "was",
        seen.age_s(last),
        COMMIT_WITHIN_S,
        "does `liq ingest --follow` run, and what does its log say?",
    )
    if not waits:
        return [found._replace(state="good", mend="")]
    return [found]


def workers(seen: Seen) -> Iterable[Check]:
    """Where several ingests may share the lake: who lives, and which partitions each of them has."""
    if not seen.lake.is_shared:
        return []
    with closing(Members(seen.lake.place)) as members:
        found = members.living(FORGOTTEN_S)
    gone_s = IngestSettings().worker_gone_s
    if all(each.age_s > gone_s for each in found):
        return [bad("ingests", "none lives", "`liq ingest --follow` on any machine that reaches Kafka and PostgreSQL")]
    return [_worker(each, gone_s) for each in found]


def _worker(of: Member, gone_s: float) -> Check:
    subject = f"ingest {of.process}@{of.host}"
    if of.age_s > gone_s:
        said = f"has said nothing for {span(of.age_s)}; the others have its partitions"
        return bad(subject, said, f"start it again there, with LIQ_DATA={of.world}")
    return good(subject, f"has {of.has or 'no partition, as there are more ingests than partitions'}")


def dead_letters(seen: Seen) -> Iterable[Check]:
    """No frame of the last hour was unreadable."""
    found = seen.rows(DEAD)
    if not found:
        return [good("dead letters", "none in the last hour")]
    first = found[0]
    dead, most = sum(row["dead"] for row in found), f"{first['venue']} {first['channel']}: {first['reason']}"
    said = f"{dead:,} in the last hour, most of {most}"
    return [
        bad(
            "dead letters",
            said,
            "`from dead_letters_summary`; once a parser is fixed, `liq reprocess` reads them again",
        )
    ]
