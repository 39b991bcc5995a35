"""Estimated levels and realised liquidations by time and price, the newest map, and the score that stands beside it."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast

import polars as pl

from pipelines.derive.levels.freshness import STALE, aged, stale
from pipelines.errors import UsageError
from pipelines.plots.read.asking import Asked, end, joined, nothing, rows, told, window
from pipelines.plots.read.measured import measured
from pipelines.plots.read.measured import said as of_measured
from pipelines.plots.read.prices import bar_minutes, prices
from pipelines.plots.told import Score, Told
from warehouse.lake import Lake

WEEK = timedelta(days=7)
HINT = 'run `liq levels estimate`, or see: liq sql "select base, max(ts) from liquidation_heatmap group by base"'
LAST_FOR = timedelta(hours=1)
SHORTEST = timedelta(minutes=1)
HOUR_MINUTES, SPARSE = 60, timedelta(hours=12)
PAST = "PAST"


class Levels(NamedTuple):
    """What draw.heatmap takes."""

    cells: pl.DataFrame
    prices: pl.DataFrame
    score: Score | None
    told: Told


class Map(NamedTuple):
    """What draw.levels takes."""

    bins: pl.DataFrame
    price_now: float
    pain: dict[str, float | None]
    score: Score | None
    told: Told
    measured: pl.DataFrame


def heatmap(warehouse: Lake, asked: Asked, within: float) -> Levels:
    """Read the coin's estimated levels at most `within` (fraction) beyond the prices of the time; seven days if none given."""
    base = _coin(asked)
    since, until = window(warehouse, asked, WEEK)
    found = rows(
        warehouse,
        """
        SELECT ts, position_side, price_low, price_high, usd_estimated AS usd, price_then, freshness, age_s, venues, since,
               bars_share, model, weights_from
        FROM liquidation_heatmap WHERE ts >= $since AND ts < $until + INTERVAL 1 MICROSECOND AND base = $base
        """,
        {"since": since, "until": until, "base": base},
    )
    if found.is_empty():
        raise nothing("estimated levels", asked, since, until, HINT)
    first, newest = cast(tuple[datetime, datetime], (found["ts"].min(), found["ts"].max()))
    start = asked.since or first
    lines, missing = prices(warehouse, asked, start, until)
    stop, old = end(asked, until, max(newest, *lines["ts"].tail(1)))
    stop = max(stop, start + SHORTEST)
    fine = (
        lines if bar_minutes(stop - start) <= HOUR_MINUTES else prices(warehouse, asked, start, stop, HOUR_MINUTES)[0]
    )
    cells = swept(_near(found, within).join(_ends(found["ts"], stop), on="ts"), fine)
    notes = (*_age(warehouse, base), *_columns(found["ts"]), *_known(found), *old, *missing)
    return Levels(cells, lines, score(warehouse, base), told(asked, start, stop, joined(found["venues"]), *notes))


def liquidation_map(warehouse: Lake, asked: Asked, within: float) -> Map:
    """Read the coin's newest map, the bins at most `within` (fraction) from the price, max pain inside that, and what known
    accounts would lose there."""
    base = _coin(asked)
    _, until = window(warehouse, asked, timedelta(days=2))
    found = rows(
        warehouse,
        """
        SELECT ts, position_side, coalesce(leverage, 0) AS leverage, price_low, price_high, price, usd_estimated AS usd,
               cumulative_usd, price_now, venues, since, bars_share, model, weights_from, age_s
        FROM liquidation_map WHERE base = $base AND abs(distance) <= $within
        """,
        {"base": base, "within": within},
    )
    if found.is_empty():
        raise nothing("estimated levels", asked, until - timedelta(days=2), until, HINT)
    least = rows(warehouse, "SELECT * FROM liquidation_max_pain WHERE base = $base AND range_pct <= $within * 100 + 1e-9 "
                 "ORDER BY range_pct DESC LIMIT 1", {"base": base, "within": within})  # fmt: skip
    pain = {side: least[f"{side}_price"][0] if least.height else None for side in ("long", "short")}
    words = (
        f"Max pain: the bin with the most of each side, at most {least['range_pct'][0]} % from the price"
        if least.height
        else ""
    )
    at: datetime = found["ts"][0] + timedelta(seconds=found["age_s"][0])
    beside = measured(warehouse, base, within)
    notes = (*_age(warehouse, base), words, *_known(found), *of_measured(warehouse, beside, base, found["model"][0]))
    said = told(asked, at, at, joined(found["venues"]), *filter(None, notes))
    return Map(found, found["price_now"][0], pain, score(warehouse, base), said, beside)


def score(warehouse: Lake, base: str) -> Score | None:
    """Return the coin's newest score, or None where it was never scored."""
    found = rows(
        warehouse,
        """
        SELECT verdict, since, until, rank_correlation, rank_correlation_untouched, top_decile_mass,
               top_decile_mass_untouched, top_decile_mass_uniform FROM levels_score WHERE base = $base
        """,
        {"base": base},
    )
    return Score(**found.row(0, named=True)) if found.height else None


