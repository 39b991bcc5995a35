"""Liquidations that were never there: a year of rows with the tick sizes, times, sizes and bursts that venues send.

Made inside DuckDB, a day a statement. Prices wander between ticks, sizes are lots with a heavy tail, arrivals are
microseconds, several rows come in a burst, and every row has its place in Kafka; nothing is a random double.
"""

from datetime import datetime, timedelta
from math import exp, sin
from typing import NamedTuple

import duckdb

FIRST_DAY = datetime(2025, 11, 1)  # noqa: DTZ001 the warehouse's times are UTC without a zone
COINS = (
    # coin, price, tick, lot, share of rows
    ("BTC", 90_000.0, 0.1, 0.001, 30), ("ETH", 3_100.0, 0.01, 0.01, 25), ("SOL", 140.0, 0.01, 0.1, 14),
    ("XRP", 2.2, 0.0001, 0.1, 9), ("DOGE", 0.16, 0.00001, 1.0, 7), ("BNB", 900.0, 0.01, 0.01, 5),
    ("PEPE", 0.005, 0.0000001, 100.0, 4), ("ADA", 0.5, 0.0001, 1.0, 3), ("LINK", 13.0, 0.001, 0.1, 3),
)  # fmt: skip
SLOTS = 1_000  # shares are counted in so many


class Contract(NamedTuple):
    """A contract of the made market; `size`: coins in one contract, 0 where quantities are coins."""

    venue: str
    symbol: str
    base: str
    settle: str
    inverse: bool
    price: float
    tick: float
    lot: float
    size: float
    share: float


