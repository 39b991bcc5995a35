-- feed_coverage_sane: shares are fractions, gaps and states have a reason, and a channel has one row a minute
-- Failure. Table feed_coverage. Grain: one row.
SELECT minute, venue, channel, transport, connected_share, gap_reason, state, state_reason, saturated_seconds, contract_seconds FROM feed_coverage
WHERE minute >= $since AND minute < $until
QUALIFY connected_share NOT BETWEEN 0 AND 1 OR (connected_share < 1) <> (gap_reason IS NOT NULL)
    OR state NOT IN ('LIVE', 'SUSPECT', 'SILENT') OR (state <> 'LIVE') <> (state_reason IS NOT NULL)
    OR (connected_share = 0 AND state <> 'SILENT') OR (NOT carries_liquidations AND state IS NOT NULL)
    OR saturated_seconds > contract_seconds OR contract_seconds > rows
    OR count(*) OVER (PARTITION BY minute, venue, channel, transport) > 1
