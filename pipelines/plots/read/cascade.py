"""One cascade and the seconds around it."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

import polars as pl

from pipelines.errors import NothingToPlotError
from pipelines.plots.draw.cascade import Event
from pipelines.plots.read.asking import Asked, joined, nothing, rows, told, window
from pipelines.plots.read.prices import prices
from pipelines.plots.told import Told
from warehouse.lake import Lake

WEEK = timedelta(days=7)
LEAST_AROUND = timedelta(seconds=15)
BARS_MOST = 600

COLUMNS = """cascade_id, base, ts_start, ts_end, position_side, usd, count AS liquidations, multiple, move, lower_bound,
venues, completeness, coverage_share, saturated_share, scope, closed, unpriced"""
LARGEST = f"""
SELECT {COLUMNS} FROM cascades
WHERE ts_start >= $since AND ts_start < $until AND scope = 'all' AND ($base IS NULL OR base = $base)
    AND rule_version = (SELECT arg_max(rule_version, since) FROM cascade_rules)
ORDER BY usd DESC, cascade_id LIMIT 1
"""
SECONDS = """
SELECT time_bucket(to_seconds({length}), ts_event) AS ts, venue, position_side, coalesce(sum(notional_usd), 0) AS usd,
       sum(price * notional_usd) / nullif(sum(notional_usd) FILTER (price IS NOT NULL), 0) AS price
FROM liquidations_filled_in
WHERE ts_event >= $since AND ts_event < $until AND base = $base AND ($scope = 'all' OR completeness = 'all')
GROUP BY ALL ORDER BY ts, venue, position_side
"""


class Cascade(NamedTuple):
    """What draw.cascade takes."""

    seconds: pl.DataFrame
    prices: pl.DataFrame
    event: Event
    length: timedelta
    told: Told


def cascade(warehouse: Lake, asked: Asked, cascade_id: str | None) -> Cascade:
    """Read the cascade of that id, else the one with the most USD in the time asked for (seven days)."""
    row = _found(warehouse, asked, cascade_id)
    event = Event(**{name: row[name] for name in Event._fields})
    lasted = event.ts_end - event.ts_start
    around = max(LEAST_AROUND, lasted * 0.3)
    since = (event.ts_start - around).replace(microsecond=0)
    until = (event.ts_end + around).replace(microsecond=0) + timedelta(seconds=1)
    length = timedelta(seconds=max(1, -(-int((until - since).total_seconds()) // BARS_MOST)))
    at = {"since": since, "until": until, "base": row["base"], "scope": row["scope"]}
    seconds = rows(warehouse, SECONDS.format(length=length.total_seconds()), at)
    if seconds.is_empty():
        raise NothingToPlotError(
            f"nothing to draw: the liquidations of cascade {event.cascade_id} are not stored any more"
        )
    wide = timedelta(minutes=6)  # marks may be minutes apart
    lines, missing = prices(warehouse, asked._replace(base=row["base"]), since - wide, until + wide)
    lines = _seen(lines, since, until)
    words = told(asked._replace(base=row["base"]), since, until, joined(seconds["venue"]), *_notes(row), *missing)
    return Cascade(seconds, lines, event, length, words)


def _seen(lines: pl.DataFrame, since: datetime, until: datetime) -> pl.DataFrame:
    """Return the prices of [since, until] and one before and after, so that the line goes on to the edges."""
    before = lines.filter(pl.col("ts") < since).tail(1)
    after = lines.filter(pl.col("ts") > until).head(1)
    return pl.concat([before, lines.filter(pl.col("ts").is_between(since, until)), after])


def _found(warehouse: Lake, asked: Asked, cascade_id: str | None) -> dict[str, Any]:
    if cascade_id is not None:
        found = rows(warehouse, f"SELECT {COLUMNS} FROM cascades WHERE cascade_id = $id", {"id": cascade_id})
        if found.is_empty():
            raise NothingToPlotError(
                f'there is no cascade {cascade_id}: liq sql "select cascade_id from cascades_recent"'
            )
    else:
        since, until = window(warehouse, asked, WEEK)
        found = rows(warehouse, LARGEST, {"since": since, "until": until, "base": asked.base})
        if found.is_empty():
            raise nothing("cascades", asked, since, until, "`liq cascades detect` looks for some")
    return found.row(0, named=True)


def _notes(row: dict[str, Any]) -> tuple[str, ...]:
    least = ": such feeds may lack some, so its USD are at least so much" if row["completeness"] != "all" else ""
    notes = [f"{row['cascade_id']}, begun {row['ts_start']:%Y-%m-%d %H:%M:%S} UTC; completeness of the feeds: "
             f"{row['completeness']}{least}"]  # fmt: skip
    if row["saturated_share"]:
        notes.append(f"Throttled feeds were at their limit in {row['saturated_share']:.0%} of the seconds they told of")
    if row["coverage_share"] is None:
        notes.append("Not known: whether the feeds were heard the whole time")
    elif row["coverage_share"] < 1:
        notes.append(f"Missing: the feeds were heard {row['coverage_share']:.1%} of the time")
    if not row["closed"]:
        notes.append("Seen so soon after its end that it may still go on")
    if row["unpriced"]:
        notes.append(f"Missing: {row['unpriced']:,} liquidations without a USD amount")
    return tuple(notes)
