"""Whether rows that others have committed meanwhile have a key of a batch: then only one of both may be stored."""

from collections.abc import Mapping

import duckdb
import polars as pl

from warehouse.frames import read
from warehouse.place import quoted
from warehouse.tables import Table


def clash(
    connection: duckdb.DuckDBPyConnection,
    files: Mapping[str, list[str]],
    frames: Mapping[str, pl.DataFrame],
    known: Mapping[str, Table],
) -> bool:
    """Tell whether a row in the files has a key, or is of a bucket, that a row of `frames` has or is of."""
    for name, paths in files.items():
        frame = frames.get(name)
        if frame is None:
            continue
        for key in filter(None, {known[name].key, known[name].grid_key}):
            columns, those = ", ".join(f'"{column}"' for column in key), ", ".join(map(quoted, paths))
            stored = read(connection, f"SELECT {columns} FROM read_parquet([{those}])")
            if not frame.select(key).join(stored, on=key, how="semi").is_empty():
                return True
    return False
