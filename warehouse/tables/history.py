"""schema_history: what was done to the warehouse's tables, views and macros, and when."""

from warehouse.tables.table import Column, Table

SCHEMA_HISTORY = Table(
    name="schema_history",
    grain="one change of one table, view or macro; version counts the migrations",
    columns=(
        Column("ts", "TIMESTAMP", "When", "UTC"),
        Column("version", "INTEGER", "Number of the migration, from 1"),
        Column("object", "VARCHAR", "Kind and name: table liquidations"),
        Column("change", "VARCHAR", "created, column x added, described anew, replaced or dropped"),
        Column("digest", "VARCHAR", "Tells one text of it from another; empty for a change of columns, - when dropped"),
    ),
    sort=("version",),
)
