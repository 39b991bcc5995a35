-- funding_spend: what longs pay shorts at the running funding rate, per interval and per day, of every contract.
-- Reads funding_current, open_interest_current. Grain: one row per venue and symbol that has a rate. spend_usd: funding_rate x
-- oi_usd, USD per interval_hours. spend_day_usd: the same per 24 hours. Negative: shorts pay longs. Null if the open interest is
-- more than an hour old or has no USD, the interval is not known, or the rate is stale.
SELECT
    f.venue, f.symbol, f.instrument, f.base, f.funding_rate, f.interval_hours, f.rate_8h, f.rate_year, o.oi_usd,
    CASE WHEN NOT f.stale THEN f.funding_rate * o.oi_usd END AS spend_usd,
    CASE WHEN NOT f.stale THEN f.rate_day * o.oi_usd END AS spend_day_usd,
    f.next_funding_ts, f.stale, f.age_s, o.age_s AS oi_age_s
FROM funding_current AS f
LEFT JOIN (SELECT * FROM open_interest_current WHERE NOT stale) AS o ON f.venue = o.venue AND f.symbol = o.symbol
ORDER BY abs(spend_day_usd) DESC NULLS LAST, f.venue, f.symbol
