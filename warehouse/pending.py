"""What the rollups have still to take in: written down in the very transaction that changes it, so it is known exactly.

Neither a row's time of arrival nor its place in the lake tells it: rows of long ago arrive late, are rewritten by
reprocessing, are completed by a contract that is described later, and move when files are joined.
"""

from collections.abc import Sequence
from datetime import timedelta

import duckdb
import polars as pl

from warehouse.tables import Table
from warehouse.tables.rollups import ROLLUP_PENDING

MINUTE = timedelta(minutes=1)
_NOTES = "liq_notes"


def touched(table: Table, rows: pl.DataFrame) -> pl.DataFrame:
    """Return what rows of `table`, stored or taken out, leave to the rollups, as rows of `rollup_pending`."""
    schema = ROLLUP_PENDING.schema
    if not table.rolled_by or rows.is_empty():
        return schema.to_frame()
    found = rows.select(table.rolled_by).unique(maintain_order=True)
    if found.width > 1:
        return pl.concat([schema.to_frame(), found], how="diagonal")
    return pl.concat([schema.to_frame(), _runs(found[table.rolled_by[0]])], how="diagonal")


def note(connection: duckdb.DuckDBPyConnection, notes: Sequence[pl.DataFrame]) -> None:
    """Store rows of `rollup_pending` in the transaction that is open."""
    filled = [frame for frame in notes if frame.height]
    if not filled:
        return
    connection.register(_NOTES, pl.concat(filled).to_arrow())
    try:
        connection.execute(f"INSERT INTO {ROLLUP_PENDING.name} FROM {_NOTES}")
    finally:
        connection.unregister(_NOTES)


def _runs(times: pl.Series) -> pl.DataFrame:
    """Return since and until of each run of minutes without a gap, in which there is one of `times`; none spans days."""
    minutes = times.dt.truncate("1m").unique().sort().alias("since").to_frame()
    minute, day = pl.col("since"), pl.col("since").dt.truncate("1d")
    run = ((minute.diff() > MINUTE) | (day.diff() > timedelta(0))).fill_null(False).cum_sum().alias("run")
    return (
        minutes.group_by(run, maintain_order=True).agg(minute.min(), (minute.max() + MINUTE).alias("until")).drop("run")
    )
