"""DuckDB's errors in a query, as one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from warehouse.errors import QueryError
from warehouse.messages import one_line


@contextmanager
def query_errors(folder: Path | None = None) -> Iterator[None]:
    """Turn DuckDB's errors in the block into a QueryError of one line; `folder`: the lake's, should the disk be full."""
    try:
        yield
    except duckdb.Error as error:
        text = one_line(error, folder)
        raise QueryError(
            f"this command only reads the warehouse: {text}" if "read-only mode" in text else text
        ) from error
