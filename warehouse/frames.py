"""Polars frames into DuckDB and rows out of it as frames, by Arrow's C interface: pyarrow is not needed for either."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb
import polars as pl

TYPES: dict[str, pl.DataType] = {
    "VARCHAR": pl.String(),
    "TIMESTAMP": pl.Datetime("us"),
    "DOUBLE": pl.Float64(),
    "INTEGER": pl.Int32(),
    "BIGINT": pl.Int64(),
    "UBIGINT": pl.UInt64(),
    "BOOLEAN": pl.Boolean(),
    "BLOB": pl.Binary(),
    "BIGINT[]": pl.List(pl.Int64()),
    "TIMESTAMP[]": pl.List(pl.Datetime("us")),
}
"""The types of our tables' columns in DuckDB, and in polars."""


def schema(types: Mapping[str, str]) -> pl.Schema:
    """Return the polars schema of columns, given their DuckDB types."""
    return pl.Schema({name: TYPES[kind] for name, kind in types.items()})


class _Stream:
    """What DuckDB reads of a frame; of a frame itself it would ask for a table of pyarrow's."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._frame.__arrow_c_stream__(requested_schema)


@contextmanager
def registered(connection: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> Iterator[None]:
    """Let SQL read `frame` as the table `name` while the block runs."""
    connection.register(name, _Stream(frame))
    try:
        yield
    finally:
        connection.unregister(name)


def read(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: Mapping[str, Any] | Sequence[Any] | None = None
) -> pl.DataFrame:
    """Return the rows of one SELECT, with the types that DuckDB's own conversion to polars gives. Raises duckdb.Error."""
    return pl.DataFrame(connection.sql(query, params=parameters))
