"""What Python readers call: SQL in, polars or Arrow out, beside any writer."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import duckdb
import polars as pl
import pyarrow as pa

from warehouse import lake
from warehouse.errors import QueryError
from warehouse.lake import Lake, one_line
from warehouse.settings import WarehouseSettings

BATCH_ROWS = 50_000


class Rows:
    """A query's rows as Arrow batches, made as they are read. Iterate once, before the connection's next statement."""

    def __init__(self, reader: pa.RecordBatchReader) -> None:
        self.schema: pa.Schema = reader.schema
        self._reader = reader

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Yield the batches. Raises QueryError where the query fails on the way."""
        try:
            yield from self._reader
        except (pa.ArrowException, OSError) as error:  # how pyarrow passes on an error of DuckDB's
            raise QueryError(one_line(error)) from error

    def frame(self) -> pl.DataFrame:
        """Return all rows as a polars frame."""
        return cast(pl.DataFrame, pl.from_arrow(pa.Table.from_batches(list(self), self.schema)))


def query(sql: str, world: Path | None = None, parameters: Mapping[str, Any] | None = None) -> pl.DataFrame:
    """Run `sql` in the warehouse of `world` (LIQ_DATA where None) and return its rows. `$name` takes `parameters`.

    Bare `FROM liquidation_totals` works, as do several statements: the last one's rows are returned.
    Raises QueryError for SQL that fails or would write, NoWarehouseError where there is no warehouse.
    """
    with lake.open(world) as warehouse:
        return run(warehouse, sql, parameters).frame()


def run(warehouse: Lake, sql: str, parameters: Mapping[str, Any] | None = None) -> Rows:
    """Run `sql` on an open warehouse and return its rows, streamed. Raises QueryError."""
    with query_errors():
        result = warehouse.connection.execute(sql, dict(parameters) if parameters else None)
        if result is None:  # empty, or nothing but comments
            raise QueryError("there is no statement to run")
        return Rows(result.to_arrow_reader(BATCH_ROWS))


@contextmanager
def query_errors() -> Iterator[None]:
    """Turn DuckDB's errors in the block into a QueryError of one line."""
    try:
        yield
    except duckdb.Error as error:
        text = one_line(error)
        raise QueryError(f"the warehouse is only read here: {text}" if "read-only mode" in text else text) from error


def reading_world() -> tuple[Path, str]:
    """Return the world to read, and a note where the choice should be told.

    LIQ_DATA if set, or whatever LIQ_CATALOGUE names; else data/live if it has a warehouse; else data/demo.
    """
    if os.environ.get("LIQ_DATA") or os.environ.get("LIQ_CATALOGUE"):
        return WarehouseSettings().world(None), ""
    live, demo = Path("data/live").absolute(), Path("data/demo").absolute()
    if lake.exists(live) or not lake.exists(demo):
        return live, ""
    return demo, f"reading {demo}, as {live} has no warehouse; LIQ_DATA chooses another"
