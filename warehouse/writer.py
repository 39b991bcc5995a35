"""Rows and the offsets they came from, in one transaction: `append`, `replace`, `rewrite`, `offsets`."""

import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple, TypeVar

import duckdb
import polars as pl

from warehouse.checked import checked
from warehouse.claim import Claim
from warehouse.clashes import clash
from warehouse.completed import complete, completest
from warehouse.errors import FramesChangedError, OvertakenError, StoredError, WriteFailedError
from warehouse.frames import registered
from warehouse.lake import Lake, quoted
from warehouse.noted import NOTHING_NOTED
from warehouse.pending import note, note_again, touched
from warehouse.superseding import LATEST_BY, has_key, last_of_bucket, stretches, supersede
from warehouse.tables import TABLES, Table

logger = logging.getLogger(__name__)

BATCH = "liq_batch"
DUPLICATES = "commit_duplicates"
PASSING = ("database is locked", "transaction conflict", "conflict on commit")
OUTLINED_AT_ONCE = 20_000
FRAME = ("kafka_topic", "kafka_partition", "kafka_offset", "session", "seq")
"""The columns that say which frame a row came from; an offset alone means nothing in another Kafka cluster."""

OFFSETS = """
WITH logs AS (
    SELECT kafka_topic, kafka_partition, incarnation, max(offset_next) AS offset_next, max(ts_commit) AS last
    FROM ingest_commits WHERE cluster_id = ? GROUP BY ALL
)
SELECT kafka_topic, kafka_partition, offset_next FROM logs
QUALIFY row_number() OVER (PARTITION BY kafka_topic, kafka_partition ORDER BY incarnation IS NULL, last DESC) = 1
"""
NEWEST_APPEND = """
SELECT kafka_topic, max(appended_last) FROM ingest_commits
WHERE cluster_id = ? AND appended_last IS NOT NULL GROUP BY kafka_topic
"""

Done = TypeVar("Done")


class Appended(NamedTuple):
    """What one table took: rows stored, and duplicates (key stored before, or repeated in the batch) left out."""

    rows: int
    duplicates: int


class Frames(NamedTuple):
    """The rows of `raw_frames` of some topics that arrived in [since, until), UTC; `number`: how many they were when read."""

    since: datetime
    until: datetime
    topics: tuple[str, ...]
    number: int

    @property
    def where(self) -> str:
        """The SQL condition for these frames, and for the rows of any table that may have come from them."""
        topics = ", ".join(quoted(topic) for topic in self.topics)
        return (
            f"ts_recv >= TIMESTAMP {quoted(str(self.since))} AND ts_recv < TIMESTAMP {quoted(str(self.until))} "
            f"AND kafka_topic IN ({topics})"
        )


class Rewritten(NamedTuple):
    """What became of one table's rows: taken out, stored, and left as they were."""

    gone: int
    stored: int
    kept: int


def append(
    lake: Lake, tables: Mapping[str, pl.DataFrame], known: Mapping[str, Table] = TABLES, claim: Claim | None = None
) -> dict[str, Appended]:
    """Store all frames in one transaction, the rows with the `session_frames` and `ingest_commits` that account for them.

    In: a frame per table name, columns in any order, types as `TABLES[name].schema`. Of a table with a key, rows whose key
    is stored already, or repeats in the frame, are left out: the first stays, unless a later one completes it (`completed`). A
    row with a null in a nullable column of the key has none and is always stored, as in SQL's UNIQUE. Of a table with a
    grid_key the row that happened last stays: it takes the place of a stored one. How many were left out is stored in
    `commit_duplicates`. Out: counts per table. Raises WrongColumnsError before anything is written, KeyError for an unknown
    table, WarehouseBusyError, and WriteFailedError when the transaction was rolled back; then read `offsets` again before
    going on. `claim`: in a lake that others write to as well; FencedError where another has stored what it claims.
    """
    whole = {name: checked(known[name], frame) for name, frame in tables.items()}
    filled = {name: frame for name, frame in whole.items() if frame.height}
    try:
        stored = _twice(lambda: _append_in_turn(lake, filled, known, claim))
    except StoredError:
        stored = {name: Appended(frame.height, 0) for name, frame in filled.items()}
    return {name: stored.get(name, Appended(0, 0)) for name in tables}


def replace(
    lake: Lake, table: str, frame: pl.DataFrame, where: str, known: Mapping[str, Table] = TABLES
) -> tuple[int, int]:
    """Replace the rows for which the SQL condition `where` holds by `frame`, in one transaction; return (gone, stored).

    Only for tables described with append_only=False. Raises ValueError for another table, else as `append`.
    """
    if known[table].append_only:
        raise ValueError(f"{table} is append-only: rows of it are never deleted")
    whole = checked(known[table], frame)
    with lake.transaction() as connection:
        gone = _count(connection.execute(f"DELETE FROM {table} WHERE {where}"))
        return gone, _insert(connection, known[table], whole) if whole.height else 0


