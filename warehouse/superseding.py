"""Rows that are the last value of a bucket: of the rows with one `grid_key`, the one that happened last stays.

So a bucket may be stored in parts, for example if ingest ends in the middle of one. And a frame that waited at one of two
collectors never replaces a later value that came sooner.
"""

from datetime import timedelta
from typing import NamedTuple

import duckdb
import polars as pl

from warehouse.frames import read, registered
from warehouse.lake import quoted
from warehouse.pending import note, touched
from warehouse.tables import Table

BATCH = "liq_grid"
HAPPENED, TAKEN, OFFSET = LATEST_BY = ("ts_event", "ts_append", "kafka_offset")
"""Which of the values with one grid_key is the latest: by the exchange's clock; of one instant the one of the frame that the
broker took last, and of one millisecond that with the highest offset, as they lie in one partition. The offset alone does not
say it: a topic made anew counts from 0 again."""
ORDER = f"{HAPPENED} DESC, {TAKEN} DESC NULLS LAST, {OFFSET} DESC"
LATER = (
    f"CASE WHEN new.{HAPPENED} <> stored.{HAPPENED} THEN new.{HAPPENED} > stored.{HAPPENED} "
    f"WHEN new.{TAKEN} = stored.{TAKEN} OR new.{TAKEN} IS NULL OR stored.{TAKEN} IS NULL "
    f"THEN new.{OFFSET} > stored.{OFFSET} ELSE new.{TAKEN} > stored.{TAKEN} END"
)
ARRIVED = "ts_recv"
NEAR = timedelta(hours=1, seconds=5)
"""Rows with one grid_key arrived at most so far apart: the longest bucket, and how early a frame may be for its own."""
FILED_NEAR = timedelta(hours=2)
FILED_LATER = f"new.{HAPPENED} > stored.{HAPPENED}"
"""Rows of files have buckets of their own times, whenever they were imported; of one instant the first stays, so that a file
that is imported again changes nothing."""
KEY_GAP = timedelta(minutes=10)  # stored keys are sought per stretch of time; a longer gap in the batch starts another
MOST_STRETCHES = 16  # of sparse rows (settlements, hours apart) only the longest gaps do: each stretch is a scan


def has_key(key: tuple[str, ...]) -> pl.Expr:
    """Tell which rows have a key: those without a null in it."""
    return pl.all_horizontal(pl.col(name).is_not_null() for name in key)


def last_of_bucket(table: Table, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows without those that a later one of the same bucket replaces; order kept."""
    if not table.grid_key or frame.is_empty():
        return frame
    latest = frame.with_row_index("liq_n").filter(has_key(table.grid_key))
    latest = latest.sort(*LATEST_BY, descending=True, nulls_last=True, maintain_order=True)
    latest = latest.unique(table.grid_key, keep="first", maintain_order=True)
    stays = pl.int_range(pl.len()).is_in(latest["liq_n"].implode())
    return frame.filter(~has_key(table.grid_key) | stays)


def supersede(connection: duckdb.DuckDBPyConnection, table: Table, frame: pl.DataFrame) -> pl.DataFrame:
    """Take out of the table what rows of `frame` replace, and return those that are to be stored.

    In: one row per grid_key, in a transaction. What the rollups have to take in of the rows taken out is noted.
    """
    if not table.grid_key or frame.is_empty():
        return frame
    of_files = pl.col("source") == "import" if "source" in frame.columns else pl.lit(False)
    live = _supersede(connection, table, frame.filter(~of_files.fill_null(False)), _Search(ARRIVED, NEAR, LATER))
    filed = frame.filter(of_files.fill_null(False))
    if filed.is_empty():
        return live
    return pl.concat([live, _supersede(connection, table, filed, _Search(HAPPENED, FILED_NEAR, FILED_LATER))])


class _Search(NamedTuple):
    """Where a stored row of a bucket may lie: within `slack` of the new rows in the column `by`. `later`: SQL."""

    by: str
    slack: timedelta
    later: str


def _supersede(
    connection: duckdb.DuckDBPyConnection, table: Table, frame: pl.DataFrame, search: _Search
) -> pl.DataFrame:
    frame = frame.with_row_index("liq_n")
    keyed = frame.filter(has_key(table.grid_key))
    if keyed.is_empty():
        return frame.drop("liq_n")
    stored = _stored(connection, table, keyed, search)
    gone = stored.filter("liq_is_later")
    if gone.height:
        first, last = _ends(keyed[search.by], search.slack)
        rows = ", ".join(map(str, gone["liq_row"]))
        connection.execute(
            f"DELETE FROM {table.name} WHERE {search.by} BETWEEN {first} AND {last} AND rowid IN ({rows})"
        )
        note(connection, [touched(table, gone)])
    return frame.join(stored.filter(~pl.col("liq_is_later")), on="liq_n", how="anti", maintain_order="left").drop(
        "liq_n"
    )


def _stored(connection: duckdb.DuckDBPyConnection, table: Table, keyed: pl.DataFrame, search: _Search) -> pl.DataFrame:
    """Return what is stored of the buckets of new rows: row id, which new row is of its bucket and whether that is the later
    one, and the columns that say which bars it changes."""
    bucket, key = table.grid_key[-1], ", ".join(table.grid_key)
    columns = ", ".join(dict.fromkeys(("rowid AS liq_row", *table.grid_key, *table.rolled_by, *LATEST_BY)))
    first, last = _ends(keyed[search.by], search.slack)
    found = " UNION ALL ".join(
        f"SELECT {columns} FROM {table.name} "
        f"WHERE {search.by} BETWEEN {first} AND {last} "
        f"AND {bucket} BETWEEN TIMESTAMP {quoted(since)} AND TIMESTAMP {quoted(until)}"
        for since, until in stretches(keyed[bucket])
    )
    own = [f"stored.{name}" for name in table.rolled_by]
    told = ", ".join(["liq_row", "liq_n", f"{search.later} AS liq_is_later", *own])
    with registered(connection, BATCH, keyed.select("liq_n", *table.grid_key, *LATEST_BY)):
        return read(connection, f"SELECT {told} FROM ({found}) AS stored JOIN {BATCH} AS new USING ({key})")


def _ends(times: pl.Series, slack: timedelta) -> tuple[str, str]:
    ordered = times.drop_nulls().sort()
    if ordered.is_empty():
        return "TIMESTAMP '-infinity'", "TIMESTAMP 'infinity'"
    ends = ordered.gather([0, -1]).dt.offset_by("0s") + pl.Series([-slack, slack], dtype=pl.Duration("us"))
    first, last = ends.dt.to_string("iso")
    return f"TIMESTAMP {quoted(first)}", f"TIMESTAMP {quoted(last)}"


def stretches(times: pl.Series, slack: timedelta = timedelta(0)) -> list[tuple[str, str]]:
    """Return first and last instant of each stretch of `times` without a gap over KEY_GAP, cut at the longest gaps only.

    Each is longer by `slack` on both sides.
    """
    ordered = pl.DataFrame({"ts": times.unique().sort()})
    gaps = ordered["ts"].diff().drop_nulls().sort(descending=True)
    gap = max(KEY_GAP, gaps[MOST_STRETCHES - 1]) if gaps.len() >= MOST_STRETCHES else KEY_GAP
    number = (pl.col("ts").diff() > gap).fill_null(False).cum_sum()
    found = ordered.group_by(number.alias("number"), maintain_order=True).agg(
        first=pl.col("ts").min() - slack, last=pl.col("ts").max() + slack
    )
    return list(found.select(pl.col("first", "last").dt.to_string("iso")).iter_rows())
