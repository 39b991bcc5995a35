-- funding_settlements_sane: a settlement has a fraction below a tenth, an interval of whole hours, and a time on the minute
-- Warning. Table funding_settlements. Grain: one settlement.
SELECT venue, symbol, ts_event, funding_rate, interval_hours FROM funding_settlements
WHERE ts_event >= $since AND ts_event < $until
    AND (NOT isfinite(funding_rate) OR abs(funding_rate) > 0.1 OR interval_hours <= 0 OR interval_hours > 24
        OR interval_hours <> round(interval_hours) OR ts_event <> date_trunc('minute', ts_event))
