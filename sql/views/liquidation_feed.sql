-- liquidation_feed: liquidations of the last 24 hours of at least 100,000 USD, or 20 times normal for their coin.
-- Reads feed. Grain: one liquidation, the latest first. The second kind is at least 1,000 USD; normal_usd is the coin's mean
-- liquidation at the same venue and class of feed over seven days. Other thresholds, and the columns: see
-- feed(min_usd, times_normal, floor_usd, hours).
FROM feed(100000, 20)
