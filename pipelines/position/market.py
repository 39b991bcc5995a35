"""What a warehouse says of a contract: margin table, mark price, funding, predicted liquidation levels; each with its time."""

from typing import NamedTuple

import polars as pl

from pipelines.derive.levels.freshness import STALE, stale
from pipelines.facts import LeverageTier
from pipelines.position.clusters import FOUND
from pipelines.position.contracts import Named
from pipelines.position.given import Source, static
from pipelines.position.tiers import TierTable, from_rows
from pipelines.venues.symbols import DOLLARS
from warehouse.lake import Lake
from warehouse.query_errors import query_errors

TIERS = """
SELECT tier, "floor", cap, unit, maintenance_margin_rate, initial_margin_rate, max_leverage, deduction, source, valid_from
FROM leverage_tiers_as_of
WHERE venue = $venue AND symbol = $symbol AND valid_from <= as_of() AND coalesce(valid_to > as_of(), TRUE) ORDER BY tier
"""
MARK = """
SELECT mark_price * coalesce(multiplier, 1), ts_event FROM mark_prices
WHERE ts > as_of() - INTERVAL 24 HOURS AND ts <= as_of() AND ts_event <= as_of() AND venue = $venue AND symbol = $symbol
    AND mark_price IS NOT NULL
ORDER BY ts_event DESC LIMIT 1
"""
FUNDING = """
SELECT funding_rate, interval_hours, date_diff('second', as_of(), next_funding_ts) / 3600, ts_event FROM funding_current
WHERE venue = $venue AND symbol = $symbol
"""
REACHED = """
SELECT ts, age_s, date_diff('second', price_ts, as_of()), freshness FROM levels_reach(as_of(), max_age_hours := 48)
WHERE base = $base
"""
CLUSTERS_OF = """
SELECT
    position_side, price_low * $multiplier AS price_low, price_high * $multiplier AS price_high,
    peak_price * $multiplier AS peak_price, usd_estimated AS usd, share
FROM clusters_at(as_of(), max_age_hours := 48) WHERE base = $base
"""


class Funding(NamedTuple):
    """A rate per interval; above zero longs pay. `next_in_hours` None: not known."""

    rate: float
    interval_hours: float
    next_in_hours: float | None = None


class Market(NamedTuple):
    """What was found; what was not is None. `sources`: what was used, one each. `missing`: what is not there, in words.
    `stale`: of the levels, why they are too old to go by, empty where they are not."""

    tiers: TierTable | None = None
    mark: float | None = None
    funding: Funding | None = None
    clusters: pl.DataFrame | None = None
    sources: tuple[Source, ...] = ()
    missing: tuple[str, ...] = ()
    stale: str = ""


def market(warehouse: Lake, contract: Named) -> Market:
    """Return what the warehouse says of a contract as of `as_of()`. Raises QueryError, InvalidPositionError."""
    with query_errors():
        tiers, told = _tiers(warehouse, contract)
        mark, marked = _mark(warehouse, contract)
        funding, paid = _funding(warehouse, contract)
        clusters, drawn, old = _clusters(warehouse, contract)
    facts = {"margin table": told, "mark price": marked, "funding": paid, "predicted levels": drawn}
    sources = tuple(source for source in facts.values() if source)
    missing = tuple(
        f"the warehouse has no {what} of {contract.instrument}" for what, source in facts.items() if not source
    )
    return Market(tiers, mark, funding, clusters, sources, missing, old)


def _tiers(warehouse: Lake, contract: Named) -> tuple[TierTable | None, Source | None]:
    for symbol in filter(None, (contract.symbol, contract.family)):
        rows = warehouse.connection.execute(TIERS, {"venue": contract.venue, "symbol": symbol}).fetchall()
        if rows:
            source, since = rows[0][-2:]
            steps = [LeverageTier(symbol, *row[:-2]) for row in rows]
            told = Source("margin table", f"{contract.venue} {symbol}, source {source}", since)
            if source == "static":
                told = static(contract.venue or "", symbol, since)
            return from_rows(steps, contract.contract, contract.contract_size), told
    return None, None


def _mark(warehouse: Lake, contract: Named) -> tuple[float | None, Source | None]:
    row = warehouse.connection.execute(MARK, {"venue": contract.venue, "symbol": contract.symbol}).fetchone()
    return (row[0], Source("mark price", f"{contract.venue} {contract.symbol}", row[1])) if row else (None, None)


def _funding(warehouse: Lake, contract: Named) -> tuple[Funding | None, Source | None]:
    row = warehouse.connection.execute(FUNDING, {"venue": contract.venue, "symbol": contract.symbol}).fetchone()
    if row is None or row[1] is None:
        return None, None
    rate, interval_hours, next_in_hours, at = row
    ahead = next_in_hours if next_in_hours is not None and next_in_hours >= 0 else None
    told = Source("funding", f"{contract.venue} {contract.symbol}, running estimate for the next payment", at)
    return Funding(rate, interval_hours, ahead), told


def _clusters(warehouse: Lake, contract: Named) -> tuple[pl.DataFrame | None, Source | None, str]:
    """Read the clusters of the newest levels of the contract's coin that the price has not passed since: of all venues and
    leverages, in dollars, prices as it is quoted; and why they are too old, if they are."""
    if contract.instrument.partition("/")[2].partition(":")[0] not in DOLLARS:
        return None, None, ""
    row = warehouse.connection.execute(REACHED, {"base": contract.base}).fetchone()
    if row is None:
        return None, None, ""
    at, age_s, price_age_s, freshness = row
    told: dict[str, object] = {"base": contract.base, "multiplier": contract.multiplier}
    clusters = warehouse.connection.execute(CLUSTERS_OF, told).pl().select(FOUND.names()).cast(FOUND)
    how = f"{contract.base}, estimated, less what the price has passed since"
    old = stale(age_s, price_age_s) if freshness == STALE else ""
    return clusters, Source("predicted levels", f"{how}, {STALE}" if old else how, at), old
