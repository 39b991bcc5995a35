-- instruments_sane: a contract has a positive size and multiplier, and one description at a time
-- Failure. Table instruments. All of them, not of the time only. Grain: one description.
SELECT venue, symbol, valid_from, contract_size, multiplier, count(*) OVER same AS descriptions FROM instruments
WINDOW same AS (PARTITION BY venue, symbol, valid_from)
QUALIFY contract_size <= 0 OR multiplier < 1 OR descriptions > 1
