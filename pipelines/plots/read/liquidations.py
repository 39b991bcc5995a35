"""Liquidations in bars of time, and how much of each bar was heard."""

from datetime import timedelta
from typing import NamedTuple

import polars as pl

from pipelines.plots.read.asking import Asked, end, joined, nothing, of_asked, rows, told, window
from pipelines.plots.read.coverage import coverage
from pipelines.plots.read.prices import prices
from pipelines.plots.told import Told
from warehouse.lake import Lake

DAY = timedelta(days=1)
HINT = '`liq sql "from liquidation_totals_by_coin"` shows where some are'
BARS_MOST = 120
LENGTHS = tuple(timedelta(seconds=s) for s in (1, 5, 15, 60, 300, 900, 3600, 14400, 86400))
BY_THE_ROW = timedelta(days=2)  # a longer time is read from bars of an hour, but for its last day

ROWS = """
SELECT ts_event AS moment, venue, position_side, completeness, coalesce(notional_usd, 0) AS usd,
       (notional_usd IS NULL)::INTEGER AS unpriced
FROM liquidations_filled_in WHERE ts_event >= $rows_since AND ts_event < $until AND {condition}
"""
HOURS = """
SELECT hour AS moment, venue, position_side, completeness, usd, unpriced FROM liquidations_1h
WHERE hour >= $since AND hour < $rows_since AND {condition}
"""


class Totals(NamedTuple):
    """What draw.totals takes."""

    bars: pl.DataFrame
    coverage: pl.DataFrame
    prices: pl.DataFrame
    length: timedelta
    told: Told


def totals(warehouse: Lake, asked: Asked) -> Totals:
    """Read liquidations summed per bar and side, of a coin, an instrument or all; 24 hours if no time is given."""
    since, until = window(warehouse, asked, DAY)
    condition, parameters = of_asked(asked)
    long = until - since > BY_THE_ROW
    rows_since = (until - DAY).replace(minute=0, second=0, microsecond=0) if long else since
    times = {"since": since, "until": until, "rows_since": rows_since}
    parts = f"{ROWS} UNION ALL {HOURS}" if long else ROWS
    if not long:
        del times["since"]
    every = parts.format(condition=condition)
    first, last = rows(warehouse, f"SELECT min(moment), max(moment) FROM ({every})", parameters | times).row(0)
    if first is None:
        raise nothing("liquidations", asked, since, until, HINT)
    start = asked.since or first
    until, old = end(asked, until, last + (last - start) / 50 + timedelta(seconds=1))
    length = next((length for length in LENGTHS if (until - start) / length <= BARS_MOST), LENGTHS[-1])
    if long:
        length = max(length, timedelta(hours=1))
    found = rows(
        warehouse,
        f"""
        SELECT time_bucket(to_seconds({length.total_seconds()}), moment) AS ts, position_side, sum(usd) AS usd,
               coalesce(sum(usd) FILTER (completeness = 'all'), 0) AS complete_usd, sum(unpriced)::BIGINT AS unpriced,
               string_agg(DISTINCT completeness, ', ') AS completeness, string_agg(DISTINCT venue, ', ') AS venues
        FROM ({every}) GROUP BY ALL ORDER BY ts, position_side
        """,
        parameters | times,
    ).with_columns(throttled_usd=pl.col("usd") - pl.col("complete_usd"))
    start = min(asked.since or found["ts"].min(), found["ts"].min())  # type: ignore[type-var]
    covered = coverage(warehouse, start, until, length)  # type: ignore[arg-type]
    lines, missing = prices(warehouse, asked, start, until)  # type: ignore[arg-type]
    words = told(asked, start, until, joined(found["venues"]), *_notes(found, covered), *old, *missing)  # type: ignore[arg-type]
    return Totals(found, covered, lines, length, words)


def _notes(found: pl.DataFrame, covered: pl.DataFrame) -> tuple[str, ...]:
    shorts, longs = (float(found.filter(pl.col("position_side") == side)["usd"].sum()) for side in ("short", "long"))
    classes = joined(found["completeness"])
    least = "" if classes == "all" else ": such feeds may lack some, so totals are at least so much"
    notes = [f"Sum: longs ${longs:,.0f}, shorts ${shorts:,.0f}. Completeness of the feeds: {classes}{least}"]
    if covered.is_empty():
        notes.append("Not known: how much of the time the feeds were heard")
    elif (gaps := covered.filter(pl.col("coverage_share") < 1).height) > 0:
        notes.append(
            f"Missing: in {gaps:,} of {covered.height:,} bars measured a feed was not heard the whole time (shaded)"
        )
    if suspect := int(covered["suspect"].sum()):
        notes.append(
            f"Missing, perhaps: in {suspect:,} bars a feed was silent for longer than is to be expected (SUSPECT)"
        )
    if unpriced := int(found["unpriced"].sum()):
        notes.append(f"Missing: {unpriced:,} liquidations without a USD amount")
    return tuple(notes)
