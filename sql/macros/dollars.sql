-- dollars(): the currencies counted as one US dollar each, as a list: list_contains(dollars(), quote).
-- This is a choice, not a measurement: if a stablecoin loses its peg, amounts in it are wrong by as much. The parsers' list
-- (pipelines/venues/symbols.py) is the same; a test compares the two.
['USD', 'USDT', 'USDC', 'BUSD', 'FDUSD', 'TUSD', 'USDP', 'PAX', 'DAI', 'USDE', 'USDS', 'USD1', 'RLUSD', 'PYUSD', 'USDG']
