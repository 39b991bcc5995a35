"""cascades: stretches in which a coin's liquidations ran far above normal. cascade_rules: the parameters they were found by."""

from warehouse.tables.shared import BASE
from warehouse.tables.table import Column, Table, by_month

NO_PRICE = "neither klines nor mark_prices have it for any contract of the coin"
NOT_FITTED = "see branching_null_reason"

_RULE = Column("rule_version", "VARCHAR", "Row of cascade_rules it was found by")

CASCADES = Table(
    name="cascades",
    grain="one cascade of one coin, found by one rule in one scope",
    columns=(
        Column("cascade_id", "VARCHAR", "rule_version, scope, base and ts_start: no two cascades share them"),
        _RULE,
        Column("scope", "VARCHAR", "all: every venue's liquidations; complete: only feeds that carry every liquidation"),
        BASE._replace(null_when=""),
        Column("ts_start", "TIMESTAMP", "Its first liquidation, by the exchange's clock", "UTC", "ts_event"),
        Column("ts_end", "TIMESTAMP", "Its last liquidation", "UTC", "ts_event"),
        Column("closed", "BOOLEAN", "False where it was seen so soon after ts_end that it may still go on"),
        Column("position_side", "VARCHAR", "long or short: whose positions were closed for the most USD; even: long"),
        Column("side_share", "DOUBLE", "Share of usd on that side", "fraction"),
        Column("usd", "DOUBLE", "Sum of notional_usd", "USD", "liquidations_filled_in"),
        Column("usd_long", "DOUBLE", "Of these, of long positions", "USD", "liquidations_filled_in"),
        Column("usd_short", "DOUBLE", "Of these, of short positions", "USD", "liquidations_filled_in"),
        Column("count", "BIGINT", "Liquidations told; on a throttled feed at most one per second and contract", "rows"),
        Column("unpriced", "BIGINT", "Of these without notional_usd, so not in usd", "rows"),
        Column("largest_usd", "DOUBLE", "The largest one", "USD"),
        Column("peak_second", "TIMESTAMP", "Start of the 1 s that held most USD; begins with a liquidation", "UTC"),
        Column("peak_second_usd", "DOUBLE", "USD in it", "USD"),
        Column("peak_minute", "TIMESTAMP", "Start of the 60 s that held most USD; begins with a liquidation", "UTC"),
        Column("peak_minute_usd", "DOUBLE", "USD in it", "USD"),
        Column("normal_minute_usd", "DOUBLE", "The coin's normal minute: median of the minutes that had any USD, of the same "
               "scope, in the 7 days that ended an hour before the hour of ts_start. Median, as one cascade would lift a mean "
               "for a week; of minutes that had any, as the median of all is 0 for most coins", "USD", "liquidations_1m",
               "too few such minutes (cascade_rules.normal_least_minutes); the higher floor was used then"),
        Column("multiple", "DOUBLE", "peak_minute_usd / normal_minute_usd", "times", null_when="normal_minute_usd is null"),
        Column("venues", "VARCHAR", "Venues in it, sorted"),
        Column("by_venue", "VARCHAR", "JSON list: venue, completeness, usd, usd_long, usd_short, count of each; as rows in "
               "the view cascade_venues"),
        Column("completeness", "VARCHAR", "Classes of the feeds in it: all, or throttled ones, sorted"),
        Column("lower_bound", "BOOLEAN", "True where more may have happened: any class but all, coverage_share < 1, or a "
               "feed was SUSPECT"),
        Column("coverage_share", "DOUBLE", "Share of its time in which the scope's liquidation feeds were heard; of its "
               "minutes where no session says more", "fraction", "feed_coverage", "feed_coverage has nothing of these minutes"),
        Column("contract_seconds", "BIGINT", "Pairs of contract and second with a liquidation on throttled feeds", "pairs"),
        Column("saturated_seconds", "BIGINT", "Of these, those whose neighbour second had one of the same contract too: the "
               "feed was at its limit", "pairs"),
        Column("saturated_share", "DOUBLE", "saturated_seconds / contract_seconds", "fraction",
               null_when="no throttled feed is in it"),
        Column("kept_by", "VARCHAR", "What made it a cascade: usd and count, or usd and saturation where throttled feeds told "
               "too few for the count but were at their limit. Never the count alone"),
        Column("price_source", "VARCHAR", "Table, venue and symbol of the prices: the contract with most USD in it that has "
               "them, else the coin's perpetual quoted in dollars with most turnover",
               null_when=NO_PRICE),
        Column("price_before", "DOUBLE", "Close of the last whole minute before ts_start, or the last mark before it",
               "quote per coin", "klines, else mark_prices", NO_PRICE),
        Column("price_extreme", "DOUBLE", "Lowest (longs) or highest (shorts) price of the minutes it touched, or of the marks",
               "quote per coin", "klines, else mark_prices", NO_PRICE),
        Column("price_end", "DOUBLE", "Close of the minute it ended in, or the first mark after it", "quote per coin",
               "klines, else mark_prices", NO_PRICE),
        Column("price_1h", "DOUBLE", "The same one hour after ts_end", "quote per coin", "klines, else mark_prices", NO_PRICE),
        Column("move", "DOUBLE", "price_end / price_before - 1", "fraction", null_when=NO_PRICE),
        Column("move_extreme", "DOUBLE", "price_extreme / price_before - 1", "fraction", null_when=NO_PRICE),
        Column("move_1h", "DOUBLE", "price_1h / price_end - 1", "fraction", null_when=NO_PRICE),
        Column("coins_at_once", "BIGINT", "Most coins in a cascade at one time during it, itself among them"),
        Column("market_wide", "BOOLEAN", "Whether coins_at_once reaches cascade_rules.market_wide_coins"),
        Column("branching_ratio", "DOUBLE", "Hawkes process with exponential kernel, maximum likelihood, on the times of the "
               "coin's liquidations from 5 minutes before to 5 after: mean number that one sets off. Shown where its residuals "
               "pass and no rate that merely changes with time does as well; rather too high, as news looks like branching",
               "liquidations",
               null_when=NOT_FITTED),
        Column("branching_instants", "BIGINT", "Different times of liquidations that it was fitted on", "instants",
               null_when="nothing was fitted"),
        Column("branching_ks", "DOUBLE", "Its residuals' distance from what the model says, Stephens' form; passes at or below "
               "cascade_rules.branching_ks_limit", null_when="nothing was fitted"),
        Column("branching_null_reason", "VARCHAR", "Why there is no branching_ratio", null_when="there is one"),
    ),
    partition=by_month("ts_start"),
    sort=("ts_start",),
    append_only=False,
)  # fmt: skip

