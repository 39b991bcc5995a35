"""liquidations: every liquidation a venue reported."""

from warehouse.tables.shared import CONTRACT, IDENTITY, KIND, NO_METADATA, NULL_REASON, TRACE, TS_EVENT
from warehouse.tables.table import Column, Table, Touches, by_day

NOT_SENT = "the venue does not send it"
NOT_PROVEN = "what the feed says of it is not proven, see null_reason"

LIQUIDATIONS = Table(
    name="liquidations",
    grain="one liquidation order as the venue reported it",
    columns=(
        *IDENTITY,
        CONTRACT,
        KIND,
        TS_EVENT,
        Column("order_side", "VARCHAR", "buy or sell: side of the order that closed the position", source="frame",
               null_when=NOT_PROVEN),
        Column("position_side", "VARCHAR", "long or short: whose position was closed", source="frame", null_when=NOT_PROVEN),
        Column("price_raw", "DOUBLE", "Price as quoted", "quote per quoted unit", "frame", NOT_SENT),
        Column("price", "DOUBLE", "Price per one coin: price_raw / multiplier", "quote per coin", "frame, instruments",
               f"{NOT_SENT}, or {NO_METADATA}"),
        Column("price_kind", "VARCHAR",
               "What price is: fill_average, order_limit, bankruptcy, acquired, mark, okx_bkPx, undocumented"),
        Column("order_price", "DOUBLE", "The order's own limit, as quoted", "quote per quoted unit", "frame", NOT_SENT),
        Column("qty_raw", "DOUBLE", "Quantity as sent, in qty_unit", "qty_unit", "frame"),
        Column("qty_unit", "VARCHAR", "Unit of qty_raw: base, contract, usd, quote, or unknown"),
        Column("qty_base", "DOUBLE", "Quantity in coins", "coins", "qty_raw, instruments", "see null_reason"),
        Column("notional_usd", "DOUBLE", "Amount in US dollars; a stablecoin counts as one dollar", "USD",
               "qty_raw, price, instruments", "see null_reason"),
        Column("status", "VARCHAR", "The order's status in the venue's words", source="frame", null_when=NOT_SENT),
        Column("completeness", "VARCHAR", "Class of the feed: all (it sends every liquidation), or how it is limited, such as "
               "one per second and contract"),
        Column("metadata", "VARCHAR", "Where the contract's data come from: venue (the listed contract), family (contracts of "
               "the same family) or symbol (the form of the symbol)", null_when="nothing is known"),
        NULL_REASON,
        Column("event_key", "UBIGINT", "Hash of the venue's natural fields; venues give liquidations no id"),
        Column("occurrence", "INTEGER", "Counts identical liquidations inside one frame, from 0"),
        *TRACE,
    ),
    partition=by_day("ts_event"),
    sort=("venue", "symbol", "ts_event"),  # a sixth smaller than by time alone, and one contract's rows lie together
    key=("ts_event", "event_key", "occurrence"),
    key_time="ts_event",
    touches=Touches("liquidations", ("ts_event",)),
    zstd_joined=6,  # measured: 4 % smaller than level 3, which new rows have as 6 takes 3 % more of all of ingest
)  # fmt: skip

LIQUIDATION_REPORTS = Table(
    name="liquidation_reports",
    grain="one liquidation as a venue's second source has it; what counts is the row of the first, in liquidations",
    columns=LIQUIDATIONS.columns,
    partition=by_day("ts_event"),
    sort=LIQUIDATIONS.sort,
    key=LIQUIDATIONS.key,
    key_time="ts_event",
    touches=Touches("liquidations", ("ts_event",)),
)
"""Sides that liquidations lack are known by it, see the view liquidations_filled_in."""
