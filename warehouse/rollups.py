"""Updates the stored bars when their rows change.

`rollup_pending` says which minutes or hours changed (`pending.py`). One transaction handles a day of one kind of bars, or
several days with few rows. It deletes the affected bars that differ, stores those that the rows give now, and deletes their
pending rows. So a crash or a second run leaves nothing half done.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

import duckdb
import polars as pl
import polars.selectors as cs

from warehouse.lake import Lake, quoted
from warehouse.pending import note, touched
from warehouse.statements import rollup
from warehouse.tables import TABLES
from warehouse.tables.rollups import UNITS

DAY = timedelta(days=1)
MOST_ROWS = 20_000
_TIMES, _BARS = "liq_times", "liq_bars"
_ANY_NULL = "instrument IS NULL OR base IS NULL OR quote IS NULL OR settle IS NULL OR contract IS NULL"


class Bars(NamedTuple):
    """A rollup table, its column of time and the length of its bars, in SQL's words."""

    table: str
    time: str
    length: str


class Kind(NamedTuple):
    """Bars made from one table of rows, the shortest first. `of`: condition for rows that surely give each of them one;
    `waiting`: for rows that change when their contract is described, empty: none; `only_of_rows`: whether bars of a
    day without any row go when all are made anew: candles and open interest may have been deleted to save space."""

    rows: str
    bars: tuple[Bars, ...]
    of: str = "true"
    waiting: str = ""
    only_of_rows: bool = False


KINDS = {
    "liquidations": Kind(
        "liquidations",
        (
            Bars("liquidations_1m", "minute", "1 MINUTE"),
            Bars("liquidations_1h", "hour", "1 HOUR"),  # made from minutes
            Bars("liquidations_1d", "day", "1 DAY"),  # made from hours
            Bars("liquidation_cells_15m", "bin_start", "15 MINUTES"),
        ),
        waiting="base IS NULL OR qty_base IS NULL OR notional_usd IS NULL",  # what liquidations_filled_in fills in
        only_of_rows=True,
    ),
    "prices": Kind(
        "klines",
        (Bars("prices_1h", "hour", "1 HOUR"), Bars("prices_1d", "day", "1 DAY")),  # days from hours
        "\"interval\" = '1m' AND price_kind = 'trade'",
    ),
    "open_interest": Kind("open_interest", (Bars("open_interest_1h", "hour", "1 HOUR"),), waiting=_ANY_NULL),
}
"""By the names that `rollup_pending.bars` has."""


class Stretch(NamedTuple):
    """Whole days (UTC) of which bars of one kind are to be computed anew."""

    since: datetime
    until: datetime
    kind: str

    @property
    def days(self) -> int:
        """How many days it is long."""
        return (self.until - self.since) // DAY


def pending(lake: Lake) -> list[Stretch]:
    """Return what is to be computed anew, the newest first: days, those of few rows (MOST_ROWS together) in one stretch."""
    found = lake.connection.execute(
        "SELECT DISTINCT bars, time_bucket(INTERVAL 1 DAY, since) AS day FROM rollup_pending WHERE since IS NOT NULL "
        "ORDER BY day DESC"
    ).fetchall()
    days = {name: [day for bars, day in found if bars == name] for name in KINDS}
    stretches = [each for name, own in days.items() if own for each in _stretches(lake, name, own)]
    return sorted(stretches, key=lambda each: each.until, reverse=True)


def _stretches(lake: Lake, name: str, days: list[datetime]) -> list[Stretch]:
    """Return the days, newest first, those that follow each other joined as long as they have few rows."""
    counts: dict[datetime, int] = {}
    if len(days) > 1:
        query = (
            f"SELECT time_bucket(INTERVAL 1 DAY, ts_event) AS day, count(*) FROM {KINDS[name].rows} "
            f"WHERE ts_event >= ? AND ts_event < ? GROUP BY day"
        )
        counts = dict(lake.connection.execute(query, [days[-1], days[0] + DAY]).fetchall())
    found: list[Stretch] = []
    rows = 0
    for day in days:
        rows += counts.get(day, 0)
        if found and found[-1].since == day + DAY and rows <= MOST_ROWS:
            found[-1] = found[-1]._replace(since=day)
        else:
            found.append(Stretch(day, day + DAY, name))
            rows = counts.get(day, 0)
    return found


def mark_contracts(lake: Lake) -> int:
    """Mark the times of rows that wait for facts on contracts described anew; return how many contracts there were.

    The rows are sought before the lock is taken: one that comes meanwhile marks its own time. Raises WriteFailedError.
    """
    pending = "SELECT DISTINCT venue, symbol FROM rollup_pending WHERE venue IS NOT NULL"
    contracts = lake.connection.execute(pending).pl()
    if contracts.is_empty():
        return 0
    lake.connection.register("liq_contracts", contracts.to_arrow())
    try:
        notes = [touched(TABLES[kind.rows], _waiting(lake, kind)) for kind in KINDS.values() if kind.waiting]
        with lake.transaction() as connection:
            connection.execute(
                "DELETE FROM rollup_pending WHERE (venue, symbol) IN (SELECT (venue, symbol) FROM liq_contracts)"
            )
            note(connection, notes)
    finally:
        lake.connection.unregister("liq_contracts")
    return contracts.height


