"""Clusters of predicted liquidation levels near a position, and a stop that lies outside them.

A level is where others would be liquidated; a stop inside a dense cluster is hit by the same move. What a cluster is says
the macro `clusters_at`, as for the view `liquidation_clusters`; here it is only asked for.
"""

from typing import NamedTuple

import polars as pl

from pipelines.facts import Position as Side

SAFE = 0.25
"""A stop keeps this share of the way between price and liquidation before the liquidation."""
CLEAR = 0.001
"""A stop keeps this fraction of the price away from a cluster."""
KNOWN_WITHIN = 0.2
"""How far from the price clusters are looked for, a fraction: as `clusters_at` does."""
FOUND = pl.Schema({
    "position_side": pl.String(), "price_low": pl.Float64(), "price_high": pl.Float64(), "peak_price": pl.Float64(),
    "usd": pl.Float64(), "share": pl.Float64(),
})  # fmt: skip
CLUSTERS = pl.Schema({**FOUND, "distance": pl.Float64()})


class Stop(NamedTuple):
    """A stop price, None where there is none to suggest, and why."""

    price: float | None
    reason: str


def ahead(found: pl.DataFrame, price: float) -> pl.DataFrame:
    """Return the clusters that the price has not passed, the nearest first.

    In: `found` as FOUND, the rows of `clusters_at` in the contract's prices; `share` is of the side's USD within 20 %. Out, as
    CLUSTERS: `distance` is the signed distance of the nearer edge as a fraction of `price`, 0 inside the cluster. Longs above
    the price and shorts below it are left out: the price has passed them.
    """
    is_long = pl.col("position_side") == "long"
    left = found.filter(pl.when(is_long).then(pl.col("price_low") < price).otherwise(pl.col("price_high") > price))
    edge = (
        pl.when(is_long)
        .then(pl.min_horizontal("price_high", pl.lit(price)))
        .otherwise(pl.max_horizontal("price_low", pl.lit(price)))
    )
    told = left.with_columns(distance=edge / price - 1)
    return told.sort(pl.col("distance").abs(), "price_low", "position_side").select(CLUSTERS.names())


def near(clusters: pl.DataFrame, within: float) -> pl.DataFrame:
    """Return the clusters that begin within that fraction of the price, each whole."""
    return clusters.filter(pl.col("distance").abs() <= within)


def suggest_stop(
    clusters: pl.DataFrame, position_side: Side, price: float, liquidation: float | None, wanted: float | None = None,
    within: float = 0.1,
) -> Stop:  # fmt: skip
    """Return a stop between price and liquidation that lies in no cluster.

    `wanted`: where one would put it; None: half way to the liquidation, at most `within` away. Inside a cluster it moves
    to just beyond its far edge, past clusters that touch; where that comes nearer to the liquidation than SAFE allows, to just
    before its near edge. `clusters`: all there are, as `ahead` gives them, not only those that begin `within`.
    """
    d = 1 if position_side == "long" else -1
    end = price * (1 - d * within) if liquidation is None else liquidation
    if d * (price - end) <= 0:
        return Stop(None, "the liquidation price is not on the losing side of the price")
    limit = end if liquidation is None else end + (price - end) * SAFE
    start = price - d * min(abs(price - end) / 2, price * within) if wanted is None else wanted
    if not 0 < d * (price - start) <= d * (price - limit):
        return Stop(
            None, f"{start:,.8g} is not between the price {price:,.8g} and {limit:,.8g}, short of the liquidation"
        )
    beyond, passed = _past(clusters, start, -d, price)
    if not passed:
        far = abs(start / price - 1) > KNOWN_WITHIN
        return Stop(start, f"clusters are known only within {KNOWN_WITHIN:.0%}" if far else "lies in no cluster")
    if d * (beyond - limit) >= 0:
        return Stop(beyond, f"just beyond {_named(passed)}: {_where(start, passed)}")
    before, passed = _past(clusters, start, d, price)
    if d * (price - before) > 0:
        return Stop(
            before, f"just before {_named(passed)}, as beyond it the liquidation is too near: {_where(start, passed)}"
        )
    return Stop(None, "dense clusters fill the way to the liquidation price")


def _past(
    clusters: pl.DataFrame, start: float, step: int, price: float
) -> tuple[float, list[tuple[float, float, float]]]:
    """Return the first price from `start` up (step 1) or down (-1) that is CLEAR of every cluster, and those it passes."""
    spans = clusters.select("price_low", "price_high", "peak_price").sort("price_low", descending=step < 0).rows()
    found, clear, passed = start, price * CLEAR, []
    for low, high, peak in spans:
        if low - clear < found < high + clear:
            found = high + clear if step > 0 else low - clear
            passed.append((low, high, peak))
    return found, passed


def _named(passed: list[tuple[float, float, float]]) -> str:
    """Return the clusters as words: the bounds of each, and of one alone its peak."""
    if len(passed) == 1:
        low, high, peak = passed[0]
        return f"the cluster {low:,.8g} to {high:,.8g}, the most of it at {peak:,.8g}"
    return "the clusters " + " and ".join(f"{low:,.8g} to {high:,.8g}" for low, high, _ in sorted(passed))


def _where(start: float, passed: list[tuple[float, float, float]]) -> str:
    """Say how `start` lies to the cluster it may not stay at."""
    inside = any(low <= start <= high for low, high, _ in passed)
    return f"{start:,.8g} lies in it" if inside else f"{start:,.8g} is nearer to it than {CLEAR:.1%} of the price"
