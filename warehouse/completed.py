"""Rows that a later one of the same key completes: it has what the first lacks, and lacks nothing that the first has."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import polars as pl

from warehouse.frames import read, registered
from warehouse.lake import quoted
from warehouse.pending import note, touched
from warehouse.superseding import stretches
from warehouse.tables import Table

BATCH = "liq_completing"


def completest(table: Table, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with those first that lack least of what may be completed; else in their order."""
    if not table.completed or frame.is_empty():
        return frame
    lacking = pl.sum_horizontal(pl.col(name).is_null() for name in table.completed)
    return frame.sort(lacking, maintain_order=True)


@contextmanager
def _held(connection: duckdb.DuckDBPyConnection, frame: pl.DataFrame) -> Iterator[None]:
    """Let SQL read `frame` as a table of DuckDB's own: to filter a registered frame it needs pyarrow, which ingest has not."""
    with registered(connection, f"{BATCH}_given", frame):
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {BATCH} AS FROM {BATCH}_given")
    try:
        yield
    finally:
        connection.execute(f"DROP TABLE IF EXISTS temp.{BATCH}")


def complete(connection: duckdb.DuckDBPyConnection, table: Table, frame: pl.DataFrame) -> int:
    """Take out of the table the rows that rows of `frame`, one per key, complete; return how many. Those are to be stored then.

    What the rollups have to take in of the rows taken out is noted. In a transaction.
    """
    if not table.completed or frame.is_empty():
        return 0
    better = " OR ".join(f'stored."{name}" IS NULL AND new."{name}" IS NOT NULL' for name in table.completed)
    worse = " OR ".join(f'stored."{name}" IS NOT NULL AND new."{name}" IS NULL' for name in table.completed)
    lacking = " OR ".join(f'"{name}" IS NULL' for name in table.completed)
    done = 0
    with _held(connection, frame.select(*table.key, *table.completed)):
        for first, last in stretches(frame[table.key_time], table.key_slack):
            within = f"{table.key_time} BETWEEN TIMESTAMP {quoted(first)} AND TIMESTAMP {quoted(last)} AND ({lacking})"
            rows = read(
                connection,
                f"SELECT stored.*, ({better}) AND NOT ({worse}) AS liq_is_better "
                f"FROM (SELECT rowid AS liq_row, * FROM {table.name} WHERE {within}) AS stored "
                f"JOIN {BATCH} AS new USING ({', '.join(table.key)})",
            ).filter("liq_is_better")
            if rows.height:
                numbers = ", ".join(map(str, rows["liq_row"]))
                connection.execute(f"DELETE FROM {table.name} WHERE {within} AND rowid IN ({numbers})")
                note(connection, [touched(table, rows)])
                done += rows.height
    return done
