"""Positions of accounts to the table `account_positions`."""

import polars as pl

from pipelines.columns.contracts.instruments import Instruments
from pipelines.columns.schemas import as_table, empty
from pipelines.columns.shared import facts_frame, finite, time, with_contracts
from pipelines.facts import AccountPosition
from pipelines.reading.parse import Parsed


def account_positions(parsed: Parsed, instruments: Instruments) -> pl.DataFrame:
    """Return the rows of table `account_positions`: sizes in coins, prices per coin."""
    if not (facts := parsed.facts.get(AccountPosition)):
        return empty("account_positions")
    found = with_contracts(facts_frame(facts, parsed.frames), instruments)
    prices = [finite(pl.col(name) / pl.col("multiplier")).alias(name) for name in ("entry_price", "liquidation_price")]
    coins = pl.when(pl.col("position_side").is_null()).then(0.0).otherwise(pl.col("qty") * pl.col("multiplier"))
    dollars = pl.when("in_dollars").then("usd")
    found = found.with_columns(*prices, qty_base=finite(coins), notional_usd=dollars, ts_event=time("ts_event"))
    return as_table(found, "account_positions")
