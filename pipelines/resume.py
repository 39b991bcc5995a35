"""What a warehouse already knows: its contracts, and what Bybit's tickers held when ingest last committed.

A ticker delta holds only what changed. Every committed bucket ends with a row of each symbol that changed in it, so the last
rows of a session are its state at the committed offsets, and a restarted ingest goes on without a new snapshot.
"""

from typing import Any

from pipelines.instruments import Instruments, from_table
from pipelines.venues import Held
from pipelines.venues.bybit_tickers import State, state
from warehouse import lake
from warehouse.lake import Lake
from warehouse.query import reading_world

LOOK_BACK = "INTERVAL 2 DAY"  # funding changes at least at every settlement, at most 8 h apart

LIVE = f"venue = 'bybit' AND source = 'live' AND ts_event > $since - {LOOK_BACK}"

LAST = f"""
WITH funding AS (
    SELECT session, symbol,
        arg_max({{'rate': funding_rate, 'next': epoch_ms(next_funding_ts), 'hours': interval_hours}}, ts_event) AS f
    FROM funding_rates WHERE {LIVE} GROUP BY ALL
), interest AS (
    SELECT session, symbol, arg_max({{'raw': oi_raw, 'unit': oi_unit, 'usd': oi_usd, 'base': oi_base}}, ts_event) AS o
    FROM open_interest WHERE {LIVE} AND period IS NULL GROUP BY ALL
), price AS (
    SELECT session, symbol,
        arg_max({{'mark': mark_price * multiplier, 'index': index_price * multiplier}}, ts_event) AS p
    FROM mark_prices WHERE {LIVE} GROUP BY ALL
)
SELECT session, symbol, f, o, p
FROM funding FULL JOIN interest USING (session, symbol) FULL JOIN price USING (session, symbol)
"""


def known_instruments() -> Instruments | None:
    """Return the contracts that the warehouse at hand knows, None where there is no warehouse."""
    world, _ = reading_world()
    if not lake.exists(world):
        return None
    with lake.open(world) as warehouse:
        return instruments_from(warehouse)


def instruments_from(warehouse: Lake) -> Instruments:
    """Return the contracts that a warehouse knows."""
    return from_table(warehouse.connection.execute("FROM instruments").pl())


def held_from(warehouse: Lake) -> Held:
    """Return the state of every ticker session of the last two days; empty for a new warehouse."""
    since = warehouse.connection.execute("SELECT max(ts_event) FROM mark_prices WHERE venue = 'bybit'").fetchone()
    if since is None or since[0] is None:
        return {}
    rows = warehouse.connection.execute(LAST, {"since": since[0]}).fetchall()
    return {(session, symbol): _state(symbol, f or {}, o or {}, p or {}) for session, symbol, f, o, p in rows}


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
