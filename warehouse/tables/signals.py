"""signals: what fired, frozen as it was known. signal_hours: the hours that were looked at, fired or not."""

from warehouse.tables.shared import BASE
from warehouse.tables.table import Column, Table, by_month

_TS = Column("ts", "TIMESTAMP", "Full hour; nothing that happened at or after it was used", "UTC")
_SIGNAL = Column("signal", "VARCHAR", "Its name in signal_thresholds")
_VERSION = Column("thresholds_version", "VARCHAR", "Version of signal_thresholds it was judged by")
_COMPUTED = Column(
    "computed_ts",
    "TIMESTAMP",
    "When; long after ts, rows that arrived late for the time before ts were known too",
    "UTC",
)

SIGNALS = Table(
    name="signals",
    grain="one signal that fired for one coin and side at one full hour; what did not fire is counted in signal_hours",
    columns=(
        _TS,
        _SIGNAL,
        BASE._replace(null_when=""),
        Column("position_side", "VARCHAR", "Whose positions are looked at: those that would be, or were, liquidated"),
        Column("expected", "VARCHAR", "Where the price should go: up or down"),
        Column("known", "BIGINT", "Required ingredients known; here all of them"),
        Column("needed", "BIGINT", "Required ingredients"),
        Column("supporting", "BIGINT", "Supporting conditions met"),
        Column("supporting_known", "BIGINT", "Supporting conditions of which the ingredient was known"),
        Column("ingredients", "VARCHAR", "JSON: name in signal_thresholds to value, null: not known", source="signals_at"),
        Column("thresholds", "VARCHAR", "JSON: the same names to what they were held against", source="signal_thresholds"),
        Column("conditions", "VARCHAR", "Both in words"),
        _VERSION,
        Column("price", "DOUBLE", "Close of the hour before ts", "quote per coin", "prices_1h", "no closed candle"),
        Column("price_venue", "VARCHAR", "Venue of the price", null_when="price is null"),
        Column("price_symbol", "VARCHAR", "Contract of the price", null_when="price is null"),
        Column("oi_usd", "DOUBLE", "Open interest at ts", "USD", "open_interest_1h", "not known"),
        Column("zone_low", "DOUBLE", "Lower edge of the cluster meant", "quote per coin", null_when="none is"),
        Column("zone_high", "DOUBLE", "Upper edge", "quote per coin", null_when="none is"),
        Column("completeness", "VARCHAR", "Classes of the feeds of the hour's liquidations", null_when="not made of them"),
        Column("levels_ts", "TIMESTAMP", "Column of liquidation_levels it stands on", "UTC", "liquidation_levels",
               "there was none"),
        _COMPUTED,
    ),
    partition=by_month("ts"),
    sort=("signal", "base", "ts"),
    append_only=False,
)  # fmt: skip

SIGNAL_HOURS = Table(
    name="signal_hours",
    grain="one full hour and signal that was looked at, over all coins and sides",
    columns=(
        _TS,
        _SIGNAL,
        Column("fired", "BIGINT", "Coins and sides of which it fired", "pairs"),
        Column("not_fired", "BIGINT", "Of which a known condition was not met", "pairs"),
        Column("not_known", "BIGINT", "Of which it hung on what was missing", "pairs"),
        _VERSION,
        _COMPUTED,
    ),
    partition=by_month("ts"),
    sort=("ts", "signal"),
    append_only=False,
)
