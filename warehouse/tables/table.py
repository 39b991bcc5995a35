"""How a table is described: DDL, migrations, writer and documentation all read it from here."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import polars as pl


class Column(NamedTuple):
    """A column: DuckDB type, meaning, unit, where the value is from, and when it is null (empty: never).

    `made_of`: SQL of the row's other columns that gives its value in rows that were stored before there was the column.
    `when_added`: a statement that is run once, where the column is added to a table that is stored already.
    """

    name: str
    type: str
    meaning: str
    unit: str = ""
    source: str = ""
    null_when: str = ""
    made_of: str = ""
    when_added: str = ""


class Touches(NamedTuple):
    """Which bars a row of a table changes. `bars`: which kind of `tables.rollups.UNITS`, empty: any that waits for a contract.
    `by`: a time, or the columns of a contract. `reach`: so long after its time a row still counts; at most the kind's unit."""

    bars: str
    by: tuple[str, ...]
    reach: timedelta = timedelta(0)


class Table(NamedTuple):
    """A table. `partition`: DuckLake partition expressions; `sort`: the order inside files; `grain`: what a row is.

    `append_only`: only `writer.rewrite` deletes rows, and inserts what the current parser reads from the same frames; and a
    later value of the same bucket (`grid_key`) replaces the earlier one. Otherwise the table may be replaced in part. `key`:
    the columns that identify a row; rows that repeat a stored key are not written again. A row that is null in a key column
    described with `null_when` has no key, as in SQL's UNIQUE, and is always written. `key_time`: the TIMESTAMP column that
    narrows the search for stored keys; in rows with the same key it is equal, or at most `key_slack` apart. `grid_key`: as
    `key`, for the last values of buckets: of rows with the same key the one that happened last stays, so a bucket may be
    stored in any number of parts; its last column is the bucket's time. `touches`: which bars a row changes; `pending.py`.
    `completed`: columns that may be null in the first row of a key; a later row that has more of them, and lacks none that the
    first has, replaces it.
    `zstd_level`: the compression level of its files; `zstd_joined`: that of merged files, 0: the same.
    """

    name: str
    grain: str
    columns: tuple[Column, ...]
    partition: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    append_only: bool = True
    key: tuple[str, ...] = ()
    key_time: str = ""
    key_slack: timedelta = timedelta(0)
    grid_key: tuple[str, ...] = ()
    touches: Touches | None = None
    completed: tuple[str, ...] = ()
    zstd_level: int = 3
    zstd_joined: int = 0

    def column(self, name: str) -> Column:
        """The column called `name`. Raises KeyError where there is none."""
        return {column.name: column for column in self.columns}[name]

    @property
    def rolled_by(self) -> tuple[str, ...]:
        """The columns that say which bars a row changes."""
        return self.touches.by if self.touches else ()

    @property
    def types(self) -> dict[str, str]:
        """Column names and their DuckDB types, in the table's order."""
        return {column.name: column.type for column in self.columns}

    @property
    def schema(self) -> pl.Schema:
        """The polars schema of a frame of this table's rows; `writer.append` takes exactly these columns."""
        from warehouse.frames import schema  # who only queries needs no polars

        return schema(self.types)


def by_day(column: str) -> tuple[str, ...]:
    """Partition expressions for one set of files a day of `column`; DuckLake's day() alone is the day of the month."""
    return (f"year({column})", f"month({column})", f"day({column})")


def by_month(column: str) -> tuple[str, ...]:
    """Partition expressions for one set of files a month of `column`."""
    return (f"year({column})", f"month({column})")
