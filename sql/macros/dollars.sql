-- dollars(): the currencies counted as one US dollar each, as a list: list_contains(dollars(), quote).
-- A choice, not a measurement: while a stablecoin is off its peg, amounts in it are off by as much. The parsers'
-- list (pipelines/venues/symbols.py) is the same; a test holds the two together.
['USD', 'USDT', 'USDC', 'BUSD', 'FDUSD', 'TUSD', 'USDP', 'PAX', 'DAI', 'USDE', 'USDS', 'USD1', 'RLUSD', 'PYUSD', 'USDG']
