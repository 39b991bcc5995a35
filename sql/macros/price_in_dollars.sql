-- price_in_dollars(quote): whether a price in this currency counts as one in US dollars, as every stablecoin here does.
-- The list is that of pipelines/venues/symbols.py (DOLLARS); null where the currency is not known.
quote IN ('USD', 'USDT', 'USDC', 'BUSD', 'FDUSD', 'TUSD', 'USDP', 'PAX', 'DAI', 'USDE', 'USDS', 'USD1', 'RLUSD', 'PYUSD', 'USDG')
