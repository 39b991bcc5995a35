-- market_stress_weights: the weight of each part of market_stress, and the value at which the part is 1.
-- Reads nothing: these are our choices. Grain: one row per part. weight: share of the score. full_at: the value at which the part
-- is 1; smaller values count in proportion. unit: of that value.
SELECT * FROM (VALUES
    ('liquidations', 0.30, 1.00, 'percentile', 'USD liquidated in the last hour, against the hours of the last 30 days'),
    ('imbalance', 0.15, 1.00, 'fraction', 'how one-sided they were: |2 x long share - 1|'),
    ('oi_flush', 0.20, 0.05, 'fraction', 'open interest closed in the last hour, in coins, of what there was'),
    ('funding', 0.15, 0.001, 'fraction per 8 h', 'absolute running funding, weighted by open interest'),
    ('volatility', 0.20, 1.00, 'percentile', 'range of the last hour, against the hours of the last 30 days')
) AS w(part, weight, full_at, unit, meaning)
