"""Maintains the lake while readers and writers run: merges small files, expires old snapshots, deletes unused files.

It deletes only files that this catalogue itself once named. Other files may belong to another catalogue, or to this one before
it was lost. They are counted; `liq maintain --list-unknown` lists them, and only `--delete-unknown` deletes them.
"""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import duckdb

from warehouse.compact import compact
from warehouse.errors import WarehouseBusyError, WriteFailedError
from warehouse.fold import fold
from warehouse.keeping.record import kept, write_down
from warehouse.keeping.unknown import unknown
from warehouse.lake import METADATA, Lake
from warehouse.messages import one_line
from warehouse.tables import TABLES, Table
from warehouse.turns import KEEP, UPKEEP, holder, turn

logger = logging.getLogger(__name__)

SNAPSHOTS_PER_STEP = 2_000
KEEP_SNAPSHOTS = timedelta(minutes=10)
KEEP_FILES = timedelta(minutes=30)
UNKNOWN = "%d files in %s are not named by the catalogue: `liq maintain --list-unknown` lists them"


class Maintained(NamedTuple):
    """What `maintain` did: files joined and what they became, snapshots expired, files deleted from disk, rows of the
    accounts of old commits that were summed, files that lie there and that the catalogue does not name."""

    files_joined: int
    files_made: int
    snapshots_expired: int
    files_deleted: int
    rows_folded: int
    files_unknown: int


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
    waits for a step, not for all. The catalogue is copied before files are deleted, so the newest copy never names one that
    is gone. Of those who maintain a lake, on whichever machine, one works and the others wait for it.

    Raises WarehouseBusyError where that takes too long, and WriteFailedError naming the step; what was done before it stays
    done.
    """
    place, most_s = lake.place, lake.settings.lock_timeout_s
    with turn(place, UPKEEP, within_s=most_s, role="maintain") as is_own:
        if not is_own:
            raise WarehouseBusyError(
                f"{holder(place, UPKEEP)} has worked on {place} for {most_s:.0f} s: stop it or wait"
            )
        return _maintain(lake, keep_snapshots, keep_files, known)


def _maintain(lake: Lake, keep_snapshots: timedelta, keep_files: timedelta, known: Mapping[str, Table]) -> Maintained:
    folded = fold(lake, datetime.now(UTC).replace(tzinfo=None), known)
    joined = [compact(lake, table) for table in known.values()]
    expired = _expire(lake, keep_snapshots)
    written = write_down(lake, keep_files)
    done = Maintained(
        files_joined=sum(files for files, _ in joined),
        files_made=sum(made for _, made in joined),
        snapshots_expired=expired,
        files_deleted=_delete_scheduled(lake, keep_files) if written else 0,
        rows_folded=folded,
        files_unknown=len(unknown(lake)) if lake.place.local_files else 0,
    )
    if done.files_unknown:
        logger.info(UNKNOWN, done.files_unknown, lake.place.files)
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
    scheduled = f"{METADATA}.ducklake_files_scheduled_for_deletion"
    own = "CAST(path_is_relative AS INTEGER) = 1 AND NOT contains(path, '..')"  # no file outside the lake's own place
    with kept(lake.place, alone=True) as alone:
        if not alone:
            logger.info("no file of %s is deleted while %s works", lake.place, holder(lake.place, KEEP) or "a backup")
            return 0
        # the same trap, so files replaced long enough ago are dated back to 1970 and asked for by that
        long_ago = "schedule_start = '1970-01-01 00:00:00+00'"
        _step(lake, f"UPDATE {scheduled} SET {long_ago} WHERE schedule_start::TIMESTAMPTZ < {_ago(keep)} AND {own}")
        return len(
            _step(lake, "CALL ducklake_cleanup_old_files('lake', older_than => TIMESTAMPTZ '1971-01-01 00:00:00+00')")
        )


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
