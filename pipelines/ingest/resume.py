"""What a warehouse already knows: its contracts, and what Bybit's tickers held when ingest last committed.

A ticker delta holds only what changed. Every committed bucket ends with a row of each symbol that changed in it, so the last
rows of a session are its state at the committed offsets, and a restarted ingest goes on without a new snapshot.
"""

from datetime import datetime, timedelta
from typing import Any

from pipelines.contracts.instruments import Instruments, from_table
from pipelines.venues import Held
from pipelines.venues.bybit_tickers import State, state
from warehouse import lake
from warehouse.errors import LostCatalogueError, NoWarehouseError
from warehouse.lake import Lake
from warehouse.query import reading_world

LOOK_BACK = timedelta(days=2)  # funding changes at least at every settlement, at most 8 h apart

LIVE = (
    "venue = 'bybit' AND source = 'live' AND ts_event > $since AND ts_event <= coalesce($until, TIMESTAMP 'infinity')"
)

# Of two sessions of one symbol a bucket keeps the last row only; both heard the same, so the newest row is of both
LAST = f"""
WITH funding AS (
    SELECT symbol, list(DISTINCT session) AS sessions,
        arg_max({{'rate': funding_rate, 'next': epoch_ms(next_funding_ts), 'hours': interval_hours}}, ts_event) AS f
    FROM funding_rates WHERE {LIVE} GROUP BY ALL
), interest AS (
    SELECT symbol, list(DISTINCT session) AS sessions,
        arg_max({{'raw': oi_raw, 'unit': oi_unit, 'usd': oi_usd, 'base': oi_base}}, ts_event) AS o
    FROM open_interest WHERE {LIVE} AND period IS NULL GROUP BY ALL
), price AS (
    SELECT symbol, list(DISTINCT session) AS sessions,
        arg_max({{'mark': mark_price * multiplier, 'index': index_price * multiplier}}, ts_event) AS p
    FROM mark_prices WHERE {LIVE} GROUP BY ALL
), last AS (
    SELECT symbol, f, o, p, coalesce(funding.sessions, []) || coalesce(interest.sessions, []) || coalesce(price.sessions, [])
        AS sessions
    FROM funding FULL JOIN interest USING (symbol) FULL JOIN price USING (symbol)
)
SELECT DISTINCT unnest(sessions) AS session, symbol, f, o, p FROM last
"""

ENDED = """
SELECT session, max(epoch_ns(ts)) FROM collector_events
WHERE venue = 'bybit' AND event IN ('disconnected', 'stopped') AND ts > $since GROUP BY session
"""


def known_instruments() -> Instruments | None:
    """Return the contracts that the warehouse at hand knows, None where there is no warehouse."""
    try:
        with lake.open(reading_world()[0]) as warehouse:
            return instruments_from(warehouse)
    except (NoWarehouseError, LostCatalogueError):
        return None


def instruments_from(warehouse: Lake, until: datetime | None = None) -> Instruments:
    """Return the contracts that a warehouse knows, with their margin tables; `until`: by frames that came before (UTC)."""
    tables = ("instruments", "leverage_tiers")
    where = "WHERE ts_recv < $until" if until else ""
    told = {"until": until} if until else None
    return from_table(*(warehouse.connection.execute(f"FROM {name} {where}", told).pl() for name in tables))


def held_from(warehouse: Lake, until: datetime | None = None) -> Held:
    """Return what every ticker session of the last two days, or of those before `until` (UTC), held at their end."""
    if (newest := until or _newest(warehouse)) is None:
        return {}
    told = {"since": newest - LOOK_BACK, "until": until}
    rows = warehouse.connection.execute(LAST, told).fetchall()
    return {(session, symbol): _state(symbol, f or {}, o or {}, p or {}) for session, symbol, f, o, p in rows}


def ended_from(warehouse: Lake) -> dict[str, int]:
    """Return Bybit's sessions that have ended in the last two days, and when (UTC nanoseconds)."""
    if (newest := _newest(warehouse)) is None:
        return {}
    return dict(warehouse.connection.execute(ENDED, {"since": newest - LOOK_BACK}).fetchall())


def _newest(warehouse: Lake) -> datetime | None:
    found = warehouse.connection.execute("SELECT max(ts_event) FROM mark_prices WHERE venue = 'bybit'").fetchone()
    return found[0] if found else None


def _state(
    symbol: str, funding: dict[str, float | None], interest: dict[str, Any], price: dict[str, float | None]
) -> State:
    value = interest.get("base" if interest.get("unit") == "usd" else "usd")
    return state(
        symbol,
        fundingRate=funding.get("rate"), nextFundingTime=funding.get("next"), fundingIntervalHour=funding.get("hours"),
        openInterest=interest.get("raw"), openInterestValue=None if value is None else 2 * value,
        markPrice=price.get("mark"), indexPrice=price.get("index"),
    )  # fmt: skip
