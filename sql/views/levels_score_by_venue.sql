-- levels_score_by_venue: how good the estimated liquidation levels of each coin have been at each venue, beside simple rules.
-- Reads levels_scores, levels_model. Grain: one row per coin and venue, its newest back-test that ended by as_of(). model: the one that is
-- shown (reach or oi). rank_correlation (of the bins that the price reached), window_correlation (of sums by map and side) and
-- top_decile_mass are the model's, with the 95 % interval of a block bootstrap (low, high); those of the other model and of rules that know
-- no position beside them: untouched (the longer the price was not in the bin), distance, volume, mirrored, uniform. strongest: the rule with
-- the highest rank correlation; lead: how far the model is ahead of it, with its interval; verdict says it in words,
-- verdict_oi of the model oi, by which signals go. beats_nulls: both
-- measures lead every rule with the lower end above 0, of a throttled feed the ranks alone; null where the back-test was too short
-- to say. completeness: all, or throttled: the feed leaves liquidations out, note says what that does. Terms: liq schema levels_scores.
WITH rows AS (
    SELECT s.*, m.model AS shown, m.rank AS venue_rank
    FROM levels_scores AS s JOIN levels_model(as_of()) AS m ON s.base = m.base AND s.venue = m.venue AND s.until = m.until
), wide AS (
    SELECT
        base, venue, any_value(shown) AS model, max(since) AS since, max(until) AS until,
        max(value) FILTER (model = shown AND measure = 'rank_correlation') AS rank_correlation,
        max(low) FILTER (model = shown AND measure = 'rank_correlation') AS rank_correlation_low,
        max(high) FILTER (model = shown AND measure = 'rank_correlation') AS rank_correlation_high,
        max(value) FILTER (model = 'reach' AND measure = 'rank_correlation') AS rank_correlation_reach,
        max(value) FILTER (model = 'oi' AND measure = 'rank_correlation') AS rank_correlation_oi,
        max(value) FILTER (model = 'untouched' AND measure = 'rank_correlation') AS rank_correlation_untouched,
        max(value) FILTER (model = 'distance' AND measure = 'rank_correlation') AS rank_correlation_distance,
        max(value) FILTER (model = 'volume' AND measure = 'rank_correlation') AS rank_correlation_volume,
        max(value) FILTER (model = 'mirrored' AND measure = 'rank_correlation') AS rank_correlation_mirrored,
        max(value) FILTER (model = shown AND measure = 'window_correlation') AS window_correlation,
        max(value) FILTER (model = 'untouched' AND measure = 'window_correlation') AS window_correlation_untouched,
        max(value) FILTER (model = shown AND measure = 'top_decile_mass') AS top_decile_mass,
        max(low) FILTER (model = shown AND measure = 'top_decile_mass') AS top_decile_mass_low,
        max(high) FILTER (model = shown AND measure = 'top_decile_mass') AS top_decile_mass_high,
        max(value) FILTER (model = 'untouched' AND measure = 'top_decile_mass') AS top_decile_mass_untouched,
        max(value) FILTER (model = 'uniform' AND measure = 'top_decile_mass') AS top_decile_mass_uniform,
        max(value) FILTER (model = 'mirrored' AND measure = 'top_decile_mass') AS top_decile_mass_mirrored,
        arg_max(model, value) FILTER (
            model NOT IN ('reach', 'oi') AND measure = 'rank_correlation' AND "over" IS NULL) AS strongest,
        count(*) FILTER (model = shown AND "over" NOT IN ('reach', 'oi') AND measure <> 'window_correlation') AS asked,
        count(lead_low) FILTER (model = shown AND "over" NOT IN ('reach', 'oi') AND measure <> 'window_correlation') AS known,
        min(lead_low) FILTER (model = shown AND "over" NOT IN ('reach', 'oi') AND measure <> 'window_correlation') AS least,
        max(maps) AS maps, max(cells) AS cells, max(realised_usd) AS realised_usd, max(outside_usd) AS outside_usd,
        max(venues) AS venues, max(weights_from) AS weights_from, max(features_from) AS features_from,
        max(completeness) AS completeness, max(note) AS note, max(venue_rank) AS venue_rank, max(parameters) AS parameters
    FROM rows GROUP BY base, venue
), verdicts AS (
    SELECT
        base, venue, model, "over", lead, lead_low, lead_high,
        format('{:+.3f} [{:+.3f}, {:+.3f}] in rank correlation', lead, lead_low, lead_high)
            || CASE WHEN completeness = 'throttled' THEN '; of a throttled feed' ELSE '' END AS led,
        CASE
            WHEN lead_low > 0 THEN 'clearly better than the best simple rule, ' || "over" || ': ' || led
            WHEN lead_high < 0 THEN 'worse than the simple rule ' || "over" || ': ' || led
            WHEN lead_low IS NOT NULL THEN 'not clearly better than the simple rule ' || "over" || ': ' || led
        END AS words
    FROM rows WHERE measure = 'rank_correlation' AND "over" IS NOT NULL
)
SELECT
    w.* EXCLUDE (asked, known, least, venue_rank, parameters), l.lead, l.lead_low, l.lead_high,
    CASE WHEN w.asked > 0 AND w.asked = w.known THEN w.least > 0 END AS beats_nulls,
    coalesce(l.words, 'not known: the back-test is too short') AS verdict,
    coalesce(o.words, 'not known: the back-test is too short') AS verdict_oi,
    w.venue_rank, w.parameters
FROM wide AS w
LEFT JOIN verdicts AS l ON w.base = l.base AND w.venue = l.venue AND w.model = l.model AND w.strongest = l."over"
LEFT JOIN verdicts AS o ON w.base = o.base AND w.venue = o.venue AND o.model = 'oi' AND w.strongest = o."over"
ORDER BY w.base, w.venue_rank
