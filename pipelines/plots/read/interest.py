"""Open interest over time, by contract, in USD."""

from datetime import datetime, timedelta
from typing import NamedTuple

import polars as pl

from pipelines.errors import UsageError
from pipelines.plots.read.asking import Asked, end, joined, nothing, of_asked, rows, told, window
from pipelines.plots.read.prices import prices
from pipelines.plots.told import Told
from warehouse.lake import Lake

WEEK = timedelta(days=7)
HINT = '`liq sql "from open_interest_current"` shows what there is'
BY_THE_VALUE = timedelta(hours=12)  # a longer time is read from bars of an hour, but for its last two
POINTS_MOST = 400
LENGTHS = tuple(timedelta(seconds=s) for s in (1, 5, 60, 300, 900, 3600, 14400, 86400))

VALUES = """
SELECT ts_event AS ts, venue, symbol, oi_usd FROM open_interest_values($values_since - INTERVAL 1 HOUR, $until)
WHERE oi_usd IS NOT NULL AND {condition}
"""
HOURS = """
SELECT hour + INTERVAL 1 HOUR AS ts, venue, symbol, close_usd AS oi_usd FROM open_interest_1h
WHERE hour >= $since - INTERVAL 2 HOURS AND hour < $values_since - INTERVAL 1 HOUR AND close_usd IS NOT NULL AND {condition}
"""


class Interest(NamedTuple):
    """What draw.lines.open_interest takes."""

    interest: pl.DataFrame
    prices: pl.DataFrame
    told: Told


def open_interest(warehouse: Lake, asked: Asked) -> Interest:
    """Read open interest of a coin or instrument by venue, and its price; seven days if none given."""
    if asked.base is None and asked.instrument is None:
        raise UsageError("open interest is of a coin or an instrument: name it with --base or --instrument")
    since, until = window(warehouse, asked, WEEK)
    values = _values(warehouse, asked, since, until)
    if values.is_empty():
        raise nothing(
            "open interest in USD", asked, since, until, '`liq sql "from open_interest_current"` shows what there is'
        )
    start: datetime = asked.since or max(since, values["ts"].min())  # type: ignore[type-var,assignment]
    until, old = end(asked, until, values["ts"].max())  # type: ignore[arg-type]
    grid = steps(start, until)
    if asked.since is None and grid.height > 2:  # at the very first value only one contract has one
        grid = grid[1:]
        start = grid["ts"][0]
    held = _standing(values, grid, until - start)
    by_venue = held.group_by("ts", "venue").agg(pl.col("oi_usd").sum()).sort("ts", "venue")
    lines, missing = prices(warehouse, asked, start, until)
    note = "A contract's value stands until its next one; a step may be a venue or contract that comes or goes"
    return Interest(by_venue, lines, told(asked, start, until, joined(by_venue["venue"]), note, *old, *missing))


def interest(warehouse: Lake, asked: Asked, since: datetime, until: datetime, grid: pl.DataFrame) -> pl.DataFrame:
    """Return ts (of the grid), venue, symbol, oi_usd as it stood then; contracts without one at a time have no row there."""
    return _standing(_values(warehouse, asked, since, until), grid, until - since)


def steps(since: datetime, until: datetime) -> pl.DataFrame:
    """Return the times at which lines are drawn: ts, at most POINTS_MOST of them, the last one at `until`."""
    length = next((length for length in LENGTHS if (until - since) / length <= POINTS_MOST), LENGTHS[-1])
    ts = pl.datetime_range(since, until, length, closed="left", time_unit="us", eager=True)
    return pl.DataFrame({"ts": ts.append(pl.Series([until], dtype=pl.Datetime("us"))).unique().sort()})


def _values(warehouse: Lake, asked: Asked, since: datetime, until: datetime) -> pl.DataFrame:
    condition, parameters = of_asked(asked)
    long = until - since > BY_THE_VALUE
    values_since = until.replace(minute=0, second=0, microsecond=0) - timedelta(hours=1) if long else since
    sql, at = VALUES, {"values_since": values_since, "until": until}
    if long:
        sql, at = f"{VALUES} UNION ALL {HOURS}", at | {"since": since}
    return rows(warehouse, f"{sql.format(condition=condition)} ORDER BY ts", parameters | at)


def _standing(values: pl.DataFrame, grid: pl.DataFrame, span: timedelta) -> pl.DataFrame:
    stands = timedelta(hours=2) if span > BY_THE_VALUE else timedelta(hours=1)
    contracts = values.select("venue", "symbol").unique()
    return (
        grid.join(contracts, how="cross").sort("ts")
        .join_asof(values.sort("ts"), on="ts", by=["venue", "symbol"], tolerance=stands, check_sortedness=False)
        .filter(pl.col("oi_usd").is_not_null())
    )  # fmt: skip
