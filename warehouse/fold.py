"""Merges old rows of `session_frames` and `ingest_commits`, which get new rows with every commit.

Nothing is lost. session_frames keeps every total of a session, topic and partition, and its runs of numbers are joined so that
each number is there as often as it was stored. ingest_commits keeps the offsets and the sums; only rows without a gap between
them become one row, so that a gap is still seen.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

import duckdb
import polars as pl

from warehouse.lake import Lake
from warehouse.runs import PACKED, RUNS, joined, packed, unpacked
from warehouse.tables import TABLES, Table

logger = logging.getLogger(__name__)

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
LEAST = 2
"""Rows are merged only if there are this many times as many as would remain."""
_FOLDED, _RUNS = "liq_folded", "liq_runs"


class Fold(NamedTuple):
    """How a table's rows become fewer: `keep`: rows of younger commits stay as they are; `by` names the rows that are folded,
    beside the day of ts_commit; `order` is how they follow one another and `breaks` an SQL condition that begins another
    row; `sums` is how each other column is made, by an aggregate of SQL or "runs"."""

    keep: timedelta
    by: tuple[str, ...]
    sums: Mapping[str, str]
    order: str = "ts_commit"
    breaks: str = "false"


OF_SESSION = ("venue", "feed", "source", "session", "transport", "kafka_topic", "kafka_partition")
FOLDS = {
    # soon, as numbers of one minute are spread over several commits: joined, they are a thousandth
    "session_frames": Fold(
        timedelta(minutes=10),  # longer than coverage looks back for commits (derive/coverage/touched.py)
        OF_SESSION,
        {
            **dict.fromkeys(("frames", "seq_sum", "frames_with_rows", "frames_without_rows", "frames_dead"), "sum"),
            **dict.fromkeys(("seq_min", "recv_first"), "min"),
            **dict.fromkeys(("seq_max", "recv_last", "ts_commit"), "max"),
            **dict.fromkeys(PACKED, "runs"),
            "received_again": "sum",
        },
        breaks="(seq_sum IS NULL) IS DISTINCT FROM lag(seq_sum IS NULL) OVER ("
        f"PARTITION BY {', '.join(OF_SESSION)} ORDER BY ts_commit)",
    ),
    "ingest_commits": Fold(
        DAY,
        ("cluster_id", "kafka_topic", "kafka_partition", "incarnation"),
        {
            **dict.fromkeys(("frames", "rows", "dead_letters"), "sum"),
            "offset_from": "min",
            # the text of a later record is greater
            **dict.fromkeys(("offset_next", "ts_commit", "commit_id", "appended_last", "last_record"), "max"),
        },
        # by offset, not by time: an offset is in one commit only, while clocks may be set back
        "offset_from",
        "offset_from IS DISTINCT FROM lag(offset_next) OVER (PARTITION BY cluster_id, kafka_topic, kafka_partition, "
        "incarnation ORDER BY offset_from, offset_next)",
    ),
    "commit_duplicates": Fold(DAY, ("table",), {"rows": "sum", "ts_commit": "max"}),
}


def fold(lake: Lake, now: datetime, known: Mapping[str, Table] = TABLES) -> int:
    """Fold the rows of commits that are old enough at `now` (UTC), per day; return how many rows went.

    One transaction a table and day, under the write lock: killed, a day is folded or it is not. Run twice, the second does
    nothing. Raises WriteFailedError, WarehouseBusyError.
    """
    return sum(_fold_table(lake, name, now - how.keep) for name, how in FOLDS.items() if name in known)


def _fold_table(lake: Lake, name: str, before: datetime) -> int:
    return sum(_fold(lake, name, day, min(before, day + DAY)) for day in _days(lake, name, before))


def _days(lake: Lake, name: str, before: datetime) -> list[datetime]:
    """Return the days (their midnight) whose rows would become at most one LEAST-th."""
    keys = ", ".join(f'"{column}"' for column in FOLDS[name].by)
    rows = lake.connection.execute(
        f"SELECT date_trunc('day', ts_commit)::TIMESTAMP AS day FROM {name} WHERE ts_commit < ? GROUP BY day "
        f"HAVING count(*) >= {LEAST} * count(DISTINCT ({keys}, 0)) ORDER BY day",
        [before],
    ).fetchall()
    return [day for (day,) in rows]


def _fold(lake: Lake, name: str, since: datetime, until: datetime) -> int:
    how = FOLDS[name]
    where = f"ts_commit >= TIMESTAMP '{since}' AND ts_commit < TIMESTAMP '{until}'"
    keys = ", ".join(f'"{column}"' for column in how.by)
    columns = ", ".join(f'{_made(how, column)}::{kind} AS "{column}"' for column, kind in TABLES[name].types.items())
    parts = (
        f"SELECT *, sum(CASE WHEN liq_first THEN 1 ELSE 0 END) OVER (PARTITION BY {keys} ORDER BY liq_order ROWS UNBOUNDED "
        f"PRECEDING) AS liq_part FROM (SELECT *, {how.breaks} AS liq_first, {how.order} AS liq_order FROM {name} "
        f"WHERE {where})"
    )
    with lake.transaction() as connection:
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {_FOLDED} AS SELECT {columns} FROM ({parts}) GROUP BY {keys}, liq_part"
        )
        gone = _count(connection.execute(f"SELECT count(*) FROM {name} WHERE {where}").fetchone())
        made = _count(connection.execute(f"SELECT count(*) FROM {_FOLDED}").fetchone())
        if made < gone:
            if "runs" in how.sums.values():
                _join_runs(connection, name, since, until)
            connection.execute(f"DELETE FROM {name} WHERE {where}")
            connection.execute(f"INSERT INTO {name} BY NAME FROM {_FOLDED}")
        connection.execute(f"DROP TABLE temp.{_FOLDED}")
    return gone - made


def _made(how: Fold, column: str) -> str:
    if column in how.by:
        return f'"{column}"'
    return "NULL" if how.sums[column] == "runs" else f'{how.sums[column]}("{column}")'


def _join_runs(connection: duckdb.DuckDBPyConnection, name: str, since: datetime, until: datetime) -> None:
    """Put the runs of each session into one of its rows in the folded table; an hour's at a time are in memory."""
    runs = pl.DataFrame(schema={"session": pl.String(), **RUNS})
    start = since
    while start < until:
        rows = connection.execute(
            f"SELECT session, {', '.join(PACKED)} FROM {name} WHERE ts_commit >= ? AND ts_commit < ? AND runs IS NOT NULL",
            [start, start := min(start + HOUR, until)],
        ).pl()
        runs = joined(pl.concat([runs, unpacked(rows)]))
    connection.register(_RUNS, packed(runs).to_arrow())
    try:
        connection.execute(
            f"UPDATE {_FOLDED} AS f SET {', '.join(f'{column} = r.{column}' for column in PACKED)} FROM {_RUNS} AS r "
            f"WHERE f.session = r.session AND f.rowid IN ("
            f"SELECT min(rowid) FROM {_FOLDED} WHERE seq_sum IS NULL GROUP BY session)"
        )
    finally:
        connection.unregister(_RUNS)


def _count(row: tuple[int, ...] | None) -> int:
    return row[0] if row else 0
