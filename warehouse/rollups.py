"""Bars of liquidations, kept as the rows below them change: what is pending is found, computed anew and put in place.

`rollup_pending` says which minutes changed (`pending.py`). A day is one transaction: bars that are touched go, those that
the rows give now are stored, and its pending rows go with them, so a crash or a second run leaves nothing half done.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

import duckdb

from warehouse.lake import Lake
from warehouse.pending import note, touched
from warehouse.statements import rollup
from warehouse.tables.liquidations import LIQUIDATIONS

DAY = timedelta(days=1)
_MINUTES = "liq_minutes"
_NOT_WHOLE = "base IS NULL OR qty_base IS NULL OR notional_usd IS NULL"  # what liquidations_complete fills in


class Bars(NamedTuple):
    """A rollup table, its column of time and the length of its bars, in SQL's words."""

    table: str
    time: str
    length: str


BARS = (
    Bars("liquidations_1m", "minute", "1 MINUTE"),
    Bars("liquidations_1h", "hour", "1 HOUR"),
    Bars("liquidations_1d", "day", "1 DAY"),
    Bars("liquidation_cells_15m", "bin_start", "15 MINUTES"),
)
"""Hours are made from minutes and days from hours, minutes and cells from the rows."""
FROM_ROWS = ("liquidations_1m", "liquidation_cells_15m")


def pending_days(lake: Lake) -> list[datetime]:
    """Return the days (their first instants, UTC) with minutes that are to be computed anew, newest first."""
    found = lake.connection.execute(
        "SELECT DISTINCT time_bucket(INTERVAL 1 DAY, since) AS day FROM rollup_pending WHERE since IS NOT NULL ORDER BY 1 DESC"
    )
    return [day for (day,) in found.fetchall()]


def mark_contracts(lake: Lake) -> int:
    """Mark the minutes of rows that wait for facts on contracts described anew; return how many contracts there were.

    The rows are sought before the lock is taken: one that comes meanwhile marks its own minute. Raises WriteFailedError.
    """
    pending = "SELECT DISTINCT venue, symbol FROM rollup_pending WHERE venue IS NOT NULL"
    contracts = lake.connection.execute(pending).pl()
    if contracts.is_empty():
        return 0
    lake.connection.register("liq_contracts", contracts.to_arrow())
    try:
        waiting = lake.connection.execute(
            f"SELECT DISTINCT time_bucket(INTERVAL 1 MINUTE, ts_event) AS ts_event FROM liquidations "
            f"SEMI JOIN liq_contracts USING (venue, symbol) WHERE {_NOT_WHOLE}"
        ).pl()
        with lake.transaction() as connection:
            connection.execute(
                "DELETE FROM rollup_pending WHERE (venue, symbol) IN (SELECT (venue, symbol) FROM liq_contracts)"
            )
            note(connection, [touched(LIQUIDATIONS, waiting)])
    finally:
        lake.connection.unregister("liq_contracts")
    return contracts.height


def mark_all(lake: Lake) -> None:
    """Mark every day that has liquidations or bars as to be computed anew. Raises WriteFailedError."""
    with lake.transaction() as connection:
        connection.execute(
            "INSERT INTO rollup_pending (since, until) SELECT day, day + INTERVAL 1 DAY FROM ("
            "SELECT time_bucket(INTERVAL 1 DAY, ts_event) AS day FROM liquidations UNION SELECT day FROM liquidations_1d)"
        )


def never_rolled(lake: Lake) -> bool:
    """Tell whether there are liquidations and of some length not one bar, as in a warehouse older than its rollups."""
    missing = " OR ".join(f"NOT EXISTS (FROM {table})" for table in FROM_ROWS)
    found = lake.connection.execute(f"SELECT EXISTS (FROM liquidations) AND ({missing})").fetchone()
    return bool(found and found[0])


def roll(lake: Lake, day: datetime) -> int:
    """Compute the touched bars of the day that begins at `day` anew; return how many minutes were touched.

    One transaction. Raises WriteFailedError; then nothing has changed and all of it is still pending.
    """
    own = f"since >= TIMESTAMP '{day}' AND since < TIMESTAMP '{day + DAY}'"
    with lake.transaction() as connection:
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {_MINUTES} AS SELECT DISTINCT "
            f"unnest(generate_series(since, until - INTERVAL 1 MINUTE, INTERVAL 1 MINUTE)) AS minute "
            f"FROM rollup_pending WHERE {own}"
        )
        connection.execute(f"DELETE FROM rollup_pending WHERE {own}")
        for bars in BARS:
            _recompute(connection, bars)
        found = connection.execute(f"SELECT count(*) FROM temp.{_MINUTES}").fetchone()
        connection.execute(f"DROP TABLE temp.{_MINUTES}")
    return int(found[0]) if found else 0


def _recompute(connection: duckdb.DuckDBPyConnection, bars: Bars) -> None:
    length = f"INTERVAL {bars.length}"
    touched_bars = f"SELECT DISTINCT time_bucket({length}, minute) AS {bars.time} FROM temp.{_MINUTES}"
    since, until = connection.execute(
        f"SELECT min({bars.time}), max({bars.time}) + {length} FROM ({touched_bars})"
    ).fetchone() or (None, None)
    if since is None:
        return
    # the range opens the files of its day only, the list within it says which bars
    connection.execute(
        f"DELETE FROM {bars.table} WHERE {bars.time} >= TIMESTAMP '{since}' AND {bars.time} < TIMESTAMP '{until}' "
        f"AND {bars.time} IN ({touched_bars})"
    )
    connection.execute(
        f"INSERT INTO {bars.table} BY NAME FROM ({rollup(bars.table).body}) SEMI JOIN ({touched_bars}) USING ({bars.time})",
        {"since": since, "until": until},
    )
