"""What readers call: SQL in, rows out, also while a writer runs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from warehouse import allowed, lake
from warehouse.casts import Held, Kind, as_held
from warehouse.errors import QueryError
from warehouse.keeping.files import escaped
from warehouse.lake import Lake
from warehouse.query_errors import query_errors
from warehouse.worlds import reading_world as reading_world

if TYPE_CHECKING:
    import polars as pl

BATCH_ROWS = 50_000

Record = tuple[object, ...]


class Rows:
    """A query's rows, made as they are read. Read them once, before the connection's next statement.

    Here they are Python's values. `arrow.py` reads them as Arrow's batches, for files and frames. `kinds`: DuckDB's types of
    the columns, those of the query itself where some come as text. Names that come twice get a number: v, v_1.
    """

    def __init__(self, result: duckdb.DuckDBPyConnection, kinds: Sequence[Kind] = ()) -> None:
        told = result.description or []
        self.result = result
        self.names = _distinct([column[0] for column in told])
        self.kinds = list(kinds) or [column[1] for column in told]
        self.count = 0
        """The rows that came by now."""

    def records(self, at_once: int = BATCH_ROWS) -> Iterator[list[Record]]:
        """Yield the rows, so many at once. Raises QueryError where the query fails on the way."""
        with query_errors():
            while found := self.result.fetchmany(at_once):
                self.count += len(found)
                yield found

    def frame(self) -> pl.DataFrame:
        """Return all rows as a polars frame. Raises QueryError, also for a type that polars does not have."""
        from warehouse.arrow import frame  # a table needs neither polars nor pyarrow

        return frame(self)


def query(sql: str, world: Path | None = None, parameters: Mapping[str, Any] | None = None) -> pl.DataFrame:
    """Run `sql` in the warehouse of `world` (None: as `worlds.py` says) and return its rows. `$name` takes `parameters`.

    Bare `FROM liquidation_totals` works, as do several statements: the last one's rows are returned.
    Raises QueryError for SQL that fails or would write, NoWarehouseError where there is no warehouse.
    """
    with lake.open(world or reading_world()[0]) as warehouse:
        return run(warehouse, sql, parameters).frame()


def run(
    warehouse: Lake,
    sql: str,
    parameters: Mapping[str, Any] | None = None,
    held: Held | None = None,
    known: Mapping[str, str] | None = None,
) -> Rows:
    """Run `sql` on an open warehouse and return its rows, streamed; of several statements those of the last.

    `held`: the types that are to come as text, as whoever takes the rows cannot hold them. `known`: the columns' names and
    DuckDB's types, where these are known. Raises QueryError, also for what
    a locked reader does not run.
    """
    connection = warehouse.connection
    with query_errors(warehouse.place.folder):
        if warehouse.locked:
            files = warehouse.place.files
            allowed.check(connection, sql, allowed.FUNCTIONS - (allowed.LISTING if escaped(files) != files else set()))
        statements = connection.extract_statements(sql)
        if not statements:  # empty, or nothing but comments
            raise QueryError("there is no statement to run")
        query, kinds = sql, list[Kind]()
        if held and statements[-1].type.name == "SELECT" and statements[-1].query:
            for statement in statements[:-1]:
                connection.execute(statement)
            query, kinds = as_held(connection, statements[-1].query, parameters, *held, known)
        return Rows(connection.execute(query, dict(parameters) if parameters else None), kinds)


def _distinct(names: list[str]) -> list[str]:
    given: list[str] = []
    for name in names:
        tries = itertools.chain([name], (f"{name}_{number}" for number in itertools.count(1)))
        given.append(next(each for each in tries if each not in given))
    return given
