"""Upkeep of the lake, safe beside readers and writers: join small files, expire old snapshots, delete files out of use."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import duckdb

from warehouse.compact import compact
from warehouse.errors import WriteFailedError
from warehouse.fold import fold
from warehouse.lake import METADATA, Lake
from warehouse.messages import one_line
from warehouse.tables import TABLES, Table

logger = logging.getLogger(__name__)

SNAPSHOTS_PER_STEP = 2_000
KEEP_SNAPSHOTS = timedelta(minutes=10)
KEEP_FILES = timedelta(minutes=30)


class Maintained(NamedTuple):
    """What `maintain` did: files joined and what they became, snapshots expired, files deleted from disk, rows of the
    accounts of old commits that were summed."""

    files_joined: int
    files_made: int
    snapshots_expired: int
    files_deleted: int
    rows_folded: int


def maintain(
    lake: Lake,
    keep_snapshots: timedelta = KEEP_SNAPSHOTS,
    keep_files: timedelta = KEEP_FILES,
    known: Mapping[str, Table] = TABLES,
) -> Maintained:
    """Sum the accounts of old commits, join the small files of each table, expire old snapshots, delete files out of use.

    `keep_snapshots`: how long what was replaced stays in the catalogue; longer than any query takes to start, and how far
    back a reader can name a snapshot. Every query reads the catalogue whole, so keep it short. `keep_files`: how long files
    stay on disk after that; longer than any query runs. The write lock is taken for one group of files at a time, so ingest
    waits for a step, not for all. Raises WriteFailedError naming the step; what was done before it stays done.
    """
    folded = fold(lake, datetime.now(UTC).replace(tzinfo=None), known)
    joined = [compact(lake, table) for table in known.values()]
    done = Maintained(
        files_joined=sum(files for files, _ in joined),
        files_made=sum(made for _, made in joined),
        snapshots_expired=_expire(lake, keep_snapshots),
        files_deleted=_delete_scheduled(lake, keep_files) + _delete_orphans(lake, keep_files),
        rows_folded=folded,
    )
    logger.info("maintained %s: %s", lake.world, done)
    return done


def _expire(lake: Lake, keep: timedelta) -> int:
    # by number: on a SQLite catalogue DuckLake 1.0 compares older_than as text and takes all of that day for older
    query = f"SELECT snapshot_id, snapshot_time < {_ago(keep)} FROM ducklake_snapshots('lake') ORDER BY snapshot_id"
    snapshots = lake.connection.execute(query).fetchall()
    old = [int(number) for number, is_old in snapshots[:-1] if is_old]  # the newest is the lake as it is now
    for start in range(0, len(old), SNAPSHOTS_PER_STEP):
        _step(lake, f"CALL ducklake_expire_snapshots('lake', versions => {old[start : start + SNAPSHOTS_PER_STEP]})")
    return len(old)


def _delete_scheduled(lake: Lake, keep: timedelta) -> int:
    # the same trap, so files replaced long enough ago are dated back to 1970 and asked for by that
    scheduled = f"{METADATA}.ducklake_files_scheduled_for_deletion"
    long_ago = "schedule_start = '1970-01-01 00:00:00+00'"
    _step(lake, f"UPDATE {scheduled} SET {long_ago} WHERE schedule_start::TIMESTAMPTZ < {_ago(keep)}")
    return len(
        _step(lake, "CALL ducklake_cleanup_old_files('lake', older_than => TIMESTAMPTZ '1971-01-01 00:00:00+00')")
    )


def _delete_orphans(lake: Lake, keep: timedelta) -> int:
    if not lake.place.owns_files:  # whatever else lies there would be an orphan, too
        return 0
    return len(_step(lake, f"CALL ducklake_delete_orphaned_files('lake', older_than => {_ago(keep)})"))


def _step(lake: Lake, call: str) -> list[tuple[Any, ...]]:
    with lake.write_lock():
        try:
            return lake.connection.execute(call).fetchall()
        except duckdb.Error as error:
            raise WriteFailedError(
                f"{call[:80]} failed in {lake.world}: {one_line(error, lake.place.folder)}"
            ) from error


def _ago(age: timedelta) -> str:
    return f"now() - to_microseconds({int(age.total_seconds() * 1e6)})"
