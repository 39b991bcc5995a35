"""liquidations_aggregated: what vendors and people say was liquidated per period, beside what we have."""

from warehouse.tables.shared import BASE, SYMBOL, TRACE, TS_EVENT, VENUE
from warehouse.tables.table import Column, Table, by_day

OTHER_UNIT = "the vendor gave the other unit"

LIQUIDATIONS_AGGREGATED = Table(
    name="liquidations_aggregated",
    grain="one period of one coin or contract of one provider, imported; in no total, as it repeats what venues sent",
    columns=(
        VENUE._replace(meaning="aggregated: the sum may be over many venues; a venue where one's own sums were imported"),
        SYMBOL._replace(meaning="Coin, or contract in the provider's own spelling"),
        BASE._replace(meaning="Coin; with its multiplier (1000PEPE) where the symbol has one, as amounts count it so",
                      null_when="the symbol is of neither form"),
        Column("provider", "VARCHAR", "Who says it; own: a table of one's own"),
        TS_EVENT._replace(meaning="Start of the period"),
        Column("period", "VARCHAR", "Length of the period (1h): as whoever imported it said, else the smallest distance of two "
               "times, else unknown", source="channel or frame"),
        Column("long_usd", "DOUBLE", "Longs liquidated", "USD", "frame", OTHER_UNIT),
        Column("short_usd", "DOUBLE", "Shorts liquidated", "USD", "frame", OTHER_UNIT),
        Column("long_base", "DOUBLE", "Longs liquidated", "coins", "frame", OTHER_UNIT),
        Column("short_base", "DOUBLE", "Shorts liquidated", "coins", "frame", OTHER_UNIT),
        *TRACE,
    ),
    partition=by_day("ts_event"),
    sort=("provider", "symbol", "ts_event"),
    key=("venue", "provider", "symbol", "period", "ts_event"),
    key_time="ts_event",
)  # fmt: skip
