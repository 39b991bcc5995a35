"""What the price did before, during, at the end of and one hour after a cascade, by the best contract of its coin."""

from datetime import timedelta

import polars as pl

from pipelines.derive.cascades.find import FOUND
from warehouse.lake import Lake

BEFORE = timedelta(minutes=11)  # a candle that ends in the ten minutes before begins in eleven
AFTER = timedelta(hours=1, minutes=5)

CONTRACTS = f"""
CREATE OR REPLACE TEMP TABLE liq_cascade_contracts AS
WITH own AS (
    SELECT c.cascade_id, r.venue, r.symbol, coalesce(sum(r.micro_usd), 0) AS micro_usd
    FROM {FOUND} AS c JOIN liq_cascade_rows AS r ON r.base = c.base AND r.ts_event BETWEEN c.ts_start AND c.ts_end
    GROUP BY ALL
), quoted AS (
    SELECT base, venue, symbol FROM instruments_as_of
    WHERE list_contains(dollars(), quote) AND (kind IS NULL OR kind = 'perpetual')
    UNION
    SELECT base, venue, symbol FROM mark_prices
    WHERE ts >= $since AND ts <= $until AND list_contains(dollars(), quote)
        AND (venue, symbol) NOT IN (SELECT (venue, symbol) FROM instruments_as_of)
), named AS (
    SELECT cascade_id, venue, symbol FROM own
    UNION
    SELECT c.cascade_id, q.venue, q.symbol FROM {FOUND} AS c JOIN quoted AS q ON q.base = c.base
)
SELECT c.cascade_id, c.ts_start, c.ts_end, c.position_side, n.venue, n.symbol, o.micro_usd
FROM {FOUND} AS c JOIN named AS n USING (cascade_id) LEFT JOIN own AS o USING (cascade_id, venue, symbol)
"""
PRICES = """
WITH listed AS (
    SELECT venue, symbol, since, valid_to, multiplier FROM instruments_as_of
), candles AS (
    SELECT k.venue, k.symbol, k.ts_event AS opens, k.ts_event + INTERVAL 1 MINUTE AS ends, i.multiplier,
           arg_max(struct_pack(high := k.high, low := k.low, price := k.close),
               CASE WHEN k.closed THEN 2 WHEN k.closed IS NULL THEN 1 ELSE 0 END) AS candle,
           bool_or(k.closed IS TRUE) AS closed, max(k.volume_quote) AS turnover
    FROM klines AS k ASOF LEFT JOIN listed AS i ON k.venue = i.venue AND k.symbol = i.symbol AND k.ts_event >= i.since
    WHERE k.ts_event >= $since AND k.ts_event <= $until AND k."interval" = '1m' AND k.price_kind = 'trade'
    GROUP BY ALL
), by_kline AS (
    SELECT c.cascade_id, 'klines' AS source, c.venue, c.symbol, c.micro_usd,
        arg_max(candle.price, opens) FILTER (ends <= c.ts_start AND ends > c.ts_start - INTERVAL 10 MINUTES) AS before,
        CASE WHEN any_value(c.position_side) = 'long' THEN min(candle.low) FILTER (ends > c.ts_start AND opens <= c.ts_end)
             ELSE max(candle.high) FILTER (ends > c.ts_start AND opens <= c.ts_end) END AS extreme,
        any_value(candle.price) FILTER (closed AND opens <= c.ts_end AND ends > c.ts_end) AS at_end,
        any_value(candle.price) FILTER (
            closed AND opens <= c.ts_end + INTERVAL 1 HOUR AND ends > c.ts_end + INTERVAL 1 HOUR) AS later,
        any_value(multiplier) AS multiplier, sum(turnover) AS turnover
    FROM liq_cascade_contracts AS c JOIN candles AS k
        ON k.venue = c.venue AND k.symbol = c.symbol
        AND k.opens BETWEEN c.ts_start - INTERVAL 11 MINUTES AND c.ts_end + INTERVAL 1 HOUR
    GROUP BY ALL
), by_mark AS (
    SELECT c.cascade_id, 'mark_prices' AS source, c.venue, c.symbol, c.micro_usd,
        arg_max(mark_price, ts_event) FILTER (
            ts_event <= c.ts_start AND ts_event > c.ts_start - INTERVAL 10 MINUTES) AS before,
        CASE WHEN any_value(c.position_side) = 'long'
             THEN min(mark_price) FILTER (ts_event > c.ts_start AND ts_event <= c.ts_end + INTERVAL 1 MINUTE)
             ELSE max(mark_price) FILTER (ts_event > c.ts_start AND ts_event <= c.ts_end + INTERVAL 1 MINUTE) END AS extreme,
        arg_min(mark_price, ts_event) FILTER (
            ts_event >= c.ts_end AND ts_event < c.ts_end + INTERVAL 2 MINUTES) AS at_end,
        arg_min(mark_price, ts_event) FILTER (
            ts_event >= c.ts_end + INTERVAL 1 HOUR AND ts_event < c.ts_end + INTERVAL 62 MINUTES) AS later,
        1 AS multiplier, NULL AS turnover
    FROM liq_cascade_contracts AS c JOIN mark_prices AS m
        ON m.venue = c.venue AND m.symbol = c.symbol AND m.mark_price IS NOT NULL
        AND m.ts_event BETWEEN c.ts_start - INTERVAL 10 MINUTES AND c.ts_end + INTERVAL 62 MINUTES
    WHERE m.ts >= $since AND m.ts <= $until
    GROUP BY ALL
), each AS (
    SELECT * FROM by_kline UNION ALL BY NAME SELECT * FROM by_mark
)
SELECT cascade_id, source || ' ' || venue || ' ' || symbol AS price_source,
    before / multiplier AS price_before, extreme / multiplier AS price_extreme, at_end / multiplier AS price_end,
    later / multiplier AS price_1h, at_end / before - 1 AS move, extreme / before - 1 AS move_extreme,
    later / at_end - 1 AS move_1h
FROM each WHERE before / multiplier > 0 AND (at_end IS NULL OR at_end > 0)
QUALIFY row_number() OVER (
    PARTITION BY cascade_id
    ORDER BY at_end IS NULL, micro_usd IS NULL, source, micro_usd DESC, turnover DESC NULLS LAST, venue, symbol) = 1
"""


def prices(warehouse: Lake, found: pl.DataFrame) -> pl.DataFrame:
    """Return per cascade_id price_source, the four prices (quote per coin) and the three moves (fractions); no prices: no row.

    In: cascades with ts_start, ts_end and position_side. Contracts of the cascade go before the coin's other perpetuals that
    are quoted in dollars; then candles of trades (klines, 1m) before marks, then the contract with most USD in the cascade,
    then the one with most turnover. A price that is not known yet is null. `found` must be registered in the connection as
    FOUND, with its position_side.
    """
    run = warehouse.connection.execute
    span = {"since": found["ts_start"].min() - BEFORE, "until": found["ts_end"].max() + AFTER}  # type: ignore[operator]
    run(CONTRACTS, span)
    try:
        return pl.DataFrame(run(PRICES, span).to_arrow_table())
    finally:
        run("DROP TABLE liq_cascade_contracts")
