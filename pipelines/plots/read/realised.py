"""What was liquidated by time and price, in cells."""

import math
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import polars as pl

from pipelines.errors import UsageError
from pipelines.plots.read.asking import Asked, end, joined, nothing, of_asked, rows, told, window
from pipelines.plots.read.coverage import coverage
from pipelines.plots.read.prices import prices
from pipelines.plots.told import Told
from warehouse.lake import Lake, quoted

DAY = timedelta(days=1)
HINT = '`liq sql "from liquidation_totals_by_coin"` shows where some are'
COLUMNS_MOST = 200
BEYOND = ("bankruptcy", "okx_bkPx")
"""Kinds of prices that `liquidation_price_shifts` brings back to the market."""
LENGTHS = tuple(timedelta(seconds=s) for s in (1, 5, 15, 60, 300, 900, 3600, 14400, 86400))


class Realised(NamedTuple):
    """What draw.heatmap.realised takes."""

    cells: pl.DataFrame
    prices: pl.DataFrame
    told: Told


def realised(warehouse: Lake, asked: Asked) -> Realised:
    """Read liquidations of a coin's contracts quoted in dollars, or of one instrument, in cells; 24 hours if none given.

    A cell in which both sides were liquidated is shared: shorts take its first half, longs the second.
    """
    if asked.base is None and asked.instrument is None:
        raise UsageError("a heatmap is of a coin or an instrument: name it with --base or --instrument")
    since, until = window(warehouse, asked, DAY)
    first, last, highest = _extent(warehouse, asked, since, until)
    start = asked.since or first
    until, old = end(asked, until, last + (last - start) / 50 + timedelta(seconds=1))
    length = next((length for length in LENGTHS if (until - start) / length <= COLUMNS_MOST), LENGTHS[-1])
    wanted = quoted(asked.instrument) if asked.instrument else "NULL"
    found = rows(
        warehouse,
        f"""
        SELECT bin_start AS ts, position_side, price_low, price_high, sum(usd) AS usd, sum(unpriced)::BIGINT AS unpriced,
               string_agg(DISTINCT completeness, ', ') AS completeness, string_agg(DISTINCT price_kinds, ', ') AS price_kinds,
               string_agg(DISTINCT venues, ', ') AS venues
        FROM heatmap({wanted}, TIMESTAMP '{start}', {_step(highest)}, to_seconds({length.total_seconds()}), at_market := true)
        WHERE {"true" if asked.instrument else _of_base(str(asked.base))} GROUP BY ALL ORDER BY ts
        """,
    )
    cells = _halved(found.filter(pl.col("price_low").is_not_null() & (pl.col("usd") > 0)), length)
    lines, missing = prices(warehouse, asked, start, until)
    venues = joined(found["venues"])
    heard = coverage(warehouse, start, until, length)["coverage_share"].mean()
    return Realised(cells, lines, told(asked, start, until, venues, *_notes(found, heard), *old, *missing))


def _extent(warehouse: Lake, asked: Asked, since: datetime, until: datetime) -> tuple[datetime, datetime, float]:
    condition, parameters = of_asked(asked)
    found = rows(
        warehouse,
        f"""
        SELECT min(ts_event) AS first, max(ts_event) AS last, max(price) AS highest FROM liquidations_filled_in
        WHERE ts_event >= $since AND ts_event <= $until AND {condition} AND list_contains(dollars(), quote)
            AND notional_usd > 0 AND price > 0
        """,
        parameters | {"since": since, "until": until},
    )
    if found["first"][0] is None:
        raise nothing(
            "priced liquidations",
            asked,
            since,
            until,
            HINT,
        )
    return found["first"][0], found["last"][0], found["highest"][0]


def _of_base(base: str) -> str:
    return (
        f"starts_with(instrument, {quoted(base + '/')}) "
        "AND list_contains(dollars(), split_part(split_part(instrument, '/', 2), ':', 1))"
    )


def _step(highest: float) -> float:
    """Return the largest of 1, 2 or 5 times a power of ten that is at most 0.1 % of the price."""
    aim = highest * 0.001
    power = 10.0 ** math.floor(math.log10(aim))
    return float(f"{next(times for times in (5, 2, 1) if aim >= times * power or times == 1) * power:.6g}")


def _halved(found: pl.DataFrame, length: timedelta) -> pl.DataFrame:
    both = pl.col("position_side").n_unique().over("ts", "price_low") > 1
    long = pl.col("position_side") == "long"
    return found.with_columns(
        ts=pl.when(both & long).then(pl.col("ts") + length / 2).otherwise(pl.col("ts")),
        ts_end=pl.when(both & ~long).then(pl.col("ts") + length / 2).otherwise(pl.col("ts") + length),
    )


def _notes(found: pl.DataFrame, heard: Any) -> tuple[str, ...]:
    classes = joined(found["completeness"])
    whole = (
        "All that happened, as the venues tell it"
        if classes == "all"
        else "Such feeds may lack some: amounts are at least so much"
    )
    kinds = joined(found["price_kinds"])
    back = [kind for kind in kinds.split(", ") if kind in BEYOND]
    moved = f"; {' and '.join(back)}, beyond the market, drawn back to it" if back else ""
    notes = [f"Completeness of the feeds: {classes}. {whole}. Prices: {kinds}{moved}"]
    if heard is None:
        notes.append("Not known: how much of the time the feeds were heard")
    elif heard < 1:
        notes.append(f"Missing: all feeds together were heard {heard:.1%} of the time; an empty cell proves nothing")
    if unpriced := int(found["unpriced"].sum()):
        notes.append(f"Missing: {unpriced:,} liquidations without a USD amount")
    return tuple(notes)
