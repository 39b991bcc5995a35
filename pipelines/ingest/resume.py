"""What a warehouse already knows: its contracts, what is committed of each log and session, and what sessions held when ingest
last committed.

Where a frame says only what changed, every committed bucket ends with a row of each symbol that changed in it: so the last rows
of a session are its state at the committed offsets, and a restarted ingest goes on without a new snapshot.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pipelines.columns.contracts.instruments import Instruments, from_table
from pipelines.ingest.incarnation import Partition
from pipelines.ingest.marks import Mark
from pipelines.ingest.whence import Committed
from pipelines.venues import VENUES, Held
from pipelines.venues.venue import Kept
from warehouse import lake
from warehouse.errors import LostCatalogueError, NoWarehouseError
from warehouse.frames import read
from warehouse.lake import Lake
from warehouse.worlds import told_world

KEPT = {name: venue.kept for name, venue in VENUES.items() if venue.kept}
LOOK_BACK = timedelta(days=2)  # funding changes at least at every settlement, at most 8 h apart

ENDED = """
SELECT session, max(epoch_ns(ts)) FROM collector_events
WHERE venue IN (SELECT unnest($venues)) AND event IN ('disconnected', 'stopped') AND ts > $since GROUP BY session
"""


MARKS = """
SELECT session, kafka_topic, kafka_partition, max(seq_max) FROM session_frames
WHERE $ever OR ts_commit > (SELECT max(ts_commit) FROM session_frames) - INTERVAL 8 DAYS
GROUP BY ALL ORDER BY max(ts_commit)
"""

COMMITTED = """
SELECT kafka_topic, kafka_partition, max(offset_next), incarnation, arg_max(last_record, offset_next),
    arg_max(epoch_ms(appended_last), offset_next)
FROM ingest_commits WHERE cluster_id = $cluster GROUP BY ALL
ORDER BY max(ts_commit)
"""

EARLIER = """
SELECT offset_next, last_record FROM ingest_commits
WHERE cluster_id = $cluster AND kafka_topic = $topic AND kafka_partition = $partition AND incarnation = $incarnation
    AND last_record IS NOT NULL
ORDER BY offset_next DESC
"""


def marks_from(warehouse: Lake, ever: bool = False) -> dict[Mark, int]:
    """Return the highest number stored of each session and partition, heard last at the end.

    Of those of the last eight days, longer than a frame may wait in a collector's spool; `ever`: of all, for who reads logs
    again that are kept for longer.
    """
    rows = warehouse.connection.execute(MARKS, {"ever": ever}).fetchall()
    return {(session, topic, partition): seq for session, topic, partition, seq in rows}


def committed_from(warehouse: Lake, cluster_id: str) -> dict[Partition, list[Committed]]:
    """Return the last commit of each log that the cluster's partitions have had, latest last."""
    found: dict[Partition, list[Committed]] = {}
    for topic, partition, offset, incarnation, record, appended_ms in warehouse.connection.execute(
        COMMITTED, {"cluster": cluster_id}
    ).fetchall():
        found.setdefault((topic, partition), []).append(Committed(offset, incarnation, record, appended_ms))
    return found


def earlier_from(warehouse: Lake, cluster_id: str, at: Partition, incarnation: str) -> Sequence[tuple[int, str]]:
    """Return a log's commits, latest first: the offset to go on from, and the last record before it."""
    told = {"cluster": cluster_id, "topic": at[0], "partition": at[1], "incarnation": incarnation}
    return warehouse.connection.execute(EARLIER, told).fetchall()


def known_instruments() -> Instruments | None:
    """Return the contracts that the warehouse at hand knows, None where there is no warehouse."""
    try:
        with lake.open(told_world()) as warehouse:
            return instruments_from(warehouse)
    except (NoWarehouseError, LostCatalogueError):
        return None


def instruments_from(warehouse: Lake, until: datetime | None = None) -> Instruments:
    """Return the contracts that a warehouse knows, with their margin tables; `until`: by frames that came before (UTC)."""
    tables = ("instruments", "leverage_tiers")
    where = "WHERE ts_recv < $until" if until else ""
    told = {"until": until} if until else None
    return from_table(*(read(warehouse.connection, f"FROM {name} {where}", told) for name in tables))


def held_from(warehouse: Lake, until: datetime | None = None) -> Held:
    """Return what every session that is alive holds, at the end or at `until` (UTC), where frames build on earlier ones."""
    found: Held = {}
    for kept in KEPT.values():
        if (newest := until or _newest(warehouse, kept)) is not None:
            told = {"since": newest - LOOK_BACK, "until": until}
            rows = warehouse.connection.execute(kept.last, told).fetchall()
            found |= {(session, symbol): kept.state(symbol, *parts) for session, symbol, *parts in rows}
    return found


def ended_from(warehouse: Lake) -> dict[str, int]:
    """Return those venues' sessions that have ended in the last two days, and when (UTC nanoseconds)."""
    own = {venue: kept for venue, kept in KEPT.items() if kept.by_session}
    newest = [at for kept in own.values() if (at := _newest(warehouse, kept)) is not None]
    if not newest:
        return {}
    told = {"since": max(newest) - LOOK_BACK, "venues": list(own)}
    return dict(warehouse.connection.execute(ENDED, told).fetchall())


def _newest(warehouse: Lake, kept: Kept) -> datetime | None:
    found = warehouse.connection.execute(kept.newest).fetchone()
    return found[0] if found else None
