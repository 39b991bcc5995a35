-- known_coin(named): true; an error that says what may be meant where a name is a coin in another spelling, or a contract.
-- Subject: Contracts. Reads instruments. BTC is a coin; btc, BTCUSDT and BTC/USDT:USDT are not, and would find nothing. True also for
-- null, '*' and a name that is like nothing there, as a past import may have it.
(
    SELECT CASE
        WHEN bool_or(i.base = named) IS FALSE AND bool_or(upper(named) IN (upper(i.symbol), upper(i.base), upper(i.instrument)))
        THEN error(concat(
            named, ' is no coin; there is ', string_agg(DISTINCT i.base, ', ' ORDER BY i.base) FILTER (
                upper(named) IN (upper(i.symbol), upper(i.base), upper(i.instrument)))))::BOOLEAN
        ELSE true
    END
    FROM instruments AS i
)
