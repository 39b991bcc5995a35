"""A query's rows as Arrow's batches: for files, and for polars."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, cast

import polars as pl
import pyarrow as pa

from warehouse.errors import QueryError
from warehouse.messages import one_line
from warehouse.query import BATCH_ROWS, Rows
from warehouse.query_errors import query_errors


class Batches(NamedTuple):
    """Rows of one schema, made as they are read: iterate once."""

    schema: pa.Schema
    batches: Iterable[pa.RecordBatch]


def batches(rows: Rows) -> Batches:
    """Return the rows in batches. Raises QueryError, also while they are read."""
    with _errors():
        reader = rows.result.to_arrow_reader(BATCH_ROWS)
    fields = [field.with_name(name) for field, name in zip(reader.schema, rows.names, strict=True)]
    return Batches(pa.schema(fields), _read(rows, reader))


def table(rows: Rows) -> pa.Table:
    """Return all rows. Raises QueryError."""
    found = batches(rows)
    return pa.Table.from_batches(list(found.batches), found.schema)


def frame(rows: Rows) -> pl.DataFrame:
    """Return all rows as a polars frame. Raises QueryError, also for a type that polars does not have."""
    found = table(rows)
    try:
        return cast(pl.DataFrame, pl.from_arrow(found))
    except (pl.exceptions.PolarsError, pa.ArrowException) as error:
        raise QueryError(f"polars does not have the type of a column; cast the column ({one_line(error)})") from error


def _read(rows: Rows, reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    with _errors():
        for batch in reader:
            rows.count += batch.num_rows
            yield batch.rename_columns(rows.names)


@contextmanager
def _errors() -> Iterator[None]:
    with query_errors():
        try:
            yield
        except (pa.ArrowException, OSError) as error:  # how pyarrow passes on an error of DuckDB's
            raise QueryError(one_line(error)) from error
