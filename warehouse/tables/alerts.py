"""alerts: what `liq alerts` found, and whom it told."""

from warehouse.tables.table import Column, Table, by_month

ALERTS = Table(
    name="alerts",
    grain="one alert, stored once it was delivered, or given up, everywhere",
    columns=(
        Column("ts", "TIMESTAMP", "When it was found", "UTC"),
        Column("alert_id", "VARCHAR", "Its id, the same in every delivery (webhook: header Liq-Alert)"),
        Column("rule", "VARCHAR", "Name of the rule that found it"),
        Column("kind", "VARCHAR", "Kind of the rule; rule: a rule was switched off"),
        Column("key", "VARCHAR", "What it is about: the same is told once, or again after the rule's `again`"),
        Column("title", "VARCHAR", "What was told, in a line"),
        Column("text", "VARCHAR", "The rest of it"),
        Column("details", "VARCHAR", "JSON: the figures, as they were then"),
        Column("delivered_to", "VARCHAR", "Destinations that took it, with commas; empty: none"),
        Column("given_up_to", "VARCHAR", "Destinations that did not take it within a day, with commas; empty: none"),
        Column("tries", "BIGINT", "Deliveries tried, over all destinations"),
        Column("ts_delivered", "TIMESTAMP", "When the last destination took it", "UTC", null_when="none did"),
    ),
    partition=by_month("ts"),
    sort=("ts", "rule"),
    key=("ts", "alert_id"),
    key_time="ts",
)