def contracts() -> list[Contract]:
    """Return 28 contracts: nine coins on three venues, and Bybit's inverse BTC; with a year's days ten thousand of a day."""
    found = [Contract("bybit", "BTCUSD", "BTC", "BTC", True, 90_000.0, 0.5, 1.0, 0.0, 2.0)]
    for coin, price, tick, lot, share in COINS:
        many = "1000" if coin == "PEPE" else ""
        found += [
            Contract("binance", f"{many}{coin}USDT", coin, "USDT", False, price, tick, lot, 0.0, 0.45 * share),
            Contract("bybit", f"{many}{coin}USDT", coin, "USDT", False, price, tick, lot, 0.0, 0.35 * share),
            Contract("okx", f"{coin}-USDT-SWAP", coin, "USDT", False, price, tick, 0.01, 10 * lot, 0.2 * share),
        ]
    return found


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the temporary tables that `day` reads."""
    listed = contracts()
    whole = sum(contract.share for contract in listed)
    slots = [n for n, contract in enumerate(listed) for _ in range(max(1, round(SLOTS * contract.share / whole)))]
    rows = ", ".join(
        f"({n}, '{c.venue}', '{c.symbol}', '{c.base}', '{c.settle}', {c.inverse}, {c.price}, {c.tick}, {c.lot}, {c.size})"
        for n, c in enumerate(listed)
    )
    names = "number, venue, symbol, base, settle, inverse, mid, tick, lot, size"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE made_contracts AS FROM (VALUES {rows}) AS c({names})")
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE made_slots AS SELECT unnest(range({len(slots)})) AS slot, unnest({slots}) AS number"
    )


def rows_of_day(number: int, rows: int, days: int) -> int:
    """Return how many of `rows` over `days` fall on a day: quiet weeks, and now and then a day of many times the usual."""
    weights = [_weight(day) for day in range(days)]
    return round(rows * weights[number] / sum(weights))


def _weight(day: int) -> float:
    return exp(0.5 * sin(day / 9) + 0.4 * sin(day * 12.9898)) + (6 if day % 61 == 40 else 0)


def day(number: int, rows: int, first: int, begin: datetime = FIRST_DAY) -> str:
    """Return the query of the `liquidations` of day `number` after `begin`, in order of arrival; `first`: rows before it."""
    return _DAY.format(seed=number, rows=rows, slots=SLOTS, midnight=begin + timedelta(days=number), first=first)


_DAY = """
WITH drawn AS (
    SELECT
        i,
        hash(i, {seed}, 1) AS h1, hash(i, {seed}, 2) AS h2, hash(i // 25, {seed}, 3) AS burst, hash(i, {seed}, 4) AS h4,
        (hash(i, {seed}, 5) % 1000003 + 1) / 1000004.0 AS u1, (hash(i, {seed}, 6) % 1000003) / 1000003.0 AS u2,
        (hash(i, {seed}, 7) % 1000003 + 1) / 1000004.0 AS u3
    FROM range({rows}) AS r(i)
), timed AS (
    SELECT
        d.*, c.*,
        -- bursts of some 25 rows, most within seconds of each other
        least(86399999, (burst % 86000000 + (-2500 * ln(u3)) * (1 + (burst % 7)))::BIGINT) AS at_ms,
        sqrt(-2 * ln(u1)) * cos(6.283185307 * u2) AS normal,
        h4 % 5 < 3 AS was_long
    FROM drawn AS d JOIN made_slots AS s ON d.h1 % {slots} = s.slot JOIN made_contracts AS c USING (number)
), priced AS (
    SELECT
        *,
        TIMESTAMP '{midnight}' + to_milliseconds(at_ms) AS ts_event,
        CASE WHEN symbol LIKE '1000%' THEN 1000.0 ELSE 1.0 END AS multiplier,
        mid * exp(0.3 * sin({seed} / 40.0 + number) + 0.015 * sin(at_ms / 9.1e6 + number % 5) + 0.004 * sin(at_ms / 4.1e5)
            + 0.0006 * normal) / tick AS ticks,
        lot * greatest(1, round(exp(2.2 + 1.9 * normal))) AS qty
    FROM timed
), said AS (
    SELECT
        *,
        -- an average of several fills has more decimals than a tick
        round(CASE WHEN venue = 'binance' AND h2 % 3 = 0 THEN round(ticks, 2) ELSE round(ticks) END * tick * multiplier, 10)
            AS price_raw,
        CASE WHEN venue = 'binance'
            THEN round(round(ticks * CASE WHEN was_long THEN 0.995 ELSE 1.005 END) * tick * multiplier, 10) END AS order_price,
        CASE WHEN inverse THEN round(qty * 500) ELSE round(qty, 3) END AS qty_raw,
        ts_event + to_microseconds((25000 + 30000 * exp(0.7 * normal) + h2 % 9973)::BIGINT) AS ts_recv
    FROM priced
), valued AS (
    SELECT
        *,
        price_raw / multiplier AS price,
        CASE
            WHEN inverse THEN qty_raw / price_raw
            WHEN size > 0 THEN qty_raw * size
            ELSE qty_raw * multiplier
        END AS qty_base
    FROM said
)
SELECT
    venue,
    symbol,
    base || '/' || CASE WHEN inverse THEN 'USD' ELSE 'USDT' END || ':' || settle AS instrument,
    base,
    CASE WHEN inverse THEN 'USD' ELSE 'USDT' END AS quote,
    settle,
    CASE WHEN inverse THEN 'inverse' ELSE 'linear' END AS contract,
    'perpetual' AS kind,
    ts_event,
    CASE WHEN was_long THEN 'sell' ELSE 'buy' END AS order_side,
    CASE WHEN was_long THEN 'long' ELSE 'short' END AS position_side,
    price_raw,
    price,
    CASE venue WHEN 'binance' THEN 'fill_average' WHEN 'bybit' THEN 'bankruptcy' ELSE 'okx_bkPx' END AS price_kind,
    order_price,
    qty_raw,
    CASE WHEN inverse THEN 'usd' WHEN size > 0 THEN 'contract' ELSE 'base' END AS qty_unit,
    qty_base,
    CASE WHEN inverse THEN qty_raw ELSE qty_base * price END AS notional_usd,
    CASE WHEN venue = 'binance' THEN 'FILLED' END AS status,
    CASE venue WHEN 'binance' THEN 'one_per_second_latest' WHEN 'bybit' THEN 'all' ELSE 'one_per_second' END AS completeness,
    'venue' AS metadata,
    NULL::VARCHAR AS null_reason,
    hash(venue, symbol, was_long, price_raw, qty_raw, ts_event, i)::UBIGINT AS event_key,
    0::INTEGER AS occurrence,
    ts_recv,
    'live' AS source,
    'raw.liquidation' AS kafka_topic,
    (hash(venue, symbol) % 4)::INTEGER AS kafka_partition,
    {first} // 4 + row_number() OVER (PARTITION BY hash(venue, symbol) % 4 ORDER BY ts_recv) AS kafka_offset,
    venue || '-linear-' || ({seed} // 3)::VARCHAR || '-9f3c' AS session,
    row_number() OVER (PARTITION BY venue ORDER BY ts_recv) + {first} % 500000 AS seq
FROM valued
ORDER BY ts_recv
"""
