"""Estimated levels, the state and the weights they are made of, and how good they are."""

from warehouse.tables.shared import SYMBOL, VENUE
from warehouse.tables.table import Column, Table, by_day

BASE = Column("base", "VARCHAR", "Coin, summed over its contracts quoted in dollars")
SIDE = Column("position_side", "VARCHAR", "long (levels below the price) or short (above)")
LEVERAGE = Column("leverage", "DOUBLE", "Leverage with which the exposure is taken to have been opened", "times")
BIN = Column("bin", "INTEGER", "Number of the price bin: floor(ln(price) / ln(1 + width))")
PARAMETERS = Column("parameters", "VARCHAR", "Version of the model's parameters", source="levels_parameters")

LIQUIDATION_LEVELS = Table(
    name="liquidation_levels",
    grain="one price bin of a coin's side at one time, as each model sees it, of the model oi by leverage; an estimate, no "
    "observed positions. Hourly for 30 days, daily before, and the newest state of all",
    columns=(
        Column("ts", "TIMESTAMP", "The state after all bars that had ended by then", "UTC"),
        BASE,
        Column("model", "VARCHAR", "oi: what was opened, by the change of open interest, at its liquidation "
               "prices. reach: USD liquidated if the price comes to the bin, learnt from what "
               "was liquidated before", null_when="rows of before: oi"),
        SIDE,
        LEVERAGE._replace(null_when="the model is reach"),
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
        Column("weights_from", "VARCHAR", "oi: fitted (to the coin's liquidations) or published (a public model's). "
               "reach: fitted (to the coin's at the venue), pooled (to those of other coins), "
               "or published (comes with the program)"),
        Column("weights_since", "TIMESTAMP", "End of the data the weights were fitted to", "UTC", "leverage_weights",
               "published"),
        PARAMETERS,
    ),
    partition=by_day("ts"),
    sort=("base", "ts", "model", "position_side", "leverage", "bin"),
    append_only=False,
)  # fmt: skip

