"""Facts to the columns of the warehouse's tables: coins, dollars, keys, and why something is null."""
