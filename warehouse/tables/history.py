"""schema_history: what was done to the tables, views and macros, and the settings that rows depend on; each with when."""

from warehouse.tables.table import Column, Table

SCHEMA_HISTORY = Table(
    name="schema_history",
    grain="one change of one table, view or macro, or of a setting that rows depend on; version counts them",
    columns=(
        Column("ts", "TIMESTAMP", "When it was done", "UTC"),
        Column("version", "INTEGER", "Number of the migration or setting, from 1"),
        Column("object", "VARCHAR", "Kind and name: table liquidations, setting grid_s"),
        Column(
            "change", "VARCHAR", "created, column x added, described anew, replaced or dropped; of a setting: set to 60"
        ),
        Column(
            "digest",
            "VARCHAR",
            "Hash of its text; empty for a change of columns, - if it was dropped; for a setting, its value",
        ),
    ),
    sort=("version",),
)
