"""Upkeep of the lake, safe beside readers and writers: flush, expire, merge, clean up."""

import logging
from datetime import timedelta
from typing import Any, NamedTuple

import duckdb

from warehouse.errors import WriteFailedError
from warehouse.lake import Lake, one_line

logger = logging.getLogger(__name__)

SNAPSHOTS_PER_STEP = 2_000


class Maintained(NamedTuple):
    """What `maintain` did: rows flushed from the catalogue, files merged away and made by it, snapshots expired, files
    deleted from disk."""

    rows_flushed: int
    files_merged: int
    files_made: int
    snapshots_expired: int
    files_deleted: int


def maintain(
    lake: Lake, keep_snapshots: timedelta = timedelta(days=1), keep_files: timedelta = timedelta(hours=1)
) -> Maintained:
    """Flush inlined rows to Parquet, expire old snapshots, merge small files of a partition, delete files out of use.

    `keep_snapshots`: how far back a reader can name a snapshot. `keep_files`: how long a file that was replaced stays on
    disk for queries that still read it. The write lock is taken for one step of one table at a time, so that ingest waits
    for a step, not for all. Raises WriteFailedError naming the step; what was done before it stays done.
    """
    query = "SELECT table_name FROM duckdb_tables() WHERE database_name = 'lake' ORDER BY table_name"
    tables = [str(row[0]) for row in lake.connection.execute(query).fetchall()]
    flushed = _each(lake, tables, "CALL ducklake_flush_inlined_data('lake', table_name => '{}')")
    expired = _expire(lake, keep_snapshots)
    merged = _each(lake, tables, "CALL ducklake_merge_adjacent_files('lake', '{}')")
    deleted = _clean_up(lake, keep_files)
    orphans = _step(lake, f"CALL ducklake_delete_orphaned_files('lake', older_than => {_ago(keep_files)})")
    done = Maintained(
        rows_flushed=sum(int(row[-1]) for row in flushed),
        files_merged=sum(int(row[-2]) for row in merged),
        files_made=sum(int(row[-1]) for row in merged),
        snapshots_expired=expired,
        files_deleted=deleted + len(orphans),
    )
    logger.info("maintained %s: %s", lake.world, done)
    return done


def _expire(lake: Lake, keep: timedelta) -> int:
    # by number: on a SQLite catalogue DuckLake 1.0 compares older_than as text and takes all of that day for older
    query = (
        f"SELECT snapshot_id FROM ducklake_snapshots('lake') WHERE snapshot_time < {_ago(keep)} ORDER BY snapshot_id"
    )
    old = [int(row[0]) for row in lake.connection.execute(query).fetchall()]
    newest = lake.connection.execute("SELECT max(snapshot_id) FROM ducklake_snapshots('lake')").fetchone()
    old = [number for number in old if newest and number != newest[0]]
    for start in range(0, len(old), SNAPSHOTS_PER_STEP):
        _step(lake, f"CALL ducklake_expire_snapshots('lake', versions => {old[start : start + SNAPSHOTS_PER_STEP]})")
    return len(old)


def _clean_up(lake: Lake, keep: timedelta) -> int:
    # the same trap, so files replaced long enough ago are dated back to 1970 and asked for by that
    scheduled = "__ducklake_metadata_lake.ducklake_files_scheduled_for_deletion"
    _step(lake, f"UPDATE {scheduled} SET schedule_start = '1970-01-01 00:00:00+00' "
                f"WHERE schedule_start::TIMESTAMPTZ < {_ago(keep)}")  # fmt: skip
    return len(
        _step(lake, "CALL ducklake_cleanup_old_files('lake', older_than => TIMESTAMPTZ '1971-01-01 00:00:00+00')")
    )


def _each(lake: Lake, tables: list[str], call: str) -> list[tuple[Any, ...]]:
    return [row for table in tables for row in _step(lake, call.format(table))]


def _step(lake: Lake, call: str) -> list[tuple[Any, ...]]:
    with lake.write_lock():
        try:
            return lake.connection.execute(call).fetchall()
        except duckdb.Error as error:
            raise WriteFailedError(f"{call} failed in {lake.world}: {one_line(error)}") from error


def _ago(age: timedelta) -> str:
    return f"now() - to_microseconds({int(age.total_seconds() * 1e6)})"
