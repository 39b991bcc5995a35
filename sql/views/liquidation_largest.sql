-- liquidation_largest: the hundred largest liquidations of the last 24 hours.
-- Reads largest. Grain: one liquidation; rank 1 is the largest. For the columns and their limits, see largest(hours, number,
-- coin).
FROM largest(24)