LEVELS_STATE = Table(
    name="levels_state",
    grain="a contract's state of the level model at the last full hour, from which the next run goes on: one row with its "
    "last bar (bin null), one a price bin, side and leverage, and one a price bin that the price was in (leverage null)",
    columns=(
        Column("until", "TIMESTAMP", "The state after all bars that had ended by then", "UTC"),
        VENUE,
        SYMBOL,
        Column("long", "BOOLEAN", "Side of the cell", null_when="the row of the last bar, or of a bin the price was in"),
        LEVERAGE._replace(null_when="the row of the last bar, or of a bin the price was in"),
        BIN._replace(null_when="the row of the last bar"),
        Column("qty", "DOUBLE", "Exposure in the bin if all had this leverage; weights come later", "coins",
               null_when="the row of the last bar, or of a bin the price was in"),
        Column("ts", "TIMESTAMP", "Start of the last bar; of a bin the price was in, of the last that came to it", "UTC",
               "klines", "a cell"),
        Column("traded", "DOUBLE", "Traded in the bin, older volume counted less", "coins", "klines",
               "no bin the price was in"),
        Column("recent", "DOUBLE", "Liquidated of late, older counted less", "USD", "liquidations_filled_in",
               "not the row of the last bar"),
        Column("close", "DOUBLE", "Its close", "quote per coin", "klines", "a cell"),
        Column("oi", "DOUBLE", "Last open interest told", "coins; inverse: USD", "open_interest", "a cell, or never told"),
        Column("low_since", "DOUBLE", "Low since it was told", "quote per coin", "klines", "told in the last bar"),
        Column("high_since", "DOUBLE", "High since it was told", "quote per coin", "klines", "told in the last bar"),
        Column("long_since", "DOUBLE", "Longs liquidated since it was told", "unit of oi", "liquidations_filled_in",
               "told in the last bar"),
        Column("short_since", "DOUBLE", "Shorts liquidated since it was told", "unit of oi", "liquidations_filled_in",
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
        Column("method", "VARCHAR", "fitted, or published where there was too little to fit to or the fit explained"
               " nothing"),
        Column("identified", "BOOLEAN", "Whether this leverage was swept often enough to be fitted; else its weight is "
               "the published one"),
        Column("residual", "DOUBLE", "What the fit leaves unexplained: weighted sum of squares / that of no model", "fraction",
               null_when="there was too little to fit to"),
        Column("n", "BIGINT", "Cells of time and price fitted to", "cells"),
        Column("realised_usd", "DOUBLE", "Liquidations fitted to", "USD", "liquidations_filled_in"),
        Column("venues", "VARCHAR", "Venues of those liquidations: feeds that carry all, or where there are none, "
               "those that do not",
               null_when="there were none"),
        PARAMETERS,
    ),
    sort=("base", "valid_from", "leverage"),
    append_only=False,
)  # fmt: skip

LEVELS_FEATURES = Table(
    name="levels_features",
    grain="the weight of one feature in the model reach, of a coin at a venue, of a venue or of all, from valid_from on",
    columns=(
        BASE._replace(null_when="weights of all coins"),
        VENUE._replace(null_when="weights of all coins and venues"),
        Column("valid_from", "TIMESTAMP", "End of the data it was fitted to; used for later times only", "UTC"),
        Column("data_since", "TIMESTAMP", "Start of that data", "UTC"),
        Column("feature", "VARCHAR", "every_bin (1); rest (root of the hours since the price was in the bin); "
               "stretch (logarithm of these, growing with the distance up to 1 %); recent "
               "(root of what was liquidated of late, per hour); opened (what the"
               " model oi expects there)"),
        Column("weight", "DOUBLE", "0 or more; the sum of feature x weight is in units of one percent of the "
               "venue's open interest for each unit of log price", "scale"),
        Column("maps", "BIGINT", "Maps fitted to", "maps"),
        Column("realised_usd", "DOUBLE", "Liquidations fitted to", "USD", "liquidations_filled_in"),
        PARAMETERS,
    ),
    sort=("base", "venue", "valid_from", "feature"),
    append_only=False,
)  # fmt: skip

LEVELS_SCORES = Table(
    name="levels_scores",
    grain="one measure of one model or rule over the back-test of a coin at a venue, a model's lead over one of the "
    "others, or one decile of a calibration curve",
    columns=(
        BASE,
        VENUE._replace(null_when="rows of before: of all venues with complete feeds"),
        Column("since", "TIMESTAMP", "Start of the back-test", "UTC"),
        Column("until", "TIMESTAMP", "Its end", "UTC"),
        Column("model", "VARCHAR", "reach or oi (see liquidation_levels.model; rows of before: levels, which is "
               "oi); or a simple rule: untouched (the longer the price was not in the bin), "
               "distance (what earlier maps found at that distance), volume (coins traded in "
               "the bin), mirrored (the map oi, mirrored around the price), uniform (the same "
               "in every bin)"),
        Column("measure", "VARCHAR", "rank_correlation (Spearman, of what was foretold and realised USD over the "
               "bins the price reached), window_correlation (the same of their sums by map and"
               " side), top_decile_mass (realised share of the tenth of these bins with the "
               "highest foretold), calibration"),
        Column("over", "VARCHAR", "The rule or other model that the lead is over", null_when="the row has a value"),
        Column("decile", "INTEGER", "Of predicted share among the reached bins, 10 is the highest", null_when="no calibration"),
        Column("value", "DOUBLE", "The measure; of calibration the mean realised share", null_when="not defined, or a lead"),
        Column("low", "DOUBLE", "2.5 % quantile of the block bootstrap", null_when="calibration, a lead, or too few blocks"),
        Column("high", "DOUBLE", "97.5 % quantile", null_when="calibration, a lead, or too few blocks"),
        Column("predicted", "DOUBLE", "Mean predicted share", "fraction", null_when="no calibration"),
        Column("lead", "DOUBLE", "Value of the model less that of `over`", null_when="no lead"),
        Column("lead_low", "DOUBLE", "2.5 % quantile of the lead; above 0: the model is clearly better",
               null_when="no lead, or too few blocks"),
        Column("lead_high", "DOUBLE", "97.5 % quantile of the lead", null_when="no lead, or too few blocks"),
        Column("maps", "BIGINT", "Maps frozen and judged: those of which a bin was reached", "maps"),
        Column("cells", "BIGINT", "Bins reached, over all maps", "bins"),
        Column("realised_usd", "DOUBLE", "Liquidated in these bins", "USD", "liquidations_filled_in"),
        Column("outside_usd", "DOUBLE", "Liquidated in the same time elsewhere, as by positions opened after the map", "USD"),
        Column("venues", "VARCHAR", "Venues of these liquidations", null_when="there were none"),
        Column("completeness", "VARCHAR", "all, or throttled: the feed leaves liquidations out, so only ranks are "
               "measured",
               null_when="rows of before: all"),
        Column("note", "VARCHAR", "What throttling does to the score", null_when="the feed carries all"),
        Column("weights_from", "VARCHAR", "Leverage weights of oi: fitted, published, or both over the time"),
        Column("features_from", "VARCHAR", "Feature weights of reach: fitted, pooled, published, or several over the time",
               null_when="rows of before"),
        PARAMETERS,
    ),
    sort=("base", "venue", "until", "model", "measure", "over", "decile"),
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
LEVELS = (LIQUIDATION_LEVELS, LEVELS_STATE, LEVERAGE_WEIGHTS, LEVELS_FEATURES, LEVELS_SCORES, LEVELS_PARAMETERS)