def _coin(asked: Asked) -> str:
    if asked.instrument or asked.base is None:
        raise UsageError("estimated levels are of a coin over all its contracts: name it with --base")
    return asked.base


def _near(found: pl.DataFrame, within: float) -> pl.DataFrame:
    low, high = found["price_then"].min(), found["price_then"].max()
    return found.filter(
        (pl.col("price_low") >= low * (1 - within)) & (pl.col("price_high") <= high * (1 + within))  # type: ignore[operator]
    ).drop("venues", "since", "bars_share", "model", "weights_from", "age_s")


def _ends(times: pl.Series, stop: datetime) -> pl.DataFrame:
    """Return for each column's ts until when it stands: the next one, but not far beyond the usual step beside it, and
    never beyond `stop`, where the picture ends."""
    ts = pl.col("ts")
    after, before = ts.shift(-1) - ts, ts - ts.shift(1)
    usual = pl.max_horizontal(pl.min_horizontal(after, before).fill_null(LAST_FOR), pl.lit(LAST_FOR)) * 1.5
    columns = pl.DataFrame({"ts": times.unique().sort()})
    return columns.with_columns(
        ts_end=pl.min_horizontal(ts + pl.min_horizontal(after.fill_null(LAST_FOR), usual), pl.lit(stop))
    )


def swept(cells: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """End each cell where the price first reached it: columns stand for an hour or more, and the price moves meanwhile.

    A bar of prices (ts: its end) that lies in the time of a cell's column and comes into the cell's bin, or beyond it, ends
    the cell at the bar's end. Cells that nothing reaches stay as they are, and those of the newest column: the view has swept
    them, and a bar may have begun before it.
    """
    bars = lines.select(pl.col("ts").alias("bar"), "low", "high").sort("bar")
    columns = cells.filter(pl.col("freshness") == PAST).select("ts", "ts_end").unique()
    inside = columns.join_where(bars, pl.col("bar") > pl.col("ts"), pl.col("bar") <= pl.col("ts_end")).sort("ts", "bar")
    reached = inside.with_columns(
        low=pl.col("low").cum_min().over("ts"), high=pl.col("high").cum_max().over("ts")
    ).drop("ts_end")
    hit = pl.when(pl.col("position_side") == "long").then(pl.col("low") < pl.col("price_high")).otherwise(
        pl.col("high") >= pl.col("price_low"))  # fmt: skip
    place = ["ts", "position_side", "price_low"]
    ends = cells.join(reached, on="ts").filter(hit).group_by(place).agg(pl.col("bar").min())
    return cells.join(ends, on=place, how="left", maintain_order="left").with_columns(
        ts_end=pl.coalesce("bar", "ts_end")
    ).drop("bar")  # fmt: skip


def _age(warehouse: Lake, base: str) -> tuple[str, ...]:
    """Say how old the coin's newest map is, and STALE where that is too old."""
    found = rows(
        warehouse,
        """
        SELECT ts, age_s, date_diff('second', price_ts, as_of()) AS price_age_s, freshness
        FROM levels_reach(as_of(), max_age_hours := 48) WHERE base = $base
        """,
        {"base": base},
    )
    if found.is_empty():
        return (f"{STALE}: no map of the 48 hours before the end",)
    row = found.row(0, named=True)
    if row["freshness"] == STALE:
        return (f"{STALE}: {stale(row['age_s'], row['price_age_s'])}; a new one: liq levels estimate",)
    return (
        f"The newest map is of {row['ts']:%Y-%m-%d %H:%M}, {aged(row['age_s'])} old, less what the price has passed since",
    )


def _columns(times: pl.Series) -> tuple[str, ...]:
    """Say how far the columns are apart, and how exactly a cell ends."""
    columns = times.unique().sort()
    daily = columns.filter(columns.diff() >= SPARSE)
    if daily.is_empty():
        return ()
    last: Any = daily.max()
    return (
        f"Columns: one a day until {last:%d %b %Y}, one an hour after; a cell ends in the hour in which the price reached it",
    )


def _known(found: pl.DataFrame) -> tuple[str, ...]:
    """What the estimate says of itself."""
    since: Any = found["since"].min()
    share: Any = found["bars_share"].min()
    weights = " and ".join(sorted(found["weights_from"].unique()))
    model = " and ".join(sorted(found["model"].unique()))
    notes = [f"Estimates by the model {model}, nothing observed: read them as relative. Weights: {weights}. Positions "
             f"opened before {since:%Y-%m-%d %H:%M} are not in it"]  # fmt: skip
    if share is not None and share < 1:
        notes.append(f"Missing: up to {1 - share:.1%} of the minutes between columns have no bar")
    return tuple(notes)
