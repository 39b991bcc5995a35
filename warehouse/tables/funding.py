"""funding_rates: running estimates on a time grid. funding_settlements: rates that were paid."""

from warehouse.tables.shared import GRID, GRID_KEY, IDENTITY, INTERVAL_HOURS, TRACE, TS_EVENT, TS_GRID
from warehouse.tables.table import Column, Table, by_day, by_month

RATE = Column("funding_rate", "DOUBLE", "Rate longs pay shorts, per interval_hours", "fraction", "frame")

FUNDING_RATES = Table(
    name="funding_rates",
    grain="the last running estimate of a contract that arrived in a grid bucket",
    columns=(
        *IDENTITY,
        TS_GRID,
        TS_EVENT,
        RATE,
        INTERVAL_HOURS,
        Column("next_funding_ts", "TIMESTAMP", "When the estimated rate is settled", "UTC", "frame",
               "the venue does not send it"),
        *TRACE,
        *GRID,
    ),
    partition=by_day("ts"),
    sort=("venue", "symbol", "ts"),
    grid_key=GRID_KEY,
)  # fmt: skip

FUNDING_SETTLEMENTS = Table(
    name="funding_settlements",
    grain="one settlement of one contract",
    columns=(
        *IDENTITY,
        TS_EVENT,
        RATE,
        INTERVAL_HOURS._replace(null_when="no answer told it yet and the contract was not listed yet"),
        Column("mark_price", "DOUBLE", "Mark price at the settlement, as quoted", "quote per quoted unit", "frame",
               "the venue does not send it"),
        Column("rate_type", "VARCHAR", "The venue's word for an unusual settlement (Regular, Special)", source="frame",
               null_when="the venue does not send it"),
        *TRACE,
    ),
    partition=by_month("ts_event"),
    sort=("venue", "symbol", "ts_event"),
    key=("venue", "symbol", "ts_event"),
    key_time="ts_event",
    completed=("interval_hours", "mark_price", "rate_type"),
)  # fmt: skip