def rewrite(
    lake: Lake, tables: Mapping[str, pl.DataFrame], frames: Frames, known: Mapping[str, Table] = TABLES
) -> dict[str, Rewritten]:
    """Make the rows that came from `frames` be those of `tables`, in one transaction; rows that are so already stay.

    The one way rows of an append-only table are taken out: for reprocessing. In: a frame per table name, as for `append`,
    with every row that `frames` give now. Rows from other frames are not touched. Of a table with a key, rows whose key is
    stored from another frame are left out; of several with one key the one that is stored now stays, else the first.
    Raises FramesChangedError where `raw_frames` has not `frames.number` of these frames, else as `append`.
    """
    whole = {name: checked(known[name], frame) for name, frame in tables.items()}
    return _twice(lambda: _rewrite(lake, whole, frames, known))


def offsets(lake: Lake, cluster_id: str) -> dict[tuple[str, int], int]:
    """Return for each (topic, partition) of the Kafka cluster the offset committed of the log it has now; else none."""
    rows = lake.connection.execute(OFFSETS, [cluster_id]).fetchall()
    return {(topic, partition): offset for topic, partition, offset in rows}


def newest_append(lake: Lake, cluster_id: str) -> dict[str, datetime]:
    """Return for each topic of the Kafka cluster when the broker took the newest record that is committed (UTC).

    A topic whose records do not say it is left out.
    """
    rows = lake.connection.execute(NEWEST_APPEND, [cluster_id]).fetchall()
    return dict(rows)


def _twice(write: Callable[[], Done]) -> Done:
    try:
        return write()
    except WriteFailedError as error:
        if not any(text in str(error).lower() for text in PASSING):
            raise
        logger.warning("trying the transaction once more: %s", error)  # it was rolled back whole, so nothing is doubled
        return write()


def _append_in_turn(
    lake: Lake, frames: Mapping[str, pl.DataFrame], known: Mapping[str, Table], claim: Claim | None
) -> dict[str, Appended]:
    """Store beside others; where that cannot be, under the write lock."""
    if claim and lake.is_shared:
        clashes = partial(clash, lake.connection, frames=frames, known=known)
        try:
            return _append(lake, frames, known, lake.transaction_beside(claim, clashes))
        except OvertakenError as error:
            lake.commits.conflicts += 1
            logger.debug("once more under the write lock: %s", error)
    return _append(lake, frames, known, lake.transaction(claim) if claim else lake.transaction())


def _append(
    lake: Lake,
    frames: Mapping[str, pl.DataFrame],
    known: Mapping[str, Table],
    transaction: AbstractContextManager[duckdb.DuckDBPyConnection],
) -> dict[str, Appended]:
    with transaction as connection:
        stored = {name: _insert(connection, known[name], frame) for name, frame in frames.items()}
        notes = [touched(known[name], frame) for name, frame in frames.items() if stored[name]]
        noted = note_again(connection, notes, lake.noted) if notes else NOTHING_NOTED
        done = {name: Appended(stored[name], frame.height - stored[name]) for name, frame in frames.items()}
        left_out = [(name, each.duplicates) for name, each in done.items() if each.duplicates]
        if left_out and DUPLICATES in known:
            told = pl.DataFrame(left_out, ["table", "rows"], orient="row")
            now = pl.lit(datetime.now(UTC).replace(tzinfo=None), pl.Datetime("us"))
            _insert(connection, known[DUPLICATES], checked(known[DUPLICATES], told.with_columns(ts_commit=now)))
    lake.noted = noted
    return done


def _rewrite(
    lake: Lake, tables: Mapping[str, pl.DataFrame], frames: Frames, known: Mapping[str, Table]
) -> dict[str, Rewritten]:
    with lake.transaction() as connection:
        stored = _count(connection.execute(f"SELECT count(*) FROM raw_frames WHERE {frames.where}"))
        if stored != frames.number:
            raise FramesChangedError(
                f"{frames.number} frames were read and now there are {stored}; nothing was changed"
            )
        done = {name: _rewritten(connection, known[name], frame, frames) for name, frame in tables.items()}
        note(connection, [part for _, parts in done.values() for part in parts])
        return {name: rewritten for name, (rewritten, _) in done.items()}


