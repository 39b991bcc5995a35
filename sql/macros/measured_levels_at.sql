-- measured_levels_at(moment, max_age_hours := 3): where known accounts would be liquidated, by price, as their venue says itself. No estimate.
-- Reads account_positions, mark_prices and open_interest of the max_age_hours before the moment. Grain: one row per base, venue,
-- position_side and price bin with a position. Of each account the newest answer counts. Left out are positions that no price
-- liquidates, and those whose price the mark has reached since they were answered: they are gone, or have other prices now. Only the
-- accounts that are asked for are known: oi_share says how much of the open interest of the coin and side that is. Bins are those of
-- liquidation_levels. age_s: mean age of the answers, weighted by coins. Nothing after the moment is read.
-- Example: FROM measured_levels_at(as_of())
WITH answers AS (
    SELECT p.*
    FROM account_positions AS p
    WHERE p.ts_event > moment::TIMESTAMP - to_seconds(max_age_hours * 3600) AND p.ts_event <= moment
    QUALIFY p.ts_event = max(p.ts_event) OVER (PARTITION BY p.venue, p.account)
), known AS (
    SELECT a.*, CASE WHEN a.base IN ('BTC', 'ETH') THEN 0.001 ELSE 0.002 END AS width
    FROM answers AS a WHERE a.position_side IS NOT NULL AND a.qty_base > 0 AND list_contains(dollars(), a.quote)
), marks AS (
    SELECT
        m.venue, m.symbol, m.ts_event, m.mark_price,
        min(m.mark_price) OVER later AS low, max(m.mark_price) OVER later AS high
    FROM mark_prices AS m
    WHERE m.ts > moment::TIMESTAMP - to_seconds(max_age_hours * 3600 + 60) AND m.ts <= moment AND m.ts_event <= moment
        AND m.mark_price IS NOT NULL AND m.venue IN (SELECT DISTINCT k.venue FROM known AS k)
    WINDOW later AS (PARTITION BY m.venue, m.symbol ORDER BY m.ts_event DESC ROWS UNBOUNDED PRECEDING)
), newest AS (
    SELECT venue, symbol, arg_max(mark_price, ts_event) AS mark FROM marks GROUP BY venue, symbol
), interest AS (
    SELECT o.venue, o.base, sum(o.oi_base) AS oi_base FROM open_interest_at(moment, 3) AS o
    WHERE list_contains(dollars(), o.quote) GROUP BY o.venue, o.base
), observed AS (
    SELECT venue, base, position_side, sum(qty_base) AS qty_observed FROM known GROUP BY ALL
), reached AS (
    SELECT
        k.*, n.mark,
        coalesce(CASE WHEN k.position_side = 'long' THEN least(m.low, n.mark) <= k.liquidation_price
                 ELSE greatest(m.high, n.mark) >= k.liquidation_price END, false) AS is_reached
    FROM known AS k
    JOIN newest AS n ON k.venue = n.venue AND k.symbol = n.symbol
    ASOF LEFT JOIN marks AS m ON k.venue = m.venue AND k.symbol = m.symbol AND k.ts_event <= m.ts_event
    WHERE k.liquidation_price > 0
), binned AS (
    SELECT
        r.venue, r.base, r.position_side, floor(ln(r.liquidation_price) / ln(1 + r.width))::INTEGER AS bin, any_value(r.width) AS width,
        sum(r.qty_base * r.liquidation_price) / sum(r.qty_base) AS price, sum(r.qty_base * r.liquidation_price) AS usd,
        sum(r.qty_base) AS qty_base, count(DISTINCT r.account) AS accounts, avg(r.mark) AS price_now,
        sum(r.qty_base * date_diff('second', r.ts_event, moment::TIMESTAMP)) / sum(r.qty_base) AS age_s
    FROM reached AS r WHERE NOT r.is_reached
    GROUP BY r.venue, r.base, r.position_side, floor(ln(r.liquidation_price) / ln(1 + r.width))
)
SELECT
    b.base, b.venue, b.position_side, b.bin, pow(1 + b.width, b.bin) AS price_low, pow(1 + b.width, b.bin + 1) AS price_high, b.price,
    b.usd, b.qty_base, b.accounts, b.price_now, b.price / b.price_now - 1 AS distance, o.qty_observed / nullif(i.oi_base, 0) AS oi_share,
    b.age_s
FROM binned AS b
JOIN observed AS o ON b.venue = o.venue AND b.base = o.base AND b.position_side = o.position_side
LEFT JOIN interest AS i ON b.venue = i.venue AND b.base = i.base
