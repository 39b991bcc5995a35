"""liquidation_levels, levels_state, leverage_weights, levels_scores, levels_parameters: estimates, and how good they are."""

from warehouse.tables.shared import SYMBOL, VENUE
from warehouse.tables.table import Column, Table, by_day

BASE = Column("base", "VARCHAR", "Coin, summed over its contracts quoted in dollars")
SIDE = Column("position_side", "VARCHAR", "long (levels below the price) or short (above)")
LEVERAGE = Column("leverage", "DOUBLE", "Leverage with which the exposure is taken to have been opened", "times")
BIN = Column("bin", "INTEGER", "Number of the price bin: floor(ln(price) / ln(1 + width))")
PARAMETERS = Column("parameters", "VARCHAR", "Version of the model's parameters", source="levels_parameters")

LIQUIDATION_LEVELS = Table(
    name="liquidation_levels",
    grain="one price bin of a coin's side and leverage at one time; an estimate, no observed positions. Hourly for 30 days, "
    "daily before, and the newest state of all",
    columns=(
        Column("ts", "TIMESTAMP", "The state after all bars that had ended by then", "UTC"),
        BASE,
        SIDE,
        LEVERAGE,
        BIN,
        Column("price_low", "DOUBLE", "Lower edge of the bin", "USD per coin"),
        Column("price_high", "DOUBLE", "Upper edge of the bin", "USD per coin"),
        Column("price", "DOUBLE", "Geometric middle of the bin", "USD per coin"),
        Column("qty_base_estimated", "DOUBLE", "Exposure that would be liquidated in the bin; read it as relative", "coins"),
        Column("usd_estimated", "DOUBLE", "qty_base_estimated x price; read it as relative", "USD, estimated"),
        Column("price_now", "DOUBLE", "The coin's price at ts: median of its contracts' last closes", "USD per coin"),
        Column("distance", "DOUBLE", "price / price_now - 1", "fraction"),
        Column("contracts", "BIGINT", "Contracts summed"),
        Column("venues", "VARCHAR", "Their venues"),
        Column("since", "TIMESTAMP", "First bar that the estimate knows of; what was opened before is not in it", "UTC"),
        Column("bars_share", "DOUBLE", "Minutes since the column before that had a bar / minutes, over the contracts "
               "that have bars there", "fraction"),
        Column("weights_from", "VARCHAR", "fitted (to the coin's liquidations) or published (a public model's)"),
        Column("weights_since", "TIMESTAMP", "End of the data the weights were fitted to", "UTC", "leverage_weights",
               "published"),
        PARAMETERS,
    ),
    partition=by_day("ts"),
    sort=("base", "ts", "position_side", "leverage", "bin"),
    append_only=False,
)  # fmt: skip

LEVELS_STATE = Table(
    name="levels_state",
    grain="a contract's state of the level model at the last full hour, from which the next run goes on: one row with its "
    "last bar (bin null), and one a price bin, side and leverage",
    columns=(
        Column("until", "TIMESTAMP", "The state after all bars that had ended by then", "UTC"),
        VENUE,
        SYMBOL,
        Column("long", "BOOLEAN", "Side of the cell", null_when="the row of the last bar"),
        LEVERAGE._replace(null_when="the row of the last bar"),
        BIN._replace(null_when="the row of the last bar"),
        Column("qty", "DOUBLE", "Exposure in the bin if all had this leverage; weights come later", "coins",
               null_when="the row of the last bar"),
        Column("ts", "TIMESTAMP", "Start of the last bar", "UTC", "klines", "a cell"),
        Column("close", "DOUBLE", "Its close", "quote per coin", "klines", "a cell"),
        Column("oi", "DOUBLE", "Last open interest told", "coins; inverse: USD", "open_interest", "a cell, or never told"),
        Column("low_since", "DOUBLE", "Low since it was told", "quote per coin", "klines", "told in the last bar"),
        Column("high_since", "DOUBLE", "High since it was told", "quote per coin", "klines", "told in the last bar"),
        Column("long_since", "DOUBLE", "Longs liquidated since it was told", "unit of oi", "liquidations_complete",
               "told in the last bar"),
        Column("short_since", "DOUBLE", "Shorts liquidated since it was told", "unit of oi", "liquidations_complete",
               "told in the last bar"),
        Column("since", "TIMESTAMP", "First bar", "UTC", "klines", "a cell"),
        PARAMETERS,
    ),
    sort=("venue", "symbol", "long", "leverage", "bin"),
    append_only=False,
)  # fmt: skip

