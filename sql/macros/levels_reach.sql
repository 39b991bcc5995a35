-- levels_reach(moment, max_age_hours := 2, made_by := TIMESTAMP '9999-01-01'): how old each coin's map is, and where its price has been since.
-- Reads liquidation_levels, klines and mark_prices since the map, instruments, levels_limits. Grain: one row per base of the
-- newest column in the max_age_hours before the moment that was made for made_by or before. price_then: the price at ts, the time
-- of the map. price_now: the price at the moment. low, high: the lowest and highest price since ts, null if no price came. All
-- three are medians over the coin's contracts quoted in dollars, from trade candles and mark prices. Each contract is first scaled
-- to the map's price by its ratio to it at ts, so that a premium changes nothing. age_s: of the map. price_ts: of the newest
-- price. freshness: STALE if either is older than levels_limits allows, or no price is known; else FRESH. Every other view of
-- levels uses this one. Nothing after the moment is read.
-- Example: FROM levels_reach(as_of())
WITH newest AS (
    SELECT l.ts, l.base, any_value(l.price_now) AS price_then
    FROM liquidation_levels AS l
    WHERE l.ts > moment::TIMESTAMP - to_seconds(max_age_hours * 3600) AND l.ts <= least(moment::TIMESTAMP, made_by)
    GROUP BY l.ts, l.base
    QUALIFY l.ts = max(l.ts) OVER ()
), described AS (
    -- as instruments_as_of at the moment, of few columns: each that is read takes time to plan
    SELECT
        i.venue, i.symbol, max_by({'base': i.base, 'quote': i.quote, 'multiplier': i.multiplier}, (i.valid_from, i.ts_recv)) FILTER (
            i.valid_from <= moment) AS known,
        coalesce(known, min_by({'base': i.base, 'quote': i.quote, 'multiplier': i.multiplier}, (i.valid_from, i.ts_recv))) AS contract
    FROM instruments AS i GROUP BY i.venue, i.symbol
), contracts AS MATERIALIZED (
    SELECT d.venue, d.symbol, d.contract.multiplier AS multiplier, n.base, n.ts, n.price_then, n.ts - INTERVAL 15 MINUTES AS since
    FROM newest AS n JOIN described AS d ON n.base = d.contract.base
    WHERE list_contains(dollars(), d.contract.quote)
), prices AS (
    SELECT
        c.base, c.venue, c.symbol, 'traded' AS kind, c.price_then, k.ts_event >= c.ts AS later,
        CASE WHEN k.closed THEN k.ts_event + INTERVAL 1 MINUTE ELSE k.ts_event END AS seen,
        k.low / c.multiplier AS low, k.high / c.multiplier AS high, k."close" / c.multiplier AS price
    FROM klines AS k JOIN contracts AS c ON k.venue = c.venue AND k.symbol = c.symbol AND k.ts_event >= c.since
    WHERE k.ts_event >= moment::TIMESTAMP - to_seconds(max_age_hours * 3600 + 900) AND k.ts_event <= moment
        AND k."interval" = '1m' AND k.price_kind = 'trade' AND (k.ts_event <= moment::TIMESTAMP - INTERVAL 1 MINUTE OR k.closed IS NOT TRUE)
    UNION ALL
    SELECT
        c.base, c.venue, c.symbol, 'marked', c.price_then, m.ts_event > c.ts, m.ts_event, m.mark_price, m.mark_price, m.mark_price
    FROM mark_prices AS m JOIN contracts AS c ON m.venue = c.venue AND m.symbol = c.symbol AND m.ts_event >= c.since
    WHERE m.ts >= moment::TIMESTAMP - to_seconds(max_age_hours * 3600 + 4500) AND m.ts <= moment AND m.ts_event <= moment
), series AS (
    SELECT
        base, venue, symbol, coalesce(arg_max(price, seen) FILTER (NOT later) / any_value(price_then), 1) AS premium,
        min(low) FILTER (later) / premium AS low, max(high) FILTER (later) / premium AS high, arg_max(price, seen) / premium AS price,
        max(seen) AS seen
    FROM prices WHERE low > 0 AND high > 0 AND price > 0
    GROUP BY base, venue, symbol, kind
), heard AS (
    SELECT base, min(low) AS low, max(high) AS high, arg_max(price, seen) AS price, max(seen) AS seen
    FROM series GROUP BY base, venue, symbol
), coins AS (
    SELECT base, median(low) AS low, median(high) AS high, median(price) AS price, max(seen) AS seen
    FROM (
        FROM heard QUALIFY seen >= max(seen) OVER (PARTITION BY base) - to_seconds((
            SELECT any_value(value) FROM levels_limits WHERE name = 'price_within'))
    )
    GROUP BY base
), aged AS (
    SELECT
        n.*, c.low, c.high, coalesce(c.price, n.price_then) AS price_now, c.seen AS price_ts,
        date_diff('second', n.ts, moment::TIMESTAMP) AS age_s,
        (SELECT any_value(value) FROM levels_limits WHERE name = 'stale_after') AS stale_after
    FROM newest AS n LEFT JOIN coins AS c ON n.base = c.base
)
SELECT
    base, ts, price_then, price_now, low, high, price_ts, age_s,
    CASE WHEN age_s <= stale_after AND date_diff('second', price_ts, moment::TIMESTAMP) <= stale_after THEN 'FRESH' ELSE 'STALE' END AS freshness
FROM aged
