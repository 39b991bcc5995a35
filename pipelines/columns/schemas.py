"""The polars types of the warehouse's tables, from their one description."""

from functools import cache

import polars as pl

from warehouse.tables import TABLES

_POLARS: dict[str, pl.DataType] = {
    "VARCHAR": pl.String(), "DOUBLE": pl.Float64(), "BIGINT": pl.Int64(), "INTEGER": pl.Int32(), "UBIGINT": pl.UInt64(),
    "BOOLEAN": pl.Boolean(), "BLOB": pl.Binary(), "TIMESTAMP": pl.Datetime("us"),
}  # fmt: skip


def schema(table: str) -> dict[str, pl.DataType]:
    """Return column names and polars types of a warehouse table, in its order."""
    return {column.name: _POLARS[column.type] for column in TABLES[table].columns}


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
