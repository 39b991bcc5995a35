-- levels_score: how good the estimated liquidation levels of each coin have been, beside simple rules that know no position.
-- Reads levels_score_by_venue. Grain: one row per coin, of its newest back-test that ended by as_of(), at the venue that decides: one whose
-- feed carries every liquidation before a throttled one, then the one with the most USD. Columns and terms: as there. It stands
-- beside every map.
SELECT * EXCLUDE (venue_rank)
FROM levels_score_by_venue
WHERE venue_rank = 1
ORDER BY base
