-- open_interest_current: the latest open interest of every contract, one side, in coins and USD.
-- Reads open_interest, mark_prices, instruments. Grain: one row per venue and symbol heard of in the 24 hours before as_of().
-- oi_usd: the venue's own value if it sends one, else coins times the latest mark price (usd_from says which); null if neither is
-- known or the quote is no dollar. sides: what the venue counts. oi_base and oi_usd are one side if that is known (both: halved
-- here; undocumented: as sent); oi_raw, in oi_unit, is as sent. stale: older than an hour; the sums by coin, venue and margin
-- leave it out.
SELECT
    venue, symbol, instrument, base, quote, settle, contract, oi_raw, oi_unit, sides, oi_base, oi_usd, usd_from, mark_price,
    ts_event, age_s, age_s > 3600 AS stale
FROM open_interest_at(as_of(), 24)
ORDER BY oi_usd DESC NULLS LAST
