"""What the rollups have still to take in: written down in the very transaction that changes it, so it is known exactly.

Neither a row's time of arrival nor its place in the lake tells it: rows of long ago arrive late, are rewritten by
reprocessing, are completed by a contract that is described later, and move when files are joined.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import duckdb
import polars as pl

from warehouse.tables import Table
from warehouse.tables.rollups import ROLLUP_PENDING

MINUTE = timedelta(minutes=1)
MOST = 10_000  # minutes kept in mind
_NOTES = "liq_notes"


class Noted(NamedTuple):
    """Minutes known to be pending in the lake as it was when `snapshot` was its newest."""

    snapshot: int
    minutes: frozenset[datetime]


NOTHING_NOTED = Noted(-1, frozenset())


def touched(table: Table, rows: pl.DataFrame) -> pl.DataFrame:
    """Return what rows of `table`, stored or taken out, leave to the rollups, as rows of `rollup_pending`."""
    schema = ROLLUP_PENDING.schema
    if not table.rolled_by or rows.is_empty():
        return schema.to_frame()
    if len(table.rolled_by) == 1:
        return pl.concat([schema.to_frame(), _runs(rows[table.rolled_by[0]])], how="diagonal")
    return pl.concat([schema.to_frame(), rows.select(table.rolled_by).unique(maintain_order=True)], how="diagonal")


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


def note_again(connection: duckdb.DuckDBPyConnection, notes: Sequence[pl.DataFrame], before: Noted) -> Noted:
    """Store rows of `rollup_pending` but not the minutes noted `before`, where nobody else has committed since then.

    Return what is noted once the transaction is committed; it must store rows, and the caller holds the write lock. A note is
    a file more and some 8 ms a commit, and sixty commits of a second each are of one minute.
    """
    found = connection.execute("SELECT id FROM ducklake_current_snapshot('lake')").fetchone()
    snapshot = found[0] if found else -1
    minutes = set(before.minutes) if before.snapshot == snapshot else set()
    new = [frame.filter(pl.Series(_keep(frame, minutes), dtype=pl.Boolean)) for frame in notes]
    note(connection, new)
    return Noted(snapshot + 1, frozenset(minutes) if len(minutes) <= MOST else frozenset())


def _keep(notes: pl.DataFrame, minutes: set[datetime]) -> list[bool]:
    """Tell which notes are of a contract or of a minute that is not among `minutes`, and add theirs to these."""
    keep = []
    for since, until in notes.select("since", "until").iter_rows():
        own = {since + number * MINUTE for number in range((until - since) // MINUTE)} if since else set()
        keep.append(since is None or not own <= minutes)
        minutes |= own
    return keep


def _runs(times: pl.Series) -> pl.DataFrame:
    """Return since and until of each run of minutes without a gap, in which there is one of `times`; none spans days."""
    minutes = times.dt.truncate("1m").unique().sort().alias("since").to_frame()
    minute, day = pl.col("since"), pl.col("since").dt.truncate("1d")
    run = ((minute.diff() > MINUTE) | (day.diff() > timedelta(0))).fill_null(False).cum_sum().alias("run")
    return (
        minutes.group_by(run, maintain_order=True).agg(minute.min(), (minute.max() + MINUTE).alias("until")).drop("run")
    )
