"""prices_1h, prices_1d and open_interest_1h: computed anew where rows arrived, written only where something differs."""

from datetime import datetime, timedelta
from typing import NamedTuple

import polars as pl
import polars.selectors as cs

from warehouse.lake import Lake, quoted
from warehouse.statements import rollup
from warehouse.tables import TABLES
from warehouse.writer import replace

LATE = timedelta(hours=2)
MOST_ROWS = 20_000
LONG_AGO = datetime(1970, 1, 1)  # noqa: DTZ001 the warehouse's times are UTC without a zone


class Bar(NamedTuple):
    """A table of bars: what it is made of, the column of its time, the rows it takes, and its length."""

    table: str
    source: str
    time: str
    of: str
    length: str


PRICES_1H = Bar("prices_1h", "klines", "hour", "\"interval\" IN ('1m', '1h') AND price_kind = 'trade'", "1 HOUR")
PRICES_1D = Bar("prices_1d", "klines", "day", "\"interval\" IN ('1m', '1h', '1d') AND price_kind = 'trade'", "1 DAY")
OPEN_INTEREST_1H = Bar("open_interest_1h", "open_interest", "hour", "true", "1 HOUR")
BARS = (PRICES_1H, PRICES_1D, OPEN_INTEREST_1H)  # days are made of hours


def roll_up_bars(warehouse: Lake, everything: bool = False) -> dict[str, int]:
    """Bring the bars up to date with the rows that arrived since, and return the rows written, by table.

    Looked at are the bars of rows that arrived up to two hours before the newest a bar stands on (frames of several Kafka
    partitions come in any order), or with `everything` all. A bar that is right already is not written: run again, nothing
    changes and nothing is committed. A day's bars are one transaction, of days of few rows several. Raises WarehouseError; days
    done stay done.
    """
    arrived = {bar: LONG_AGO if everything else _taken_in(warehouse, bar) - LATE for bar in BARS}
    return {
        bar.table: sum(roll_up(warehouse, bar, *stretch) for stretch in _stretches(warehouse, bar, since))
        for bar, since in arrived.items()
    }


def roll_up(warehouse: Lake, bar: Bar, since: datetime, until: datetime) -> int:
    """Compute the bars in [since, until), whole bars, store those that differ from the stored ones, return how many."""
    made = warehouse.connection.execute(rollup(bar.table).body, {"since": since, "until": until}).pl()
    wanted = made.select(pl.col(name).cast(kind) for name, kind in TABLES[bar.table].schema.items())
    within = f"{bar.time} >= TIMESTAMP {quoted(str(since))} AND {bar.time} < TIMESTAMP {quoted(str(until))}"
    stored = warehouse.connection.execute(f"FROM {bar.table} WHERE {within}").pl()
    times = _changed(stored, wanted, bar.time)
    if times.is_empty():
        return 0
    listed = ", ".join(f"TIMESTAMP {quoted(str(time))}" for time in times)
    where = f"{within} AND {bar.time} IN ({listed})"
    return replace(warehouse, bar.table, wanted.filter(pl.col(bar.time).is_in(times.implode())), where)[1]


def _taken_in(warehouse: Lake, bar: Bar) -> datetime:
    row = warehouse.connection.execute(f"SELECT max(recv_last) FROM {bar.table}").fetchone()
    return row[0] if row and row[0] else LONG_AGO + LATE


def _stretches(warehouse: Lake, bar: Bar, since: datetime) -> list[tuple[datetime, datetime]]:
    """Return per day the stretch of bars with rows that arrived since, the newest first; only files with such are opened.

    Where all rows are looked at, days of few rows that follow each other are one stretch, of MOST_ROWS at most.
    """
    start = f"time_bucket(INTERVAL {bar.length}, ts_event)"
    days = warehouse.connection.execute(
        f"SELECT min({start}), max({start}) + INTERVAL {bar.length}, count(*) FROM {bar.source} "
        f"WHERE ts_recv > ? AND {bar.of} GROUP BY date_trunc('day', ts_event) ORDER BY 1 DESC",
        [since],
    ).fetchall()
    found: list[tuple[datetime, datetime, int]] = []
    for first, end, rows in days:
        if found and since == LONG_AGO and end == found[-1][0] and found[-1][2] + rows <= MOST_ROWS:
            found[-1] = first, found[-1][1], found[-1][2] + rows
        else:
            found.append((first, end, rows))
    return [(first, end) for first, end, _ in found]


def _changed(stored: pl.DataFrame, wanted: pl.DataFrame, time: str) -> pl.Series:
    """Return the times of bars that are in one frame only; sums are compared to twelve digits."""
    ours, theirs = (frame.with_columns(cs.float().round_sig_figs(12)) for frame in (wanted, stored))
    by = wanted.columns
    new = ours.join(theirs, on=by, how="anti", nulls_equal=True)
    gone = theirs.join(ours, on=by, how="anti", nulls_equal=True)
    return pl.concat([new[time], gone[time]]).unique().sort()
