"""When the price was last in each bin, and how much was traded there."""

from datetime import datetime

import polars as pl

from pipelines.derive.levels.parameters import Parameters

TOUCHED = pl.Schema({"contract": pl.UInt32(), "bin": pl.Int32(), "ts": pl.Datetime("us"), "traded": pl.Float64()})
"""A bin of a contract that the price has been in: start of the last bar that came to it, and coins traded in it, older ones
counted less by the half-life; a bar's volume is spread evenly over its bins."""


def touched(before: pl.DataFrame, carry: pl.DataFrame, made: pl.DataFrame, parameters: Parameters) -> pl.DataFrame:
    """Return TOUCHED after the bars `made` (see `model.prepared`); carry: the last bar of each contract before them."""
    if made.is_empty():
        return before
    last = made.group_by("contract").agg(now=pl.col("ts").max())
    then = carry.select("contract", then="ts")
    old = before.join(last, on="contract", how="left").join(then, on="contract", how="left")
    old = old.with_columns(traded=pl.col("traded") * aged(pl.col("now") - pl.col("then"), parameters.half_life_h))
    bins = (pl.col("high_bin") - pl.col("low_bin") + 1).cast(pl.Float64)
    share = pl.col("volume").fill_null(0.0).clip(0) / bins * aged(pl.col("now") - pl.col("ts"), parameters.half_life_h)
    spans = made.join(last, on="contract").with_columns(traded=share)
    spans = spans.group_by("contract", "low_bin", "high_bin").agg(pl.col("ts").max(), pl.col("traded").sum())
    new = spans.with_columns(bin=pl.int_ranges("low_bin", pl.col("high_bin") + 1, dtype=pl.Int32)).explode("bin")
    both = pl.concat([old.select(TOUCHED.names()), new.select(TOUCHED.names())])
    return both.group_by("contract", "bin").agg(pl.col("ts").max(), pl.col("traded").sum()).sort("contract", "bin")


def aged(time: pl.Expr, half_life_h: float | None) -> pl.Expr:
    """The share that is left after a time; all where there is no half-life, or the time is null."""
    if half_life_h is None:
        return pl.lit(1.0)
    return pl.lit(0.5).pow((time.dt.total_seconds() / 3600 / half_life_h).fill_null(0.0))


def hours_since(at: datetime, ts: pl.Expr) -> pl.Expr:
    """Hours from a time to `at`, none below 0."""
    return ((pl.lit(at, pl.Datetime("us")) - ts).dt.total_seconds() / 3600).clip(0)