def _rewritten(
    connection: duckdb.DuckDBPyConnection, table: Table, frame: pl.DataFrame, frames: Frames
) -> tuple[Rewritten, list[pl.DataFrame]]:
    """Return what became of the rows, and what the rollups have to take in of it."""
    stored = _outlines_stored(connection, table, frames)
    gone, new = _difference(table, stored, frame)
    if not gone.is_empty():
        with registered(connection, BATCH, gone.select("liq_row")):
            rows = f"rowid IN (SELECT liq_row FROM {BATCH})"
            connection.execute(f"DELETE FROM {table.name} WHERE {frames.where} AND {rows}")
    inserted = _insert(connection, table, new) if new.height else 0
    return Rewritten(gone.height, inserted, stored.height - gone.height), [touched(table, gone), touched(table, new)]


def _outlines_stored(connection: duckdb.DuckDBPyConnection, table: Table, frames: Frames) -> pl.DataFrame:
    """Return row id and outline of the rows that came from `frames`; the rows themselves are never all in memory."""
    found = connection.execute(
        f"FROM (SELECT rowid AS liq_row, * FROM {table.name} WHERE {frames.where}) "
        f"SEMI JOIN (SELECT {', '.join(FRAME)} FROM raw_frames WHERE {frames.where}) USING ({', '.join(FRAME)})"
    )
    empty = _outline(table, table.schema.to_frame()).with_columns(liq_row=pl.lit(None, pl.Int64))
    parts = [empty]
    for batch in found.to_arrow_reader(OUTLINED_AT_ONCE):
        rows = pl.DataFrame(batch)
        parts.append(_outline(table, rows.select(table.schema.names())).with_columns(rows["liq_row"]))
    return pl.concat(parts)


def _outline(table: Table, frame: pl.DataFrame) -> pl.DataFrame:
    """Return of each row the key, which bars it changes, the frame it came from, what may be completed, and 64 bits of its
    contents."""
    own = dict.fromkeys([*_own(table), *(LATEST_BY if table.grid_key else ()), *table.completed])
    return frame.select(*own).with_columns(liq_hash=frame.hash_rows())


def _own(table: Table) -> list[str]:
    return list(dict.fromkeys((*table.key, *table.grid_key, *table.rolled_by, *FRAME)))


def _difference(table: Table, stored: pl.DataFrame, frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the outlines of what is stored and not in `frame`, and the rows of `frame` that are not stored."""
    found = _outline(table, frame).with_row_index("liq_index")
    if table.key or table.grid_key:  # of several rows with one key, first those whose frame gave the one that is stored
        own = _own(table)
        first = found.join(stored.select(own), on=own, how="semi", nulls_equal=True, maintain_order="left")
        others = found.join(stored.select(own), on=own, how="anti", nulls_equal=True, maintain_order="left")
        found = _once(table, pl.concat([first, others]))[1]
    alike = pl.int_range(pl.len()).over(*FRAME, "liq_hash").alias("liq_alike")
    stored, found = stored.with_columns(alike), found.with_columns(alike)
    by = [*FRAME, "liq_hash", "liq_alike"]
    gone = stored.join(found.select(by), on=by, how="anti", nulls_equal=True)
    new = found.join(stored.select(by), on=by, how="anti", nulls_equal=True)["liq_index"]
    return gone, frame[new.sort()]


def _insert(connection: duckdb.DuckDBPyConnection, table: Table, frame: pl.DataFrame) -> int:
    """Store the rows that are to be stored, and return by how many rows the table has grown, what they supersede apart."""
    keyed, once = _once(table, frame)
    once = supersede(connection, table, once)
    completed = complete(connection, table, keyed)
    with registered(connection, BATCH, once):
        stored = connection.execute(
            f"INSERT INTO {table.name} BY NAME SELECT * FROM {BATCH}{_not_stored(table, keyed)}"
        )
        return _count(stored) - completed


def _once(table: Table, frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows that have a key, one per key, and those with the rows that have none."""
    frame = last_of_bucket(table, frame)
    if not table.key:
        return frame.clear(), frame
    whole = has_key(table.key)
    keyed = completest(table, frame.filter(whole)).unique(table.key, keep="first", maintain_order=True)
    return keyed, keyed if keyed.height == frame.height else pl.concat([keyed, frame.filter(~whole)])


def _not_stored(table: Table, frame: pl.DataFrame) -> str:
    """Return the join that drops stored keys. It reads only the files of the times in the frame of rows with a key."""
    if frame.is_empty():
        return ""
    key = ", ".join(f'"{column}"' for column in table.key)
    # one scan per stretch of time: DuckLake prunes files by BETWEEN, not by an OR of several
    stored = " UNION ALL ".join(
        f"SELECT {key} FROM {table.name} WHERE {table.key_time} BETWEEN TIMESTAMP {quoted(first)} AND TIMESTAMP {quoted(last)}"
        for first, last in stretches(frame[table.key_time], table.key_slack)
    )
    return f" ANTI JOIN ({stored}) USING ({key})"


def _count(result: duckdb.DuckDBPyConnection) -> int:
    row = result.fetchone()
    return int(row[0]) if row else 0
