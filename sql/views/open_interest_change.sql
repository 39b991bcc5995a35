-- open_interest_change: how the open interest of every contract changed over the last 1, 4 and 24 hours, in coins and USD.
-- Reads open_interest, mark_prices, instruments, each for the hour before now and before then. Grain: one row per venue, symbol
-- and hours (1, 4, 24) with a value at most an hour old both now and then. A price move alone changes USD, so look at change_base
-- (coins) to see whether positions were opened or closed. change_usd = change_usd_positions (change_base at the earlier price) +
-- change_usd_price (the rest). Shares are of the earlier value; null if coins or USD are not known.
WITH past AS (
    SELECT 1 AS hours, * FROM open_interest_at(as_of() - INTERVAL 1 HOUR)
    UNION ALL
    SELECT 4 AS hours, * FROM open_interest_at(as_of() - INTERVAL 4 HOURS)
    UNION ALL
    SELECT 24 AS hours, * FROM open_interest_at(as_of() - INTERVAL 24 HOURS)
)
SELECT
    n.venue, n.symbol, n.instrument, n.base, n.quote, n.settle, n.contract, p.hours,
    p.oi_base AS oi_base_then, n.oi_base, n.oi_base - p.oi_base AS change_base,
    (n.oi_base - p.oi_base) / nullif(p.oi_base, 0) AS change_base_share,
    p.oi_usd AS oi_usd_then, n.oi_usd, n.oi_usd - p.oi_usd AS change_usd,
    (n.oi_usd - p.oi_usd) / nullif(p.oi_usd, 0) AS change_usd_share,
    (n.oi_base - p.oi_base) * p.oi_usd / nullif(p.oi_base, 0) AS change_usd_positions,
    n.oi_usd - p.oi_usd - (n.oi_base - p.oi_base) * p.oi_usd / nullif(p.oi_base, 0) AS change_usd_price,
    p.ts_event AS ts_then, n.ts_event AS ts_now
FROM open_interest_at(as_of()) AS n JOIN past AS p ON n.venue = p.venue AND n.symbol = p.symbol
ORDER BY p.hours, n.oi_usd DESC NULLS LAST
