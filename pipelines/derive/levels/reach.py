"""A column of the heatmap by the model `reach`: USD liquidated if the price comes to a bin."""

import math
from datetime import datetime

import polars as pl

from pipelines.derive.levels.columns import coins_of, live_contracts, rows_of, shares
from pipelines.derive.levels.features import anchors_of, described
from pipelines.derive.levels.forecast import FITTED, weights_for, with_reach
from pipelines.derive.levels.model import State, bin_of
from pipelines.derive.levels.parameters import Parameters

PLACE = ["base", "venue", "offset"]


def reach_levels(
    state: State, listed: pl.DataFrame, margins: pl.DataFrame, weights: pl.DataFrame, fits: pl.DataFrame, at: datetime,
    parameters: Parameters,
) -> pl.DataFrame:  # fmt: skip
    """Return the rows of `liquidation_levels` at `at` of the model reach, without bars_share; sorted.

    weights: of `columns.weights_at`. fits: rows of `levels_features`. Of each venue what its own contracts and weights say of
    every bin but the price's own, up to `farthest`, summed over the venues around the coin's price. Venues without open
    interest add nothing.
    """
    live = live_contracts(state, listed, at, parameters)
    known = listed.join(live.select("contract"), on="contract", how="semi")
    anchors = anchors_of(state, known, at, parameters.recent_half_life_h)
    bins = _bins(anchors, parameters)
    cells = described(state, anchors, bins, at, parameters).join(
        _opened(state, anchors, shares(listed, margins, weights, parameters)), on=PLACE, how="left"
    )
    cells = cells.with_columns(pl.col("opened_usd").fill_null(0.0))
    found = with_reach(cells, weights_for(fits, cells, at, parameters), parameters).filter(pl.col("reach") > 0)
    summed = (
        _summed(found).join(coins_of(live), on="base").with_columns(bin=bin_of(pl.col("price_now")) + pl.col("offset"))
    )
    middle = ((pl.col("bin").cast(pl.Float64) + 0.5) * pl.col("log_width")).exp()
    rows = summed.with_columns(
        qty_base_estimated=pl.col("usd") / middle, model=pl.lit("reach"), leverage=pl.lit(None, pl.Float64)
    )
    return rows_of(rows, at, parameters)


def _bins(anchors: pl.DataFrame, parameters: Parameters) -> pl.DataFrame:
    """Every bin but the price's own, up to `farthest` below and above: base, venue, long, offset."""
    low, high = (pl.lit(math.log(1 + d * parameters.farthest)) / pl.col("log_width") for d in (-1, 1))
    venues = anchors.group_by("base", "venue").agg(pl.col("log_width").first())
    every = venues.select(
        "base", "venue", offset=pl.int_ranges(low.floor().cast(pl.Int32), high.ceil().cast(pl.Int32) + 1, dtype=pl.Int32)
    ).explode("offset")  # fmt: skip
    return every.filter(pl.col("offset") != 0).with_columns(long=pl.col("offset") < 0)


def _opened(state: State, anchors: pl.DataFrame, share: pl.DataFrame) -> pl.DataFrame:
    """USD of the model oi by venue and bins from the price."""
    held = state.cells.join(share, on=["contract", "leverage"]).group_by("contract", "bin")
    joined = held.agg(qty=(pl.col("qty") * pl.col("share")).sum()).join(anchors, on="contract")
    offset = pl.col("bin") - pl.col("zero")
    usd = pl.col("qty") * pl.col("close") * (offset.cast(pl.Float64) * pl.col("log_width")).exp()
    return joined.with_columns(offset=offset, usd=usd).group_by(PLACE).agg(opened_usd=pl.col("usd").sum())


def _summed(found: pl.DataFrame) -> pl.DataFrame:
    """Bins of the coin, with how its venues' weights came about: the least sure where they differ."""
    order = pl.Series(["published", "pooled", FITTED])
    sure = pl.col("features_from").replace_strict(order, [0, 1, 2], return_dtype=pl.Int32)
    worst = found.group_by("base").agg(
        weights_from=pl.col("features_from").sort_by(sure).first(), weights_since=pl.col("features_since").min()
    )
    usd = found.group_by("base", "long", "offset").agg(usd=pl.col("reach").sum())
    return usd.join(worst, on="base")
