-- signal_thresholds: the conditions of each signal: its ingredients, the values they must reach, and the expected price move.
-- Reads nothing: these are our choices, made before any outcome was seen and not fitted. Grain: one row per signal, position_side
-- and name. A signal fires if every required condition (ingredient comparison value) is known and met. Supporting conditions are
-- counted separately. expected: the direction in which the price should go, by the idea behind the signal; signals_outcome shows
-- whether it did. signal_ingredients has the ingredients. version changes when any row does.
WITH asked AS (
    SELECT * FROM (VALUES
        ('overheated_longs', 'long', 'against', 'funding', 'funding_paid_8h', '>=', 0.0005, 'fraction per 8 h', 'required',
            'longs pay at least 0.05 % per eight hours (0.01 % is neutral)'),
        ('overheated_longs', 'long', 'against', 'cluster_share', 'cluster_share', '>=', 0.1, 'fraction', 'required',
            'a cluster holds at least a tenth of the estimated long levels within 20 %'),
        ('overheated_longs', 'long', 'against', 'cluster_distance', 'cluster_distance', '<=', 0.03, 'fraction', 'required',
            'and begins within 3 % below the price'),
        ('overheated_longs', 'long', 'against', 'rsi', 'rsi_1h', '>=', 70, 'RSI', 'supports', 'overbought on hourly bars'),
        ('overheated_longs', 'long', 'against', 'accounts', 'accounts_share', '>=', 0.6, 'fraction', 'supports',
            'of the accounts with positions are net long'),
        ('squeeze_setups', 'short', 'against', 'funding', 'funding_paid_8h', '>=', 0.0003, 'fraction per 8 h', 'required',
            'shorts pay at least 0.03 % per eight hours'),
        ('squeeze_setups', 'short', 'against', 'cluster_share', 'cluster_share', '>=', 0.1, 'fraction', 'required',
            'a cluster holds at least a tenth of the estimated short levels within 20 %'),
        ('squeeze_setups', 'short', 'against', 'cluster_distance', 'cluster_distance', '<=', 0.03, 'fraction', 'required',
            'and begins within 3 % above the price'),
        ('squeeze_setups', 'short', 'against', 'rsi', 'rsi_1h', '<=', 30, 'RSI', 'supports', 'oversold on hourly bars'),
        ('squeeze_setups', 'short', 'against', 'accounts', 'accounts_share', '>=', 0.5, 'fraction', 'supports',
            'of the accounts with positions are net short'),
        ('crowded_positions', 'both', 'against', 'accounts', 'accounts_share', '>=', 0.65, 'fraction', 'required',
            'of the accounts with positions are on this side'),
        ('crowded_positions', 'both', 'against', 'cluster_share', 'cluster_share', '>=', 0.1, 'fraction', 'required',
            'a cluster holds at least a tenth of the side''s estimated levels within 20 %'),
        ('crowded_positions', 'both', 'against', 'cluster_distance', 'cluster_distance', '<=', 0.05, 'fraction', 'required',
            'and begins within 5 % of the price'),
        ('crowded_positions', 'both', 'against', 'top_positions', 'top_positions_share', '>=', 0.55, 'fraction', 'supports',
            'of the top traders'' positions are on this side'),
        ('crowded_positions', 'both', 'against', 'levels_side', 'levels_side_share', '>=', 0.6, 'fraction', 'supports',
            'of the estimated levels within 20 % are the side''s'),
        ('crowded_positions', 'both', 'against', 'funding', 'funding_paid_8h', '>=', 0.0002, 'fraction per 8 h', 'supports',
            'the side pays for it'),
        ('washouts', 'both', 'with', 'liquidated', 'liquidated_usd_1h', '>=', 100000, 'USD', 'required',
            'liquidated of the side in the hour'),
        ('washouts', 'both', 'with', 'percentile', 'liquidated_percentile', '>=', 0.99, 'fraction', 'required',
            'of the hours of the 30 days before had less'),
        ('washouts', 'both', 'with', 'side', 'liquidated_side_share', '>=', 0.75, 'fraction', 'required',
            'of the coin''s liquidated USD is the side''s'),
        ('washouts', 'both', 'with', 'flush', 'oi_change_1h', '<=', -0.02, 'fraction', 'required',
            'open interest, in coins, closed in the hour'),
        ('washouts', 'both', 'with', 'move', 'move_against_1h', '>=', 0.01, 'fraction', 'supports',
            'the price went against the side in the hour'),
        ('washouts', 'long', 'with', 'rsi', 'rsi_1h', '<=', 30, 'RSI', 'supports', 'oversold on hourly bars'),
        ('washouts', 'short', 'with', 'rsi', 'rsi_1h', '>=', 70, 'RSI', 'supports', 'overbought on hourly bars'),
        ('oi_backed_clusters', 'both', 'against', 'oi', 'oi_change_24h', '>=', 0.05, 'fraction', 'required',
            'open interest, in coins, was added in 24 hours'),
        ('oi_backed_clusters', 'both', 'against', 'growth', 'levels_growth_24h', '>=', 0.1, 'fraction', 'required',
            'the side''s estimated levels within 20 %, in coins, grew in 24 hours'),
        ('oi_backed_clusters', 'both', 'against', 'cluster_share', 'cluster_share', '>=', 0.1, 'fraction', 'required',
            'a cluster holds at least a tenth of them'),
        ('oi_backed_clusters', 'both', 'against', 'cluster_distance', 'cluster_distance', '<=', 0.05, 'fraction', 'required',
            'and begins within 5 % of the price'),
        ('oi_backed_clusters', 'both', 'against', 'funding', 'funding_paid_8h', '>=', 0.0002, 'fraction per 8 h', 'supports',
            'the side pays for it'),
        ('support_resistance', 'both', 'with', 'cleared_share', 'cleared_share', '>=', 0.1, 'fraction', 'required',
            'a cluster with at least a tenth of the side''s levels of 24 hours ago was traded through since'),
        ('support_resistance', 'both', 'with', 'cleared_usd', 'cleared_realised_usd', '>=', 100000, 'USD', 'required',
            'were liquidated inside it'),
        ('support_resistance', 'both', 'with', 'held', 'cleared_distance', '>=', 0, 'fraction', 'required',
            'the price is back: above a cleared long cluster''s peak, below a short one''s'),
        ('support_resistance', 'both', 'with', 'near', 'cleared_distance', '<=', 0.02, 'fraction', 'required',
            'and within 2 % of it')
    ) AS v(signal, sides, expects, name, ingredient, comparison, value, unit, role, meaning)
), each_side AS (
    SELECT
        a.signal, s.position_side, CASE WHEN (s.position_side = 'long') = (a.expects = 'with') THEN 'up' ELSE 'down' END AS expected,
        a.name, a.ingredient, a.comparison, a.value::DOUBLE AS value, a.unit, a.role, a.meaning
    FROM asked AS a JOIN (VALUES ('long'), ('short')) AS s(position_side) ON a.sides IN ('both', s.position_side)
)
SELECT *, left(md5(string_agg(e::VARCHAR, '' ORDER BY e::VARCHAR) OVER ()), 8) AS version
FROM each_side AS e
ORDER BY signal, position_side, role, name
