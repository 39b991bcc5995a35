"""The tables of the warehouse: `TABLES`, by name. To add one: describe it in a file here and list it below."""

from warehouse.tables.accounting import COMMIT_DUPLICATES, INGEST_COMMITS, SESSION_FRAMES
from warehouse.tables.aggregated import LIQUIDATIONS_AGGREGATED
from warehouse.tables.alerts import ALERTS
from warehouse.tables.audit import AUDIT_RESULTS, COVERAGE_PROGRESS, SILENCE_RULES
from warehouse.tables.bars import OPEN_INTEREST_1H, PRICES_1D, PRICES_1H
from warehouse.tables.cascades import CASCADE_RULES, CASCADES
from warehouse.tables.frames import COLLECTOR_EVENTS, DEAD_LETTERS, RAW_FRAMES
from warehouse.tables.funding import FUNDING_RATES, FUNDING_SETTLEMENTS
from warehouse.tables.history import SCHEMA_HISTORY
from warehouse.tables.levels import LEVELS
from warehouse.tables.liquidations import LIQUIDATION_REPORTS, LIQUIDATIONS
from warehouse.tables.market import KLINES, LONG_SHORT_RATIOS, MARK_PRICES, OPEN_INTEREST
from warehouse.tables.positions import ACCOUNT_POSITIONS, MEASURED_LEVELS
from warehouse.tables.reference import INSTRUMENTS, LEVERAGE_TIERS
from warehouse.tables.rollups import (
    FEED_COVERAGE,
    LIQUIDATION_CELLS_15M,
    LIQUIDATIONS_1D,
    LIQUIDATIONS_1H,
    LIQUIDATIONS_1M,
    ROLLUP_PENDING,
)
from warehouse.tables.signals import SIGNAL_HOURS, SIGNALS
from warehouse.tables.table import Column, Table

__all__ = ["TABLES", "Column", "Table"]

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        LIQUIDATIONS,
        LIQUIDATION_REPORTS,
        LIQUIDATIONS_AGGREGATED,
        FUNDING_RATES,
        FUNDING_SETTLEMENTS,
        OPEN_INTEREST,
        MARK_PRICES,
        KLINES,
        LONG_SHORT_RATIOS,
        INSTRUMENTS,
        LEVERAGE_TIERS,
        RAW_FRAMES,
        DEAD_LETTERS,
        COLLECTOR_EVENTS,
        SESSION_FRAMES,
        INGEST_COMMITS,
        COMMIT_DUPLICATES,
        LIQUIDATIONS_1M,
        LIQUIDATIONS_1H,
        LIQUIDATIONS_1D,
        LIQUIDATION_CELLS_15M,
        ROLLUP_PENDING,
        FEED_COVERAGE,
        CASCADES,
        CASCADE_RULES,
        COVERAGE_PROGRESS,
        AUDIT_RESULTS,
        SILENCE_RULES,
        PRICES_1H,
        PRICES_1D,
        OPEN_INTEREST_1H,
        *LEVELS,
        ACCOUNT_POSITIONS,
        MEASURED_LEVELS,
        SIGNALS,
        SIGNAL_HOURS,
        ALERTS,
        SCHEMA_HISTORY,
    )
}
