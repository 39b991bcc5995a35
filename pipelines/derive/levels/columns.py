"""A column of the heatmap: the state of every contract as estimated levels of each coin."""

from datetime import datetime, timedelta

import polars as pl

from pipelines.derive.levels.margins import column
from pipelines.derive.levels.model import State, bin_of
from pipelines.derive.levels.parameters import Parameters
from warehouse.tables import TABLES

PUBLISHED, FITTED = "published", "fitted"


def weights_at(stored: pl.DataFrame, bases: pl.Series, at: datetime, parameters: Parameters) -> pl.DataFrame:
    """Return the weights to use at `at`: base, leverage, weight, weights_from, weights_since.

    stored: rows of `leverage_weights`. Of each coin the newest weights of these parameters that were fitted to data before
    `at`; else the published ones.
    """
    usable = stored.filter((pl.col("parameters") == parameters.version) & (pl.col("valid_from") <= at))
    newest = usable.filter(pl.col("valid_from") == pl.col("valid_from").max().over("base"))
    plain = pl.DataFrame(
        {"leverage": parameters.leverages, "published": parameters.weights},
        schema={"leverage": pl.Float64, "published": pl.Float64},
    )
    every = bases.unique().sort().alias("base").to_frame().join(plain, how="cross")
    joined = every.join(
        newest.select("base", "leverage", "weight", "method", "valid_from"), on=["base", "leverage"], how="left"
    )
    return joined.select(
        "base",
        "leverage",
        weight=pl.coalesce("weight", "published"),
        weights_from=pl.coalesce("method", pl.lit(PUBLISHED)),
        weights_since=pl.when(pl.col("method") == FITTED).then("valid_from"),
    )


def levels(
    state: State,
    listed: pl.DataFrame,
    margins: pl.DataFrame,
    weights: pl.DataFrame,
    at: datetime,
    parameters: Parameters,
) -> pl.DataFrame:
    """Return the rows of `liquidation_levels` at `at`, without bars_share; sorted by base, side, leverage and bin.

    A coin's price is the median of its contracts' last closes; a contract's levels are moved by the bins between its own
    close and that, so that a premium puts no level on the wrong side. Contracts without a bar for `stale_h` are left out.
    A contract's weights are those of the leverages it allows, brought to a sum of one.
    """
    live = live_contracts(state, listed, at, parameters)
    coins = coins_of(live)
    cells = state.cells.join(live.select("contract", "base", "moved"), on="contract").join(
        shares(listed, margins, weights, parameters), on=["contract", "leverage"]
    )
    summed = cells.group_by("base", "long", "leverage", bin=pl.col("bin") + pl.col("moved")).agg(
        qty_base_estimated=(pl.col("qty") * pl.col("share")).sum()
    )
    told = weights.with_columns(model=pl.lit("oi"))
    return rows_of(summed.join(coins, on="base").join(told, on=["base", "leverage"]), at, parameters)


def live_contracts(state: State, listed: pl.DataFrame, at: datetime, parameters: Parameters) -> pl.DataFrame:
    """Return the last bar of each contract that is not stale, with the coin's price_now and the bins it is moved by."""
    live = state.carry.filter(pl.col("ts") + pl.duration(minutes=1) > at - timedelta(hours=parameters.stale_h))
    live = live.join(listed.select("contract", "venue", "base", "log_width"), on="contract")
    live = live.with_columns(price_now=pl.col("close").median().over("base"))
    return live.with_columns(moved=bin_of(pl.col("price_now")) - bin_of(pl.col("close")))


def coins_of(live: pl.DataFrame) -> pl.DataFrame:
    """Return what the rows of a coin say of all of it: price_now, log_width, since, contracts, venues."""
    return live.group_by("base").agg(
        pl.col("price_now", "log_width").first(),
        pl.col("since").min(),
        contracts=pl.len().cast(pl.Int64),
        venues=pl.col("venue").unique().sort().str.join(", "),
    )


def shares(listed: pl.DataFrame, margins: pl.DataFrame, weights: pl.DataFrame, parameters: Parameters) -> pl.DataFrame:
    """Return contract, leverage, share: each contract's weights over the leverages it allows, summing to one."""
    allowed = pl.concat(
        [
            margins.select(
                "contract", leverage=pl.lit(leverage), allowed=pl.col(column(leverage, long=True)).is_not_null()
            )
            for leverage in parameters.leverages
        ]
    )
    joined = allowed.join(listed.select("contract", "base"), on="contract").join(weights, on=["base", "leverage"])
    total = pl.when("allowed").then("weight").otherwise(0.0).sum().over("contract")
    shared = joined.with_columns(share=pl.col("weight") / total).filter(pl.col("allowed") & (total > 0))
    return shared.select("contract", "leverage", "share")


def rows_of(summed: pl.DataFrame, at: datetime, parameters: Parameters) -> pl.DataFrame:
    """Return rows of `liquidation_levels` without bars_share, of coins in bins (qty_base_estimated) and their words."""
    edge = pl.col("bin").cast(pl.Float64) * pl.col("log_width")
    rows = summed.with_columns(
        ts=pl.lit(at, pl.Datetime("us")),
        position_side=pl.when("long").then(pl.lit("long")).otherwise(pl.lit("short")),
        price_low=edge.exp(),
        price_high=(edge + pl.col("log_width")).exp(),
        price=(edge + pl.col("log_width") / 2).exp(),
        parameters=pl.lit(parameters.version),
    ).with_columns(
        usd_estimated=pl.col("qty_base_estimated") * pl.col("price"),
        distance=pl.col("price") / pl.col("price_now") - 1,
    )
    near = rows.filter((pl.col("distance").abs() <= parameters.farthest) & (pl.col("qty_base_estimated") > 0))
    names = [name for name in TABLES["liquidation_levels"].schema if name != "bars_share"]
    return near.select(names).sort("base", "position_side", "leverage", "bin")
