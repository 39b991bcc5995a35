-- funding_spend_by_coin: what longs pay shorts per day at the running funding rates, of every coin over all venues.
-- Reads funding_spend. Grain: one row per base. spend_day_usd: USD per 24 hours; negative: on balance shorts pay longs.
-- paid_by_longs, paid_by_shorts: the contracts with a positive and with a negative rate, both as positive amounts. contracts,
-- venues: those in the sums. contracts_left_out: those without a spend. Null if no contract has one.
SELECT
    base,
    sum(spend_day_usd) AS spend_day_usd,
    sum(spend_day_usd) FILTER (spend_day_usd > 0) AS paid_by_longs_day_usd,
    -sum(spend_day_usd) FILTER (spend_day_usd < 0) AS paid_by_shorts_day_usd,
    sum(oi_usd) FILTER (spend_day_usd IS NOT NULL) AS oi_usd,
    string_agg(DISTINCT venue, ', ' ORDER BY venue) FILTER (spend_day_usd IS NOT NULL) AS venues,
    count(spend_day_usd) AS contracts,
    count(*) - count(spend_day_usd) AS contracts_left_out
FROM funding_spend
GROUP BY base
ORDER BY abs(sum(spend_day_usd)) DESC NULLS LAST, base
