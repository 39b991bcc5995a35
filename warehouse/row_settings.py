"""The settings that stored rows depend on, in schema_history: the value of each, and since when.

Rows that were made with different settings do not fit together, so code that makes rows reads the settings here first.
"""

from datetime import datetime
from typing import NamedTuple

import duckdb

from warehouse.lake import Lake
from warehouse.tables.history import SCHEMA_HISTORY


class Since(NamedTuple):
    """A setting's value, and since when it holds: UTC without a zone."""

    at: datetime
    value: str


def stored(connection: duckdb.DuckDBPyConnection, name: str) -> list[Since]:
    """Return every value that a setting has had, oldest first; none where nothing was ever written. Raises duckdb.Error."""
    query = f"SELECT ts, digest FROM {SCHEMA_HISTORY.name} WHERE object = ? ORDER BY version, ts"
    return [Since(*row) for row in connection.execute(query, [_object(name)]).fetchall()]


def store(lake: Lake, name: str, value: str) -> None:
    """Write down that rows are made with this value from now on. Raises WarehouseError."""
    with lake.transaction() as connection:
        connection.execute(
            f"INSERT INTO {SCHEMA_HISTORY.name} SELECT now() AT TIME ZONE 'UTC', coalesce(max(version), 0) + 1, ?, ?, ? "
            f"FROM {SCHEMA_HISTORY.name}",
            [_object(name), f"set to {value}", value],
        )


def _object(name: str) -> str:
    return f"setting {name}"
