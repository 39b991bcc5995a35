-- known_coin(named): true, or an error that suggests the right name if a name is a coin in another spelling, or a contract.
-- Subject: Contracts. Reads instruments. BTC is a coin; btc, BTCUSDT and BTC/USDT:USDT are not, and a query for them would find
-- nothing. Also true for null, '*' and a name that resembles nothing in instruments, because an import of past data may have it.
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
