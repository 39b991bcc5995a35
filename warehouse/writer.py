"""Rows and the offsets they came from, in one transaction: `append`, `replace`, `offsets`."""

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple

import duckdb
import polars as pl

from warehouse.errors import WriteFailedError, WrongColumnsError
from warehouse.lake import Lake, quoted
from warehouse.tables import TABLES, Table

logger = logging.getLogger(__name__)

BATCH = "liq_batch"
KEY_GAP = timedelta(minutes=10)  # stored keys are sought per stretch of time; a longer gap in the batch starts another
MOST_STRETCHES = 16  # of sparse rows (settlements, hours apart) only the longest gaps do: each stretch is a scan
PASSING = ("database is locked", "transaction conflict", "conflict on commit")


class Appended(NamedTuple):
    """What one table took: rows stored, and duplicates (key stored before, or repeated in the batch) left out."""

    rows: int
    duplicates: int


def append(lake: Lake, tables: Mapping[str, pl.DataFrame], known: Mapping[str, Table] = TABLES) -> dict[str, Appended]:
    """Store all frames in one transaction, the rows with the `session_frames` and `ingest_commits` that account for them.

    In: a frame per table name, columns in any order, types as `TABLES[name].schema`. Of a table with a key, rows whose key
    is stored already, or repeats in the frame, are left out (the first stays); a row with a null in a nullable column of
    the key has none and is always stored, as in SQL's UNIQUE. Out: counts per table.
    Raises WrongColumnsError before anything is written, KeyError for an unknown table, WarehouseBusyError, and
    WriteFailedError when the transaction was rolled back; then read `offsets` again before going on.
    """
    checked = {name: _checked(known[name], frame) for name, frame in tables.items()}
    filled = {name: frame for name, frame in checked.items() if frame.height}
    try:
        stored = _append(lake, filled, known)
    except WriteFailedError as error:
        if not any(text in str(error).lower() for text in PASSING):
            raise
        logger.warning("trying the transaction once more: %s", error)  # it was rolled back whole, so nothing is doubled
        stored = _append(lake, filled, known)
    return {name: stored.get(name, Appended(0, 0)) for name in tables}


def replace(
    lake: Lake, table: str, frame: pl.DataFrame, where: str, known: Mapping[str, Table] = TABLES
) -> tuple[int, int]:
    """Replace the rows for which the SQL condition `where` holds by `frame`, in one transaction; return (gone, stored).

    Only for tables described with append_only=False. Raises ValueError for another table, else as `append`.
    """
    if known[table].append_only:
        raise ValueError(f"{table} is append-only: rows of it are never deleted")
    checked = _checked(known[table], frame)
    with lake.transaction() as connection:
        gone = _count(connection.execute(f"DELETE FROM {table} WHERE {where}"))
        return gone, _insert(connection, known[table], checked) if checked.height else 0


def offsets(lake: Lake, cluster_id: str) -> dict[tuple[str, int], int]:
    """Return for each (topic, partition) of the Kafka cluster the offset to go on from; a new cluster gives none."""
    rows = lake.connection.execute(
        "SELECT kafka_topic, kafka_partition, max(offset_next) FROM ingest_commits WHERE cluster_id = ? GROUP BY ALL",
        [cluster_id],
    ).fetchall()
    return {(topic, partition): offset for topic, partition, offset in rows}


def _append(lake: Lake, frames: Mapping[str, pl.DataFrame], known: Mapping[str, Table]) -> dict[str, Appended]:
    with lake.transaction() as connection:
        stored = {name: _insert(connection, known[name], frame) for name, frame in frames.items()}
    return {name: Appended(stored[name], frame.height - stored[name]) for name, frame in frames.items()}


def _insert(connection: duckdb.DuckDBPyConnection, table: Table, frame: pl.DataFrame) -> int:
    keyed, once = _once(table, frame)
    connection.register(BATCH, once.to_arrow())
    try:
        return _count(connection.execute(f"INSERT INTO {table.name} SELECT * FROM {BATCH}{_not_stored(table, keyed)}"))
    finally:
        connection.unregister(BATCH)


def _once(table: Table, frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows that have a key, one per key, and those with the rows that have none."""
    if not table.key:
        return frame.clear(), frame
    whole = pl.all_horizontal(pl.col(name).is_not_null() for name in table.key)
    keyed = frame.filter(whole).unique(table.key, keep="first", maintain_order=True)
    return keyed, keyed if keyed.height == frame.height else pl.concat([keyed, frame.filter(~whole)])


def _not_stored(table: Table, frame: pl.DataFrame) -> str:
    """Return the join that drops stored keys. It reads only the files of the times in the frame of rows with a key."""
    if frame.is_empty():
        return ""
    key = ", ".join(f'"{column}"' for column in table.key)
    # one scan per stretch of time: DuckLake prunes files by BETWEEN, not by an OR of several
    stored = " UNION ALL ".join(
        f"SELECT {key} FROM {table.name} WHERE {table.key_time} BETWEEN TIMESTAMP {quoted(first)} AND TIMESTAMP {quoted(last)}"
        for first, last in _stretches(frame[table.key_time])
    )
    return f" ANTI JOIN ({stored}) USING ({key})"


def _stretches(times: pl.Series) -> list[tuple[str, str]]:
    """Return first and last instant of each stretch of `times` without a gap over KEY_GAP, cut at the longest gaps only."""
    ordered = pl.DataFrame({"ts": times.unique().sort()})
    gaps = ordered["ts"].diff().drop_nulls().sort(descending=True)
    gap = max(KEY_GAP, gaps[MOST_STRETCHES - 1]) if gaps.len() >= MOST_STRETCHES else KEY_GAP
    number = (pl.col("ts").diff() > gap).fill_null(False).cum_sum()
    stretches = ordered.group_by(number.alias("number"), maintain_order=True).agg(
        pl.col("ts").min().dt.to_string("iso").alias("first"), pl.col("ts").max().dt.to_string("iso").alias("last")
    )
    return list(stretches.select("first", "last").iter_rows())


def _checked(table: Table, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with its columns in the table's order."""
    schema = table.schema
    if missing := schema.keys() - frame.schema.keys():
        raise WrongColumnsError(f"{table.name}: the frame lacks {', '.join(sorted(missing))}")
    if unknown := frame.schema.keys() - schema.keys():
        raise WrongColumnsError(f"{table.name}: the table has no column {', '.join(sorted(unknown))}")
    for name, wanted in schema.items():
        given = frame.schema[name]
        if given != wanted and given != pl.Null:
            raise WrongColumnsError(f"{table.name}.{name} takes {wanted}, the frame has {given}")
    for name in table.key:
        if not table.column(name).null_when and frame[name].null_count():
            raise WrongColumnsError(f"{table.name}.{name} is part of the key and may not be null")
    return frame.select(schema.names())


def _count(result: duckdb.DuckDBPyConnection) -> int:
    row = result.fetchone()
    return int(row[0]) if row else 0
