"""The polars types of the warehouse's tables, from their one description."""

from functools import cache

import polars as pl

from warehouse.tables import TABLES


def schema(table: str) -> dict[str, pl.DataType]:
    """Return column names and polars types of a warehouse table, in its order."""
    return dict(TABLES[table].schema)


def empty(table: str) -> pl.DataFrame:
    """Return a warehouse table without rows."""
    return _empty(table).clone()


@cache
def _empty(table: str) -> pl.DataFrame:
    return pl.DataFrame(schema=schema(table))


def as_table(found: pl.DataFrame, table: str) -> pl.DataFrame:
    """Return the columns of a warehouse table out of `found`, in the table's order and types."""
    return found.select(_columns(table))


@cache
def _columns(table: str) -> list[pl.Expr]:
    return [pl.col(name).cast(dtype) for name, dtype in schema(table).items()]
