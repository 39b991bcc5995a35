"""Liquidation price as a multiple of the entry price, for every contract, side and leverage at once."""

import math
from datetime import datetime

import polars as pl

from pipelines.derive.levels.parameters import Parameters


def factor(leverage: float, mmr: float, *, long: bool, inverse: bool = False) -> float | None:
    """Liquidation price / entry price of an isolated position; None where there is none.

    Linear: E(1 - d/L) / (1 - d*MMR). Inverse, maintenance margin at the liquidation price: E(1 + d*MMR) / (1 + d/L); an
    inverse short of leverage 1 is never liquidated. None too where MMR >= 1/L (it would be liquidated at once).
    Source: formulas.md §1.1, §1.2. Raises ValueError for a leverage below 1 or a rate outside [0, 1).
    """
    if leverage < 1 or not 0 <= mmr < 1:
        raise ValueError(f"no such position: leverage {leverage}, maintenance margin rate {mmr}")
    d = 1 if long else -1
    if mmr >= 1 / leverage:
        return None
    if not inverse:
        found = (1 - d / leverage) / (1 - d * mmr)
        return found if found > 0 else None  # a long of leverage 1 has nothing below
    return (1 + d * mmr) / (1 + d / leverage) if leverage > 1 or long else None


def column(leverage: float, *, long: bool) -> str:
    """The column of `margins` with the shift of this leverage and side."""
    return f"{'long' if long else 'short'}_{leverage:g}"


def margins(contracts: pl.DataFrame, tiers: pl.DataFrame, at: datetime, parameters: Parameters) -> pl.DataFrame:
    """How many bins beyond its entry a position's liquidation price lies, as of `at`.

    In: contracts (contract, venue, symbol, family, inverse, log_width) and the rows of `leverage_tiers_as_of`. Sizes of
    positions are not known, so the lowest step's rate is taken, and leverages up to the contract's highest; without a table
    the parameters' rate and highest leverage. Out: contract, mmr, and a column a side and leverage (`column`), null where
    such a position cannot be.
    """
    valid = (pl.col("valid_from") <= at) & (pl.col("valid_to").is_null() | (pl.col("valid_to") > at))
    lowest = (
        tiers.filter(valid)
        .sort("tier")
        .group_by("venue", "symbol")
        .agg(mmr=pl.col("maintenance_margin_rate").first(), highest=pl.col("max_leverage").max())
    )
    found = contracts.select("contract", "venue", "symbol", "family", "inverse", "log_width")
    found = found.join(lowest, on=["venue", "symbol"], how="left").join(
        lowest, left_on=["venue", "family"], right_on=["venue", "symbol"], how="left", suffix="_family"
    )
    found = found.with_columns(
        mmr=pl.coalesce("mmr", "mmr_family", pl.lit(parameters.mmr)),
        highest=pl.coalesce("highest", "highest_family", pl.lit(parameters.max_leverage)),
    )
    rows = [_shifts(row, parameters) for row in found.iter_rows(named=True)]
    names = [column(leverage, long=long) for long in (True, False) for leverage in parameters.leverages]
    return pl.DataFrame(
        rows, schema={"contract": pl.UInt32, "mmr": pl.Float64, **dict.fromkeys(names, pl.Float64)}, orient="row"
    )


def _shifts(row: dict[str, object], parameters: Parameters) -> tuple[object, ...]:
    mmr, highest, log_width = float(row["mmr"]), float(row["highest"]), float(row["log_width"])  # type: ignore[arg-type]
    shifts = []
    for long in (True, False):
        for leverage in parameters.leverages:
            found = None
            if leverage <= highest and 0 <= mmr < 1:
                found = factor(leverage, mmr, long=long, inverse=bool(row["inverse"]))
            shifts.append(None if found is None else math.log(found) / log_width)
    return (row["contract"], mmr, *shifts)
