"""Notes which bars must be computed again (`rollup_pending`), in the same transaction that changes their rows.

Neither a row's arrival time nor its file would show this: old rows arrive late, are rewritten by reprocessing, are completed
by later contract data, and move when files are merged.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import duckdb
import polars as pl

from warehouse.frames import registered
from warehouse.noted import Noted
from warehouse.tables import Table
from warehouse.tables.rollups import ROLLUP_PENDING, UNITS

MOST = 10_000  # times kept in mind
_NOTES = "liq_notes"


def touched(table: Table, rows: pl.DataFrame) -> pl.DataFrame:
    """Return what rows of `table`, stored or taken out, leave to the rollups, as rows of `rollup_pending`."""
    schema, what = ROLLUP_PENDING.schema, table.touches
    if what is None or rows.is_empty():
        return schema.to_frame()
    if not what.bars:
        return pl.concat([schema.to_frame(), rows.select(what.by).unique(maintain_order=True)], how="diagonal")
    times = rows[what.by[0]].unique()
    reached = pl.concat([times, times + what.reach]) if what.reach else times
    return pl.concat(
        [schema.to_frame(), _runs(reached, UNITS[what.bars]).with_columns(bars=pl.lit(what.bars))], how="diagonal"
    )


def note(connection: duckdb.DuckDBPyConnection, notes: Sequence[pl.DataFrame]) -> None:
    """Store rows of `rollup_pending` in the transaction that is open."""
    filled = [frame for frame in notes if frame.height]
    if not filled:
        return
    with registered(connection, _NOTES, pl.concat(filled)):
        connection.execute(f"INSERT INTO {ROLLUP_PENDING.name} BY NAME FROM {_NOTES}")


def note_again(connection: duckdb.DuckDBPyConnection, notes: Sequence[pl.DataFrame], before: Noted) -> Noted:
    """Store rows of `rollup_pending` but not the times noted `before`, where nobody else has committed since then.

    Return what is noted once the transaction is committed; it must store rows, and the caller holds the write lock. A note is
    a file more and some 8 ms a commit, and sixty commits of a second each are of one minute.
    """
    found = connection.execute("SELECT id FROM ducklake_current_snapshot('lake')").fetchone()
    snapshot = found[0] if found else -1
    times = set(before.times) if before.snapshot == snapshot else set()
    new = [frame.filter(pl.Series(_keep(frame, times), dtype=pl.Boolean)) for frame in notes]
    note(connection, new)
    return Noted(snapshot + 1, frozenset(times) if len(times) <= MOST else frozenset())


def _keep(notes: pl.DataFrame, times: set[tuple[str, datetime]]) -> list[bool]:
    """Tell which notes are of a contract or of a time that is not among `times`, and add theirs to these."""
    keep = []
    for bars, since, until in notes.select("bars", "since", "until").iter_rows():
        unit = UNITS.get(bars, timedelta(0))
        own = {(bars, since + number * unit) for number in range((until - since) // unit)} if since else set()
        keep.append(since is None or not own <= times)
        times |= own
    return keep


def _runs(times: pl.Series, unit: timedelta) -> pl.DataFrame:
    """Return since and until of each run of units of time without a gap, in which there is one of `times`; none spans days."""
    starts = times.dt.truncate(unit).unique().sort().alias("since").to_frame()
    start, day = pl.col("since"), pl.col("since").dt.truncate("1d")
    run = ((start.diff() > unit) | (day.diff() > timedelta(0))).fill_null(False).cum_sum().alias("run")
    return starts.group_by(run, maintain_order=True).agg(start.min(), (start.max() + unit).alias("until")).drop("run")
