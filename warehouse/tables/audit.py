"""audit_results: what each check found, run after run. coverage_progress: up to where feed_coverage is kept."""

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
