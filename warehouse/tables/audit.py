"""audit_results: what each check found, run after run. coverage_progress: up to where feed_coverage is kept. silence_rules:
when a silent liquidation channel is suspect."""

from warehouse.tables.table import Column, Table, by_month

COVERAGE_PROGRESS = Table(
    name="coverage_progress",
    grain="one row: up to where feed_coverage is kept",
    columns=(
        Column("ts_commit", "TIMESTAMP", "Newest commit of ingest that it takes into account", "UTC", "ingest_commits",
               "there was none"),
        Column("until", "TIMESTAMP", "End of the last minute that has rows", "UTC"),
    ),
    append_only=False,
)  # fmt: skip

AUDIT_RESULTS = Table(
    name="audit_results",
    grain="what one check found in one run",
    columns=(
        Column("ts", "TIMESTAMP", "When it was run", "UTC"),
        Column("name", "VARCHAR", "The check: its file in sql/checks"),
        Column("table", "VARCHAR", "The table it is about"),
        Column("severity", "VARCHAR", "failure or warning: what an offending row is"),
        Column("meaning", "VARCHAR", "What must hold"),
        Column("since", "TIMESTAMP", "Start of the time it looked at", "UTC"),
        Column("until", "TIMESTAMP", "End of it, not included", "UTC"),
        Column("offenders", "BIGINT", "Rows for which it does not hold", "rows"),
        Column("first_offenders", "VARCHAR", "The first of them, as JSON", null_when="there are none"),
        Column("seconds", "DOUBLE", "How long it took", "s"),
    ),
    partition=by_month("ts"),
    sort=("ts", "name"),
)

SILENCE_RULES = Table(
    name="silence_rules",
    grain="one version of the rule by which silent liquidation channels are judged; its numbers never change",
    columns=(
        Column("rule_version", "VARCHAR", "Its name"),
        Column("since", "TIMESTAMP", "When it was introduced", "UTC"),
        Column("least_minutes", "BIGINT", "A shorter silence is never judged", "minutes"),
        Column("history_days", "BIGINT", "A channel's past: so many whole days before a silence, and the running one", "days"),
        Column("least_past", "DOUBLE", "Another venue is compared with once it has brought so many coins and minutes"),
        Column("hour_minutes", "DOUBLE", "So many minutes of the mean of all hours weigh against what is known of one hour",
               "minutes"),
        Column("recent_minutes", "BIGINT", "The level of late: what came in so many minutes before the silence, against what "
               "is usual at that time of the day", "minutes"),
        Column("recent_weight", "DOUBLE", "Coins and minutes of the usual level that weigh against it"),
        Column("dispersion", "DOUBLE", "Liquidations cluster: so many coins and minutes count as one event"),
        Column("market_shape", "DOUBLE", "Gamma shape of the market's activity against what is usual, with no other venue"),
        Column("market_shape_most", "DOUBLE", "The same with any number of events at others, which wander on their own too"),
        Column("own_shape", "DOUBLE", "Gamma shape of the channel's part of the market, before anything was heard of it"),
        Column("own_shape_most", "DOUBLE", "What its own past can add to that"),
        Column("unheard_share", "DOUBLE", "What a channel never heard should bring, of the mean of the others", "fraction"),
        Column("price_move", "DOUBLE", "A price that moves so much in price_minutes should liquidate somebody", "fraction"),
        Column("price_minutes", "BIGINT", "See price_move", "minutes"),
        Column("price_half", "DOUBLE", "A coin with so many minutes with a liquidation a day has one in half of the minutes of "
               "such a move", "minutes a day"),
        Column("price_shape", "DOUBLE", "Gamma shape of what such moves bring"),
        Column("suspect_below", "DOUBLE", "A silence less likely than this, if the channel works, is SUSPECT", "fraction"),
        Column("silent_below", "DOUBLE", "One less likely than this is SILENT", "fraction"),
        Column("unheard_suspect_below", "DOUBLE", "The same of a channel that was never heard: that is one silence, where a "
               "channel that works has thousands", "fraction"),
        Column("unheard_silent_below", "DOUBLE", "The same", "fraction"),
        Column("definition", "VARCHAR", "The rule in words"),
    ),
    append_only=False,
)  # fmt: skip
