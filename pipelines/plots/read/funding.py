"""Funding over time by venue and weighted by open interest, in terms of eight hours."""

from datetime import datetime, timedelta
from typing import NamedTuple

import polars as pl

from pipelines.errors import UsageError
from pipelines.plots.read.asking import Asked, end, joined, nothing, of_asked, rows, told, window
from pipelines.plots.read.interest import by_venues, interest, steps
from pipelines.plots.told import Told
from warehouse.lake import Lake

WEEK = timedelta(days=7)
STANDS = timedelta(hours=9)  # as funding_current: a venue that tells only changes may be silent for a whole interval

RUNNING = """
SELECT f.ts_event AS ts, f.venue, f.symbol,
       f.funding_rate * 8 / nullif(coalesce(f.interval_hours, i.interval_hours), 0) AS rate_8h
FROM (FROM funding_rates WHERE ts >= $since - INTERVAL 9 HOURS AND ts <= $until AND ts_event < $until AND {condition}) AS f
LEFT JOIN instruments_as_of AS i ON f.venue = i.venue AND f.symbol = i.symbol AND i.is_current
ORDER BY f.ts_event
"""
PAID = """
SELECT ts_event AS ts, venue, avg(rate_8h) AS rate_8h FROM funding_history
WHERE ts_event >= $since AND ts_event < $until AND {condition} AND rate_8h IS NOT NULL GROUP BY ALL ORDER BY ts, venue
"""


class Funding(NamedTuple):
    """What draw.lines.funding takes."""

    rates: pl.DataFrame
    paid: pl.DataFrame
    interest: pl.DataFrame
    told: Told


def funding(warehouse: Lake, asked: Asked) -> Funding:
    """Read the running rates of a coin or instrument, its paid ones and its open interest; seven days if none given."""
    if asked.base is None and asked.instrument is None:
        raise UsageError("funding is of a coin or an instrument: name it with --base or --instrument")
    since, until = window(warehouse, asked, WEEK)
    condition, parameters = of_asked(asked)
    at = parameters | {"since": since, "until": until}
    running = rows(
        warehouse,
        RUNNING.format(condition=condition),
        at,
    )
    paid = rows(warehouse, PAID.format(condition=condition), at)
    if running.is_empty() and paid.is_empty():
        raise nothing("funding", asked, since, until, '`liq sql "from funding_current"` shows what there is')
    firsts = [frame["ts"].min() for frame in (running, paid) if frame.height]
    start: datetime = asked.since or max(since, min(firsts))  # type: ignore[type-var,assignment]
    lasts = [frame["ts"].max() for frame in (running, paid) if frame.height]
    until, old = end(asked, until, max(lasts))  # type: ignore[type-var,arg-type]
    grid = steps(start, until)
    held = interest(warehouse, asked, start, until, grid)
    rates, without = _weighted(_on(grid, running), held)
    by_venue, said = by_venues(held, until - start)
    venues = joined(pl.concat([running["venue"], paid["venue"]]))
    words = told(asked, start, until, venues, *_notes(running, held, without), *said, *old)
    return Funding(rates, paid.filter(pl.col("ts") >= start), by_venue, words)


def _on(grid: pl.DataFrame, running: pl.DataFrame) -> pl.DataFrame:
    """Return each contract's rate as it stood at each time of the grid; it stands for STANDS at most."""
    contracts = running.select("venue", "symbol").unique()
    return (
        grid.join(contracts, how="cross").sort("ts")
        .join_asof(running.sort("ts"), on="ts", by=["venue", "symbol"], tolerance=STANDS, check_sortedness=False)
    )  # fmt: skip


def _weighted(rates: pl.DataFrame, held: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Return ts, venue (null: all), rate_8h weighted by open interest, and how many contracts never had a weight.

    A venue whose contracts have no weight at a time gets their plain mean; in the line over all it is left out.
    """
    known = rates.join(held, on=["ts", "venue", "symbol"], how="left").filter(pl.col("rate_8h").is_not_null())
    weight = pl.when(pl.col("oi_usd") > 0).then(pl.col("oi_usd"))
    mean = (pl.col("rate_8h") * weight).sum() / weight.sum()
    venues = known.group_by("ts", "venue").agg(
        rate_8h=pl.when(weight.count() > 0).then(mean).otherwise(pl.col("rate_8h").mean())
    )
    weighed = known.filter(weight.is_not_null())
    over_all = weighed.group_by("ts").agg(rate_8h=mean).select("ts", pl.lit(None, pl.String).alias("venue"), "rate_8h")
    without = known.join(weighed, on=["venue", "symbol"], how="anti").select("venue", "symbol").unique().height
    return pl.concat([venues, over_all]).sort("ts", "venue"), without


def _notes(running: pl.DataFrame, held: pl.DataFrame, without: int) -> tuple[str, ...]:
    if running.is_empty():
        return ("Missing: running rates; what was paid is shown",)
    notes = ["A venue's line is the mean of its contracts, weighted by open interest where that is known"]
    if held.is_empty():
        notes.append("Missing: open interest, so there is no line over all venues")
    elif without:
        notes.append(f"Missing: open interest in USD of {without} contracts, which are not in the line over all venues")
    if lost := running.filter(pl.col("rate_8h").is_null()).select("venue", "symbol").unique().height:
        notes.append(f"Missing: the interval of {lost} contracts, whose rates are not comparable")
    return tuple(notes)
