-- levels_model(moment): which model's map of a coin is shown at a moment where none is asked for.
-- Reads levels_scores. Grain: one row per coin and venue of its newest back-test that ended by the moment. model: reach where its rank
-- correlation leads that of oi by the lower end of the 95 % interval, else oi, the model of the change of open interest. rank: 1 is
-- the venue that decides for the coin: one whose feed carries every liquidation before a throttled one, then the one of the most USD. A
-- coin without a row is shown by oi.
-- Example: FROM levels_model(as_of()) WHERE rank = 1
WITH newest AS (
    FROM levels_scores
    WHERE until <= moment AND venue IS NOT NULL
    QUALIFY until = max(until) OVER (PARTITION BY base)
), decided AS (
    SELECT
        base, venue, until, max(realised_usd) AS realised_usd, any_value(completeness) AS completeness,
        CASE WHEN max(lead_low) FILTER (model = 'reach' AND "over" = 'oi' AND measure = 'rank_correlation') > 0
            THEN 'reach' ELSE 'oi' END AS model
    FROM newest GROUP BY base, venue, until
)
SELECT
    base, venue, until, model,
    row_number() OVER (PARTITION BY base ORDER BY completeness = 'all' DESC, realised_usd DESC, venue) AS rank
FROM decided
