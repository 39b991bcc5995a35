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
        Column("severity", "VARCHAR", "failure or warning: how serious a row that breaks the rule is"),
        Column("meaning", "VARCHAR", "The rule that must be true"),
        Column("since", "TIMESTAMP", "Start of the time that was checked", "UTC"),
        Column("until", "TIMESTAMP", "End of it, not included", "UTC"),
        Column("offenders", "BIGINT", "Rows that break the rule", "rows"),
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
        Column("least_minutes", "BIGINT", "Shorter silences are never judged", "minutes"),
        Column("history_days", "BIGINT", "A channel's past: whole days before a silence, besides the running day", "days"),
        Column("least_past", "DOUBLE", "How many coins and minutes another venue must have had before it is compared with"),
        Column("hour_minutes", "DOUBLE", "Weight of the mean of all hours against what is known of one hour",
               "minutes"),
        Column("recent_minutes", "BIGINT", "Recent level: what came in this many minutes before the silence, against what "
               "is usual at that time of the day", "minutes"),
        Column("recent_weight", "DOUBLE", "Weight of the usual level against the recent one, in coins and minutes"),
        Column("dispersion", "DOUBLE", "How many coins and minutes count as one event, because liquidations cluster"),
        Column("market_shape", "DOUBLE", "Gamma shape of the market's activity against what is usual, with no other venue"),
        Column("market_shape_most", "DOUBLE", "The same with any number of events at others, which wander on their own too"),
        Column("own_shape", "DOUBLE", "Gamma shape of the channel's part of the market, before anything was heard of it"),
        Column("own_shape_most", "DOUBLE", "What its own past can add to that"),
        Column("unheard_share", "DOUBLE", "What a channel that was never heard should send, as a share of the others' mean",
               "fraction"),
        Column("price_move", "DOUBLE", "A price move this large within price_minutes should cause liquidations", "fraction"),
        Column("price_minutes", "BIGINT", "See price_move", "minutes"),
        Column("price_half", "DOUBLE", "A coin with this many minutes with a liquidation per day has one in half of the "
               "minutes of such a move", "minutes a day"),
        Column("price_shape", "DOUBLE", "Gamma shape of the number of liquidations in such moves"),
        Column("suspect_below", "DOUBLE", "A silence less likely than this, if the channel works, is SUSPECT", "fraction"),
        Column("silent_below", "DOUBLE", "A silence less likely than this is SILENT", "fraction"),
        Column("unheard_suspect_below", "DOUBLE", "suspect_below for a channel that was never heard; it has one silence, a "
               "working channel has thousands", "fraction"),
        Column("unheard_silent_below", "DOUBLE", "silent_below for a channel that was never heard", "fraction"),
        Column("definition", "VARCHAR", "The rule in words"),
    ),
    append_only=False,
)  # fmt: skip
