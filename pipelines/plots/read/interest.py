"""Open interest over time, by contract, in USD."""

from datetime import datetime, timedelta
from typing import NamedTuple

import polars as pl

from pipelines.errors import UsageError
from pipelines.plots.read.asking import Asked, end, joined, nothing, of_asked, rows, told, window
from pipelines.plots.read.comings import after, comings, notes, with_gaps
from pipelines.plots.read.prices import prices
from pipelines.plots.told import Told
from warehouse.lake import Lake

WEEK = timedelta(days=7)
HINT = '`liq sql "from open_interest_current"` shows what there is'
BY_THE_VALUE = timedelta(hours=12)  # a longer time is read from bars of an hour, but for its last two
POINTS_MOST = 400
LENGTHS = tuple(timedelta(seconds=s) for s in (1, 5, 60, 300, 900, 3600, 14400, 86400))

VALUES = """
SELECT v.ts_event AS ts, v.venue, v.symbol, coalesce(v.oi_usd, v.oi_base * p.price) AS oi_usd, v.oi_usd IS NULL AS priced
FROM (FROM open_interest_values($values_since - INTERVAL 1 HOUR, $until) WHERE {condition}) AS v
ASOF LEFT JOIN (
    SELECT k.venue, k.symbol, k.ts_event, k."open" / i.multiplier AS price
    FROM klines AS k JOIN ({dollars}) AS i ON k.venue = i.venue AND k.symbol = i.symbol
    WHERE k.ts_event >= $values_since - INTERVAL 2 HOURS AND k.ts_event < $until AND k.price_kind = 'trade'
) AS p ON v.venue = p.venue AND v.symbol = p.symbol AND v.ts_event >= p.ts_event
WHERE v.oi_usd IS NOT NULL OR (v.oi_base * p.price IS NOT NULL AND p.ts_event >= v.ts_event - INTERVAL 1 HOUR)
"""
HOURS = """
SELECT
    h.hour + INTERVAL 1 HOUR AS ts, h.venue, h.symbol, coalesce(h.close_usd, h.close_base * p."close" / i.multiplier) AS oi_usd,
    h.close_usd IS NULL AS priced
FROM (
    FROM open_interest_1h
    WHERE hour >= $since - INTERVAL 2 HOURS AND hour < $values_since - INTERVAL 1 HOUR AND {condition}
) AS h
LEFT JOIN prices_1h AS p ON h.venue = p.venue AND h.symbol = p.symbol AND h.hour = p.hour
LEFT JOIN ({dollars}) AS i ON h.venue = i.venue AND h.symbol = i.symbol
WHERE coalesce(h.close_usd, h.close_base * p."close" / i.multiplier) IS NOT NULL
"""
DOLLARS = """
SELECT venue, symbol, multiplier FROM instruments_as_of
WHERE is_current AND list_contains(dollars(), quote) AND {condition}
"""
PRICED = "Where {venues} sends coins alone, USD are coins at the price its trades had then"


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
    by_venue, said = by_venues(held, until - start)
    lines, missing = prices(warehouse, asked, start, until)
    note = "A contract's value stands until its next one"
    words = told(asked, start, until, joined(by_venue["venue"]), note, *said, *old, *missing)
    return Interest(by_venue, lines, words)


def by_venues(held: pl.DataFrame, span: timedelta) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return ts, venue, oi_usd (null: a gap, where contracts come or go), and notes on them. held: as `interest` returns it."""
    found = comings(held, span)
    sums = held.group_by("ts", "venue").agg(pl.col("oi_usd").sum()).sort("ts", "venue")
    priced = joined(held.filter("priced")["venue"]) if held.height else ""
    return with_gaps(sums, found), (
        *notes(found),
        *after(held, found),
        *([PRICED.format(venues=priced)] if priced else []),
    )


def interest(warehouse: Lake, asked: Asked, since: datetime, until: datetime, grid: pl.DataFrame) -> pl.DataFrame:
    """Return ts (of the grid), venue, symbol, oi_usd as it stood then, and whether it was `priced` here.

    Contracts without a value at a time have no row there.
    """
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
    sql = sql.format(condition=condition, dollars=DOLLARS.format(condition=condition))
    return rows(warehouse, f"FROM ({sql}) ORDER BY ts", parameters | at)


def _standing(values: pl.DataFrame, grid: pl.DataFrame, span: timedelta) -> pl.DataFrame:
    stands = timedelta(hours=2) if span > BY_THE_VALUE else timedelta(hours=1)
    contracts = values.select("venue", "symbol").unique()
    return (
        grid.join(contracts, how="cross").sort("ts")
        .join_asof(values.sort("ts"), on="ts", by=["venue", "symbol"], tolerance=stands, check_sortedness=False)
        .filter(pl.col("oi_usd").is_not_null())
    )  # fmt: skip
