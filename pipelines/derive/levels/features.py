"""What is known of a price bin when a map is frozen, and the features of the model `reach` made of it.

Nothing of after the map's time is read: all of it is in the state.
"""

import math
from datetime import datetime

import polars as pl

from pipelines.derive.levels.model import State, bin_of
from pipelines.derive.levels.parameters import Parameters
from pipelines.derive.levels.touched import aged, hours_since

FEATURES = ("every_bin", "rest", "stretch", "recent", "opened")
SCALE = (
    0.01  # a bin is as wide as its share of a price move of one; one percent of the open interest is a convenient unit
)
FIVE_MINUTES_PER_HOUR = 12


def anchors_of(state: State, listed: pl.DataFrame, at: datetime, half_life_h: float) -> pl.DataFrame:
    """Return of each contract: contract, base, venue, log_width, close, zero (the close's bin), since, oi_usd, recent (USD)."""
    oi = pl.when("inverse").then("oi").otherwise(pl.col("oi") * pl.col("close"))
    return state.carry.join(
        listed.select("contract", "base", "venue", "log_width", "inverse"), on="contract"
    ).select(
        "contract", "base", "venue", "log_width", "close", "since", zero=bin_of(pl.col("close")), oi_usd=oi,
        recent=pl.col("recent").fill_null(0.0) * aged(pl.lit(at, pl.Datetime("us")) - pl.col("ts"), half_life_h),
    )  # fmt: skip


def described(
    state: State, anchors: pl.DataFrame, bins: pl.DataFrame, at: datetime, parameters: Parameters
) -> pl.DataFrame:
    """Return the bins (base, venue, long, offset, whatever else) with what is known of them at `at`.

    hours: since the price was last in the bin, on any of the venue's contracts; where it never was, since the first bar.
    traded: coins traded there. distance: of the bin's middle from the price, a fraction. oi_usd, recent_usd: of the coin at
    the venue; recent_usd per hour.
    """
    place = ["base", "venue", "offset"]
    of = anchors.group_by("base", "venue").agg(
        pl.col("log_width").first(), pl.col("since").min(), oi_usd=pl.col("oi_usd").sum(),
        recent_usd=pl.col("recent").sum() * (math.log(2) / parameters.recent_half_life_h),
    )  # fmt: skip
    seen = (
        state.touched.join(anchors.select("contract", "base", "venue", "zero"), on="contract")
        .with_columns(offset=pl.col("bin") - pl.col("zero"))
        .group_by(place)
        .agg(pl.col("ts").max(), pl.col("traded").sum())
    )
    joined = bins.join(of, on=["base", "venue"], maintain_order="left").join(
        seen, on=place, how="left", maintain_order="left"
    )
    return joined.with_columns(
        hours=hours_since(at, pl.coalesce("ts", "since")),
        traded=pl.col("traded").fill_null(0.0),
        distance=(pl.col("offset").abs() * pl.col("log_width")).exp() - 1,
    ).drop("ts", "since")


def scale() -> pl.Expr:
    """USD that the model counts in: one percent of the open interest, for each unit of log price that a bin is wide; null
    where no open interest is known."""
    usd = pl.col("oi_usd") * pl.col("log_width") * SCALE
    return pl.when(usd > 0).then(usd)


def features(parameters: Parameters) -> dict[str, pl.Expr]:
    """The FEATURES of a bin, each 0 or more, in units of `scale`; of rows of `described` with `opened_usd`, what the model
    `oi` expects there.

    every_bin: 1. rest: root of the hours without the price. stretch: logarithm of these, growing with the distance up to
    `near`. recent: root of USD liquidated of late per hour / scale. opened: opened_usd / scale.
    """
    return {
        "every_bin": pl.lit(1.0),
        "rest": pl.col("hours").sqrt(),
        "stretch": untouched() * (pl.col("distance") / parameters.near).clip(0, 1),
        "recent": (pl.col("recent_usd") / scale()).sqrt(),
        "opened": pl.col("opened_usd") / scale(),
    }


def untouched() -> pl.Expr:
    """How long the price has not been in the bin: logarithm of 1 + the five-minute steps since."""
    return (1 + pl.col("hours") * FIVE_MINUTES_PER_HOUR).log()
