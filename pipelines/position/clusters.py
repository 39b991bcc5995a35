"""Predicted liquidation levels near a position: dense clusters, and a stop that lies outside them.

A level is where others would be liquidated; a stop inside a dense cluster is hit by the same move. Definitions, ours:
the range is cut into bins of equal width, per position side; a bin is dense where it holds at least DENSE times what the
average bin of the range holds; dense bins next to each other are one cluster.
"""

from typing import NamedTuple

import polars as pl

from pipelines.facts import Position as Side

BINS = 80
"""Of the range, both sides of the price together."""
DENSE = 2.0
SAFE = 0.25
"""A stop keeps this share of the way between price and liquidation before the liquidation."""
LEVELS = pl.Schema({"price": pl.Float64(), "position_side": pl.String(), "usd": pl.Float64()})
CLUSTERS = pl.Schema({
    "position_side": pl.String(), "price_low": pl.Float64(), "price_high": pl.Float64(), "usd": pl.Float64(),
    "share": pl.Float64(), "distance": pl.Float64(),
})  # fmt: skip


class Stop(NamedTuple):
    """A stop price, None where there is none to suggest, and why."""

    price: float | None
    reason: str


def clusters_near(levels: pl.DataFrame, price: float, within: float = 0.1, dense: float = DENSE) -> pl.DataFrame:
    """Return the dense clusters in price x [1 - within, 1 + within], the nearest first.

    In: `levels` with price, position_side (long, short), usd; any order and more columns are fine. Out, as CLUSTERS: the
    edges of the bins, USD in them, its share of all in the range, and the signed distance of the nearer edge as a fraction of
    `price`. Longs at or above the price and shorts at or below it are left out: the price has passed them.
    """
    low, width = price * (1 - within), 2 * within * price / BINS
    ahead = pl.when(pl.col("position_side") == "long").then(pl.col("price") < price).otherwise(pl.col("price") > price)
    near = levels.select(LEVELS.names()).filter(
        pl.col("price").is_between(low, price * (1 + within)), pl.col("usd") > 0, ahead
    )
    total = float(near["usd"].sum())
    if not total:
        return CLUSTERS.to_frame()
    number = ((pl.col("price") - low) / width).floor().clip(0, BINS - 1).cast(pl.Int64)
    bins = near.group_by("position_side", number.alias("bin")).agg(pl.col("usd").sum())
    full = bins.filter(pl.col("usd") >= dense * total / BINS).sort("position_side", "bin")
    run = (pl.col("bin") - pl.int_range(pl.len())).over("position_side")
    found = full.group_by("position_side", run.alias("run")).agg(
        price_low=low + pl.col("bin").min() * width,
        price_high=low + (pl.col("bin").max() + 1) * width,
        usd=pl.col("usd").sum(),
    )
    away = (
        pl.when(pl.col("price_low") > price).then(pl.col("price_low"))
        .when(pl.col("price_high") < price).then(pl.col("price_high")).otherwise(price)
    ) / price - 1  # fmt: skip
    told = found.with_columns(share=pl.col("usd") / total, distance=away)
    return told.sort(pl.col("distance").abs(), "price_low", "position_side").select(CLUSTERS.names())


def suggest_stop(
    clusters: pl.DataFrame, position_side: Side, price: float, liquidation: float | None, wanted: float | None = None,
    within: float = 0.1,
) -> Stop:  # fmt: skip
    """Return a stop between price and liquidation that lies in no cluster.

    `wanted`: where one would put it; None: half way to the liquidation, at most `within` away. Inside a cluster it moves
    to just beyond its far edge, past clusters that touch; where that comes nearer to the liquidation than SAFE allows, to just
    before its near edge. `clusters` as `clusters_near` gives them; only those on the losing side count.
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
    beyond = _past(clusters, start, -d, price)
    if d * (beyond - limit) >= 0:
        moved = "lies in no cluster" if beyond == start else f"just beyond the cluster around {start:,.8g}"
        return Stop(beyond, moved)
    before = _past(clusters, start, d, price)
    if d * (price - before) > 0:
        return Stop(before, f"just before the cluster around {start:,.8g}, as beyond it the liquidation is too near")
    return Stop(None, "dense clusters fill the way to the liquidation price")


def _past(clusters: pl.DataFrame, start: float, step: int, price: float) -> float:
    """Return the first price from `start` up (step 1) or down (-1) that is in no cluster: a thousandth of the price clear."""
    spans = clusters.select("price_low", "price_high").sort("price_low", descending=step < 0).rows()
    found, clear = start, price * 0.001
    for low, high in spans:
        if low - clear < found < high + clear:
            found = high + clear if step > 0 else low - clear
    return found