CASCADE_RULES = Table(
    name="cascade_rules",
    grain="one version of the rule; its numbers never change, another version is added instead",
    columns=(
        _RULE,
        Column("since", "TIMESTAMP", "When this version was introduced; the latest is the one in use", "UTC"),
        Column("gap_s", "DOUBLE", "So long a silence always ends a cascade; falling behind the pace by as much does too, and "
               "less than min_usd both in so much time before and after. Several coins within it are at one time", "s"),
        Column("min_usd", "DOUBLE", "Least USD, and least pace in USD a minute, where the normal minute is known", "USD"),
        Column("min_usd_without_normal", "DOUBLE", "The same where it is not known", "USD"),
        Column("multiple", "DOUBLE", "Least pace and least peak minute, in normal minutes", "times"),
        Column("min_count", "BIGINT", "Least liquidations", "rows"),
        Column("min_saturated_seconds", "BIGINT", "Or least saturated seconds, where feeds are throttled", "pairs"),
        Column("normal_days", "BIGINT", "Days the normal minute is from", "days"),
        Column("normal_least_minutes", "BIGINT", "Least minutes with liquidations for a normal minute", "minutes"),
        Column("market_wide_coins", "BIGINT", "Least coins at once for a market-wide cascade", "coins"),
        Column("branching_margin_s", "DOUBLE", "Time before and after that the branching ratio is fitted on", "s"),
        Column("branching_least", "BIGINT", "Least different instants for a fit", "instants"),
        Column("branching_most", "BIGINT", "Most different instants for a fit", "instants"),
        Column("branching_ks_limit", "DOUBLE", "Largest branching_ks that passes: 5 % of fits of a true model exceed it"),
        Column("definition", "VARCHAR", "The rule in words"),
    ),
    append_only=False,
)  # fmt: skip
