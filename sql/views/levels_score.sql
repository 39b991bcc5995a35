-- levels_score: how good the estimated liquidation levels of each coin have been, beside two null models.
-- Reads levels_scores. Grain: one row per coin, its newest back-test that ended by as_of(). rank_correlation and top_decile_mass
-- with the 95 % interval of a block bootstrap (low, high); the same of the null models uniform and mirrored; lead_low: lower end
-- of the interval of the lead over them. beats_nulls: both measures lead both nulls with that lower end above 0; null where the
-- back-test was too short to say. verdict says it in words. Measures and terms: liq schema levels_scores.
WITH newest AS (
    FROM levels_scores WHERE until <= as_of() QUALIFY until = max(until) OVER (PARTITION BY base)
), wide AS (
    SELECT
        base, max(since) AS since, max(until) AS until,
        max(value) FILTER (model = 'levels' AND measure = 'rank_correlation') AS rank_correlation,
        max(low) FILTER (model = 'levels' AND measure = 'rank_correlation') AS rank_correlation_low,
        max(high) FILTER (model = 'levels' AND measure = 'rank_correlation') AS rank_correlation_high,
        max(value) FILTER (model = 'mirrored' AND measure = 'rank_correlation') AS rank_correlation_mirrored,
        max(value) FILTER (model = 'levels' AND measure = 'top_decile_mass') AS top_decile_mass,
        max(low) FILTER (model = 'levels' AND measure = 'top_decile_mass') AS top_decile_mass_low,
        max(high) FILTER (model = 'levels' AND measure = 'top_decile_mass') AS top_decile_mass_high,
        max(value) FILTER (model = 'uniform' AND measure = 'top_decile_mass') AS top_decile_mass_uniform,
        max(value) FILTER (model = 'mirrored' AND measure = 'top_decile_mass') AS top_decile_mass_mirrored,
        min(lead_low) FILTER (model = 'uniform') AS lead_low_uniform,
        min(lead_low) FILTER (model = 'mirrored') AS lead_low_mirrored,
        CASE WHEN count(*) FILTER (model <> 'levels') = count(lead_low) FILTER (model <> 'levels') AND count(lead_low) = 4
            THEN min(lead_low) > 0 END AS beats_nulls,
        max(maps) AS maps, max(cells) AS cells, max(realised_usd) AS realised_usd, max(outside_usd) AS outside_usd,
        max(venues) AS venues, max(weights_from) AS weights_from, max(parameters) AS parameters
    FROM newest GROUP BY base
)
SELECT
    * EXCLUDE (parameters),
    CASE
        WHEN beats_nulls IS NULL THEN 'not known: the back-test is too short'
        WHEN beats_nulls THEN 'clearly better than chance and than the mirrored map'
        WHEN lead_low_uniform > 0 THEN 'better than chance, but not clearly than the mirrored map'
        ELSE 'not clearly better than chance'
    END AS verdict,
    parameters
FROM wide
ORDER BY base