LEVERAGE_WEIGHTS = Table(
    name="leverage_weights",
    grain="the weight of one leverage in a coin's openings, for times from valid_from on",
    columns=(
        BASE,
        Column("valid_from", "TIMESTAMP", "End of the data it was fitted to; used for later times only", "UTC"),
        Column("data_since", "TIMESTAMP", "Start of that data", "UTC"),
        LEVERAGE,
        Column("weight", "DOUBLE", "Share of what is opened; those of a coin sum to one", "fraction"),
        Column("published", "DOUBLE", "The public model's share", "fraction", "levels_parameters"),
        Column("method", "VARCHAR", "fitted, or published where there was too little to fit to or the fit explained nothing"),
        Column("identified", "BOOLEAN", "Whether this leverage was swept often enough to be fitted; else its weight is the "
               "published one"),
        Column("residual", "DOUBLE", "What the fit leaves unexplained: weighted sum of squares / that of no model", "fraction",
               null_when="there was too little to fit to"),
        Column("n", "BIGINT", "Cells of time and price fitted to", "cells"),
        Column("realised_usd", "DOUBLE", "Liquidations fitted to", "USD", "liquidations_complete"),
        Column("venues", "VARCHAR", "Venues of those liquidations: feeds that carry all", null_when="there were none"),
        PARAMETERS,
    ),
    sort=("base", "valid_from", "leverage"),
    append_only=False,
)  # fmt: skip

LEVELS_SCORES = Table(
    name="levels_scores",
    grain="one measure of one model over one coin's back-test, or one decile of its calibration curve",
    columns=(
        BASE,
        Column("since", "TIMESTAMP", "Start of the back-test", "UTC"),
        Column("until", "TIMESTAMP", "Its end", "UTC"),
        Column("model", "VARCHAR", "levels; or a null model: uniform (the same in every bin), mirrored (the map, mirrored "
               "around the price)"),
        Column("measure", "VARCHAR", "rank_correlation (Spearman, of predicted share and realised USD over the bins the price "
               "reached), top_decile_mass (realised share of the tenth of these bins with the highest predicted), calibration"),
        Column("decile", "INTEGER", "Of predicted share among the reached bins, 10 is the highest", null_when="no calibration"),
        Column("value", "DOUBLE", "The measure; of calibration the mean realised share", null_when="not defined"),
        Column("low", "DOUBLE", "2.5 % quantile of the block bootstrap", null_when="calibration, or too few blocks"),
        Column("high", "DOUBLE", "97.5 % quantile", null_when="calibration, or too few blocks"),
        Column("predicted", "DOUBLE", "Mean predicted share", "fraction", null_when="no calibration"),
        Column("lead", "DOUBLE", "Value of levels less that of this null model", null_when="model is levels"),
        Column("lead_low", "DOUBLE", "2.5 % quantile of the lead; above 0: levels is clearly better",
               null_when="model is levels, or too few blocks"),
        Column("lead_high", "DOUBLE", "97.5 % quantile of the lead", null_when="model is levels, or too few blocks"),
        Column("maps", "BIGINT", "Maps frozen and judged: those of which a bin was reached", "maps"),
        Column("cells", "BIGINT", "Bins reached, over all maps", "bins"),
        Column("realised_usd", "DOUBLE", "Liquidated in these bins", "USD", "liquidations_complete"),
        Column("outside_usd", "DOUBLE", "Liquidated in the same time elsewhere, as by positions opened after the map", "USD"),
        Column("venues", "VARCHAR", "Venues of these liquidations: feeds that carry all", null_when="there were none"),
        Column("weights_from", "VARCHAR", "fitted, published, or both over the time"),
        PARAMETERS,
    ),
    sort=("base", "until", "model", "measure", "decile"),
    append_only=False,
)  # fmt: skip

LEVELS_PARAMETERS = Table(
    name="levels_parameters",
    grain="one version of the level model's parameters",
    columns=(
        PARAMETERS._replace(source=""),
        Column("json", "VARCHAR", "Their values"),
        Column("first_used", "TIMESTAMP", "End of the first estimate made with them", "UTC"),
    ),
    append_only=False,
)
LEVELS = (LIQUIDATION_LEVELS, LEVELS_STATE, LEVERAGE_WEIGHTS, LEVELS_SCORES, LEVELS_PARAMETERS)
