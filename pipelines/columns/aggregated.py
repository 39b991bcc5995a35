"""What vendors summed up to the table `liquidations_aggregated`."""

import polars as pl

from pipelines.columns.contracts.instruments import Instruments
from pipelines.columns.schemas import as_table, empty
from pipelines.columns.shared import facts_frame, time, with_contracts
from pipelines.facts import AggregatedLiquidations
from pipelines.reading.parse import Parsed


def aggregated(parsed: Parsed, instruments: Instruments) -> pl.DataFrame:
    """Return the rows of table `liquidations_aggregated`: each side in USD or in coins, as the vendor gave it."""
    if not (facts := parsed.facts.get(AggregatedLiquidations)):
        return empty("liquidations_aggregated")
    found = with_contracts(facts_frame(facts, parsed.frames), instruments)
    amounts = [
        pl.when(pl.col("unit") == unit).then(side).alias(f"{side}_{unit}")
        for side in ("long", "short")
        for unit in ("usd", "base")
    ]
    return as_table(found.with_columns(*amounts, ts_event=time("ts_event")), "liquidations_aggregated")
