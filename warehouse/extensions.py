"""DuckDB's extensions, as they come with their packages: nothing is fetched."""

from collections.abc import Iterable
from importlib.metadata import version
from importlib.resources import files
from typing import Any

import duckdb

UNTIL_LOADED: dict[str, Any] = {"allow_unsigned_extensions": True}
"""The setting of a connection that `load` is given: signatures are not checked."""


def load(connection: duckdb.DuckDBPyConnection, names: Iterable[str]) -> None:
    """Load the installed packages of these extensions, and nothing unsigned from then on. Raises duckdb.Error.

    Their signatures need no check, as the lock has the packages' hashes: to check two of them takes DuckDB 0.3 s.
    """
    for name in names:
        connection.execute(f"LOAD '{extension(name)}'")
    connection.execute("SET allow_unsigned_extensions = false")


def extension(name: str) -> str:
    """Return the path of one of DuckDB's extensions, as it came with its package."""
    return str(files(f"duckdb_extension_{name}").joinpath(f"extensions/v{version('duckdb')}/{name}.duckdb_extension"))
