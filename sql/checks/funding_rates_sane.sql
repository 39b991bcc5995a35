-- funding_rates_sane: a funding rate is a fraction below a tenth, for a known interval of a day at most
-- Warning. Table funding_rates. Grain: one row.
SELECT venue, symbol, ts_event, funding_rate, interval_hours FROM funding_rates
WHERE ts >= $since AND ts < $until
    AND (NOT isfinite(funding_rate) OR abs(funding_rate) > 0.1 OR interval_hours <= 0 OR interval_hours > 24)
