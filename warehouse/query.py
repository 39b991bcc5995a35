"""What readers call: SQL in, polars or Arrow out, beside any writer."""

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import polars as pl
import pyarrow as pa

from warehouse import allowed, lake
from warehouse.casts import as_held
from warehouse.errors import QueryError
from warehouse.keeping.files import escaped
from warehouse.lake import Lake
from warehouse.messages import one_line
from warehouse.query_errors import query_errors
from warehouse.worlds import reading_world as reading_world

BATCH_ROWS = 50_000

Held = tuple[frozenset[str], frozenset[str]]
"""DuckDB's ids of the types that come as text, of whole columns and inside lists and structs."""


class Rows:
    """A query's rows as Arrow batches, made as they are read. Iterate once, before the connection's next statement.

    Names that come twice get a number: v, v_1.
    """

    def __init__(self, reader: pa.RecordBatchReader) -> None:
        self._names = _distinct(reader.schema.names)
        self.schema = pa.schema([field.with_name(name) for field, name in zip(reader.schema, self._names, strict=True)])
        self._reader = reader
        self.count = 0
        """The rows that came by now."""

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Yield the batches. Raises QueryError where the query fails on the way."""
        with _arrow_errors():
            for batch in self._reader:
                self.count += batch.num_rows
                yield batch.rename_columns(self._names)

    def frame(self) -> pl.DataFrame:
        """Return all rows as a polars frame. Raises QueryError, also for a type that polars does not have."""
        table = pa.Table.from_batches(list(self), self.schema)
        try:
            return cast(pl.DataFrame, pl.from_arrow(table))
        except (pl.exceptions.PolarsError, pa.ArrowException) as error:
            raise QueryError(f"a column has a type that polars has not, cast it ({one_line(error)})") from error


def query(sql: str, world: Path | None = None, parameters: Mapping[str, Any] | None = None) -> pl.DataFrame:
    """Run `sql` in the warehouse of `world` (None: as `worlds.py` says) and return its rows. `$name` takes `parameters`.

    Bare `FROM liquidation_totals` works, as do several statements: the last one's rows are returned.
    Raises QueryError for SQL that fails or would write, NoWarehouseError where there is no warehouse.
    """
    with lake.open(world or reading_world()[0]) as warehouse:
        return run(warehouse, sql, parameters).frame()


def run(warehouse: Lake, sql: str, parameters: Mapping[str, Any] | None = None, held: Held | None = None) -> Rows:
    """Run `sql` on an open warehouse and return its rows, streamed; of several statements those of the last.

    `held`: the types that are to come as text, as whoever takes the rows cannot hold them. Raises QueryError, also for what
    a locked reader does not run.
    """
    connection = warehouse.connection
    with _arrow_errors(warehouse.place.folder):
        if warehouse.locked:
            files = warehouse.place.files
            allowed.check(connection, sql, allowed.FUNCTIONS - (allowed.LISTING if escaped(files) != files else set()))
        statements = connection.extract_statements(sql)
        if not statements:  # empty, or nothing but comments
            raise QueryError("there is no statement to run")
        query = sql
        if held and statements[-1].type.name == "SELECT" and statements[-1].query:
            for statement in statements[:-1]:
                connection.execute(statement)
            query = as_held(connection, statements[-1].query, parameters, *held)
        result = connection.execute(query, dict(parameters) if parameters else None)
        return Rows(result.to_arrow_reader(BATCH_ROWS))


@contextmanager
def _arrow_errors(folder: Path | None = None) -> Iterator[None]:
    with query_errors(folder):
        try:
            yield
        except (pa.ArrowException, OSError) as error:  # how pyarrow passes on an error of DuckDB's
            raise QueryError(one_line(error, folder)) from error


def _distinct(names: list[str]) -> list[str]:
    given: list[str] = []
    for name in names:
        tries = itertools.chain([name], (f"{name}_{number}" for number in itertools.count(1)))
        given.append(next(each for each in tries if each not in given))
    return given
