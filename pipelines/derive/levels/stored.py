"""The state between runs, in `levels_state`: written at full hours, read by the next run."""

from datetime import datetime
from typing import cast

import polars as pl

from pipelines.derive.levels.model import CARRY, CELLS, State
from pipelines.derive.levels.parameters import Parameters
from pipelines.derive.levels.touched import TOUCHED
from warehouse.lake import Lake
from warehouse.tables import TABLES
from warehouse.writer import replace


def load(lake: Lake, listed: pl.DataFrame, parameters: Parameters) -> tuple[State, datetime] | None:
    """Return the stored state, with contracts numbered as in `listed`, and its instant; None where there is none, or where
    it was made with other parameters."""
    query = "SELECT * FROM levels_state WHERE parameters = $version"
    rows = cast(
        pl.DataFrame, pl.from_arrow(lake.connection.execute(query, {"version": parameters.version}).to_arrow_table())
    )
    if rows.is_empty():
        return None
    numbered = rows.join(listed.select("contract", "venue", "symbol"), on=["venue", "symbol"])
    in_bin, is_cell = pl.col("bin").is_not_null(), pl.col("leverage").is_not_null()
    cells = numbered.filter(is_cell).select(CELLS.names()).sort("contract", "long", "leverage", "bin")
    carry = numbered.filter(~in_bin).select(CARRY.names()).sort("contract")
    seen = numbered.filter(in_bin & ~is_cell).select(TOUCHED.names()).sort("contract", "bin")
    return State(cells, carry, seen), cast(datetime, rows["until"].max())


def save(lake: Lake, state: State, listed: pl.DataFrame, until: datetime, parameters: Parameters) -> int:
    """Store the state in place of the one stored before; return its rows."""
    carry = state.carry.with_columns(bin=pl.lit(None, pl.Int32))
    both = pl.concat([carry, state.cells, state.touched], how="diagonal")
    named = both.join(listed.select("contract", "venue", "symbol"), on="contract")
    rows = named.with_columns(until=pl.lit(until, pl.Datetime("us")), parameters=pl.lit(parameters.version))
    table = TABLES["levels_state"]
    return replace(lake, table.name, rows.select(table.schema.names()).sort(table.sort), "true")[1]
