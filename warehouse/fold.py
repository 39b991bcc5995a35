"""Fewer rows that say the same: `session_frames` and `ingest_commits` grow by rows with every commit, so old ones are summed.

What is summed is exact: of session_frames every total of a session, topic and partition stays, of ingest_commits the offsets
(only runs without a gap become one row, so a gap stays to be seen) and the sums.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from warehouse.lake import Lake
from warehouse.tables import TABLES, Table

logger = logging.getLogger(__name__)

KEEP = timedelta(days=1)
"""Rows of commits younger than this stay as they are."""
LEAST = 2
"""So many times as many rows as they would become make folding worth the write."""


class Fold(NamedTuple):
    """How a table's rows become fewer: `by` names the rows that are summed, beside the day of ts_commit; `runs` is an SQL
    expression over the rows that also tells them apart; `sums` is how each other column is made."""

    by: tuple[str, ...]
    sums: Mapping[str, str]
    runs: str = "false"


FOLDS = {
    "session_frames": Fold(
        ("venue", "session", "transport", "kafka_topic", "kafka_partition"),
        {
            **dict.fromkeys(("frames", "seq_sum", "frames_with_rows", "frames_without_rows", "frames_dead"), "sum"),
            **dict.fromkeys(("seq_min", "recv_first"), "min"),
            **dict.fromkeys(("seq_max", "recv_last", "ts_commit"), "max"),
        },
    ),
    "ingest_commits": Fold(
        ("cluster_id", "kafka_topic", "kafka_partition", "incarnation"),
        {
            **dict.fromkeys(("frames", "rows", "dead_letters"), "sum"),
            "offset_from": "min",
            # the text of a later record is greater
            **dict.fromkeys(("offset_next", "ts_commit", "commit_id", "appended_last", "last_record"), "max"),
        },
        # by offset, not by time: an offset is in one commit only, while clocks may be set back
        runs="offset_from IS DISTINCT FROM lag(offset_next) OVER (PARTITION BY cluster_id, kafka_topic, kafka_partition, "
        "incarnation ORDER BY offset_from, offset_next)",
    ),
    "commit_duplicates": Fold(("table",), {"rows": "sum", "ts_commit": "max"}),
}


def fold(lake: Lake, now: datetime, known: Mapping[str, Table] = TABLES, keep: timedelta = KEEP) -> int:
    """Sum the rows of commits made before `now` - `keep` (UTC; to the whole hour), per day; return how many rows went.

    One transaction a table and day, under the write lock: killed, a day is folded or it is not. Run twice, the second does
    nothing. Raises WriteFailedError, WarehouseBusyError.
    """
    before = (now - keep).replace(minute=0, second=0, microsecond=0)
    return sum(_fold(lake, name, day, before) for name in FOLDS if name in known for day in _days(lake, name, before))


def _days(lake: Lake, name: str, before: datetime) -> list[datetime]:
    """Return the days (their midnight) whose rows would become at most one LEAST-th."""
    keys = ", ".join(f'"{column}"' for column in FOLDS[name].by)
    rows = lake.connection.execute(
        f"SELECT date_trunc('day', ts_commit)::TIMESTAMP AS day FROM {name} WHERE ts_commit < ? GROUP BY day "
        f"HAVING count(*) >= {LEAST} * count(DISTINCT ({keys}, 0)) ORDER BY day",
        [before],
    ).fetchall()
    return [day for (day,) in rows]


def _fold(lake: Lake, name: str, day: datetime, before: datetime) -> int:
    how = FOLDS[name]
    where = f"ts_commit >= TIMESTAMP '{day}' AND ts_commit < TIMESTAMP '{min(before, day + timedelta(days=1))}'"
    keys = ", ".join(f'"{column}"' for column in how.by)
    columns = ", ".join(
        f'"{column}"' if column in how.by else f'{how.sums[column]}("{column}")::{kind} AS "{column}"'
        for column, kind in TABLES[name].types.items()
    )
    runs = (
        f"SELECT *, sum(CASE WHEN liq_first THEN 1 ELSE 0 END) OVER (PARTITION BY {keys} ORDER BY liq_order ROWS UNBOUNDED "
        f"PRECEDING) AS liq_run FROM (SELECT *, {how.runs} AS liq_first, {_order(how)} AS liq_order FROM {name} "
        f"WHERE {where})"
    )
    with lake.transaction() as connection:
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE liq_folded AS SELECT {columns} FROM ({runs}) GROUP BY {keys}, liq_run"
        )
        gone = _count(connection.execute(f"SELECT count(*) FROM {name} WHERE {where}").fetchone())
        made = _count(connection.execute("SELECT count(*) FROM liq_folded").fetchone())
        if made < gone:
            connection.execute(f"DELETE FROM {name} WHERE {where}")
            connection.execute(f"INSERT INTO {name} FROM liq_folded")
        connection.execute("DROP TABLE temp.liq_folded")
    return gone - made


def _order(how: Fold) -> str:
    return "offset_from" if "offset_from" in how.sums else "ts_commit"


def _count(row: tuple[int, ...] | None) -> int:
    return row[0] if row else 0
