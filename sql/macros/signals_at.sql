-- signals_at(moment): every signal of every coin and side at a full hour: whether it fired, and why.
-- Reads signal_ingredients, signal_thresholds. Grain: one row per signal, base and position_side of which a required ingredient is
-- known. fired: true if all required conditions are known and met, false if a known one is not met, null if it depends on what is
-- missing. It is never true if a required ingredient is missing. known of needed ingredients are known; missing: the others.
-- supporting: how many of the supporting_known further conditions are met. ingredients, thresholds: JSON, by the names in
-- signal_thresholds; conditions: the same in words. expected: the direction in which the price should go, up or down. zone_low,
-- zone_high: the cluster of the signal, in quote per coin. Subject: Signals.
-- Example: FROM signals_at(TIMESTAMP '2026-11-01 12:00:00')
WITH made AS (
    FROM signal_ingredients(moment)
), told AS (
    UNPIVOT (SELECT * EXCLUDE (price, price_venue, price_symbol, oi_usd, cluster_low, cluster_high, cleared_low, cleared_high, completeness, levels_ts) FROM made)
    ON * EXCLUDE (base, position_side) INTO NAME ingredient VALUE found
), judged AS (
    SELECT
        m.base, t.*, f.found, t.role = 'required' AS required,
        CASE t.comparison WHEN '>=' THEN f.found >= t.value ELSE f.found <= t.value END AS met
    FROM made AS m
    JOIN signal_thresholds AS t USING (position_side)
    LEFT JOIN told AS f ON m.base = f.base AND m.position_side = f.position_side AND t.ingredient = f.ingredient
), signals AS (
    SELECT
        signal, base, position_side, any_value(expected) AS expected,
        CASE WHEN bool_or(met IS FALSE) FILTER (required) THEN false WHEN bool_and(met IS NOT NULL) FILTER (required) THEN true END AS fired,
        count(DISTINCT ingredient) FILTER (required AND met IS NOT NULL) AS known,
        count(DISTINCT ingredient) FILTER (required) AS needed,
        count(*) FILTER (met AND NOT required) AS supporting,
        count(met) FILTER (NOT required) AS supporting_known,
        string_agg(DISTINCT ingredient, ', ' ORDER BY ingredient) FILTER (required AND met IS NULL) AS missing,
        to_json(map_from_entries(list((name, found) ORDER BY name)))::VARCHAR AS ingredients,
        to_json(map_from_entries(list((name, value) ORDER BY name)))::VARCHAR AS thresholds,
        string_agg(
            concat(ingredient, ' ', coalesce(round(found, 6)::VARCHAR, 'not known'), ' ', comparison, ' ', value,
                CASE WHEN met IS NULL THEN '' WHEN met THEN ': yes' ELSE ': no' END), '; ' ORDER BY role, name) AS conditions,
        any_value(version) AS thresholds_version
    FROM judged
    GROUP BY signal, base, position_side
    HAVING known > 0
)
SELECT
    s.*, m.price, m.price_venue, m.price_symbol, m.oi_usd,
    CASE s.signal WHEN 'support_resistance' THEN m.cleared_low WHEN 'washouts' THEN NULL ELSE m.cluster_low END AS zone_low,
    CASE s.signal WHEN 'support_resistance' THEN m.cleared_high WHEN 'washouts' THEN NULL ELSE m.cluster_high END AS zone_high,
    CASE s.signal WHEN 'washouts' THEN m.completeness END AS completeness, m.levels_ts
FROM signals AS s JOIN made AS m USING (base, position_side)