def _waiting(lake: Lake, kind: Kind) -> pl.DataFrame:
    """Return when the rows happened that wait for the contracts in question, to the minute."""
    return lake.connection.execute(
        f"SELECT DISTINCT time_bucket(INTERVAL 1 MINUTE, ts_event) AS ts_event FROM {kind.rows} "
        f"SEMI JOIN liq_contracts USING (venue, symbol) WHERE {kind.waiting}"
    ).pl()


def mark_all(lake: Lake, names: Iterable[str]) -> None:
    """Mark every day that has rows of these kinds as to be computed anew. Raises WriteFailedError."""
    with lake.transaction() as connection:
        for name in names:
            kind = KINDS[name]
            sources = [(kind.rows, "ts_event"), *((bars.table, bars.time) for bars in kind.bars if kind.only_of_rows)]
            days = [f"SELECT time_bucket(INTERVAL 1 DAY, {time}) AS day FROM {table}" for table, time in sources]
            connection.execute(f"DELETE FROM rollup_pending WHERE bars = {quoted(name)}")
            connection.execute(
                f"INSERT INTO rollup_pending (bars, since, until) SELECT {quoted(name)}, day, day + INTERVAL 1 DAY "
                f"FROM (SELECT DISTINCT day FROM ({' UNION ALL '.join(days)}))"
            )


def unrolled(lake: Lake) -> list[str]:
    """Return the kinds of bars that are to be made whole: in a warehouse older than they, or than their notes."""
    noted = lake.connection.execute("SELECT DISTINCT bars FROM rollup_pending WHERE since IS NULL AND venue IS NULL")
    whole = {bars for (bars,) in noted.fetchall()}
    return [name for name, kind in KINDS.items() if name in whole or _never_rolled(lake, kind)]


def _never_rolled(lake: Lake, kind: Kind) -> bool:
    """Tell whether there are rows and of some length not one bar."""
    return any(not _any(lake, bars.table) and _any(lake, f"{kind.rows} WHERE {kind.of}") for bars in kind.bars)


def _any(lake: Lake, rows: str) -> bool:
    return lake.connection.execute(f"SELECT 1 FROM {rows} LIMIT 1").fetchone() is not None


def roll(lake: Lake, stretch: Stretch) -> tuple[int, int]:
    """Compute the touched bars of a stretch anew; return how many minutes or hours were touched, and how many bars stored.

    One transaction. Raises WriteFailedError; then nothing has changed and all of it is still pending.
    """
    unit = f"to_microseconds({UNITS[stretch.kind] // timedelta(microseconds=1)})"
    within = f"since >= TIMESTAMP '{stretch.since}' AND since < TIMESTAMP '{stretch.until}'"
    own = f"bars = {quoted(stretch.kind)} AND {within}"
    with lake.transaction() as connection:
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {_TIMES} AS SELECT DISTINCT "
            f"unnest(generate_series(since, until - {unit}, {unit})) AS start FROM rollup_pending WHERE {own}"
        )
        connection.execute(f"DELETE FROM rollup_pending WHERE {own}")
        stored = sum(_recompute(connection, bars) for bars in KINDS[stretch.kind].bars)
        found = connection.execute(f"SELECT count(*) FROM temp.{_TIMES}").fetchone()
        connection.execute(f"DROP TABLE temp.{_TIMES}")
    return int(found[0]) if found else 0, stored


def _recompute(connection: duckdb.DuckDBPyConnection, bars: Bars) -> int:
    """Store the touched bars that differ from the stored ones in place of these; return how many."""
    length, time = f"INTERVAL {bars.length}", bars.time
    touched_bars = f"SELECT DISTINCT time_bucket({length}, start) AS {time} FROM temp.{_TIMES}"
    since, until = connection.execute(
        f"SELECT min({time}), max({time}) + {length} FROM ({touched_bars})"
    ).fetchone() or (None, None)
    if since is None:
        return 0
    # the range opens the files of its day only, the list within it says which bars
    within = f"{time} >= TIMESTAMP '{since}' AND {time} < TIMESTAMP '{until}'"
    stored = connection.execute(f"FROM {bars.table} SEMI JOIN ({touched_bars}) USING ({time}) WHERE {within}").pl()
    query = f"FROM ({rollup(bars.table).body}) SEMI JOIN ({touched_bars}) USING ({time})"
    found = connection.execute(query, {"since": since, "until": until}).pl()
    made = found.select(pl.col(name).cast(kind) for name, kind in TABLES[bars.table].schema.items())
    times = _changed(stored, made, time)
    if times.is_empty():
        return 0
    listed = ", ".join(f"TIMESTAMP {quoted(str(each))}" for each in times)
    connection.execute(f"DELETE FROM {bars.table} WHERE {within} AND {time} IN ({listed})")
    connection.register(_BARS, (new := made.filter(pl.col(time).is_in(times.implode()))).to_arrow())
    try:
        connection.execute(f"INSERT INTO {bars.table} BY NAME FROM {_BARS}")
    finally:
        connection.unregister(_BARS)
    return new.height


def _changed(stored: pl.DataFrame, made: pl.DataFrame, time: str) -> pl.Series:
    """Return the times of bars that are in one frame only; sums are compared to twelve digits."""
    ours, theirs = (frame.with_columns(cs.float().round_sig_figs(12)) for frame in (made, stored))
    by = made.columns
    new = ours.join(theirs, on=by, how="anti", nulls_equal=True)
    gone = theirs.join(ours, on=by, how="anti", nulls_equal=True)
    return pl.concat([new[time], gone[time]]).unique().sort()
