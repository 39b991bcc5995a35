"""What is exported: a table or view, its columns, and the time by which its rows are put into days."""

import re
from typing import NamedTuple

from warehouse.lake import Lake
from warehouse.spelling import resolve
from warehouse.tables import TABLES

TIMES = ("ts", "ts_event", "ts_start", "bin_start", "minute", "hour", "day", "bar")
"""Columns that are the time of a row where nothing else says so: the first of them that it has."""
KINDS = ("TIMESTAMP", "DATE")
_PARTITION = re.compile(r"year\((\w+)\)")
_NAMES = """
    SELECT table_name AS name, 'table' AS kind FROM duckdb_tables() WHERE database_name = 'lake'
    UNION ALL SELECT view_name, 'view' FROM duckdb_views() WHERE database_name = 'lake'
    ORDER BY name
"""


class Relation(NamedTuple):
    """A table or view. `columns`: name and DuckDB type; `time`: the column that puts a row into a day, empty: none does."""

    name: str
    kind: str
    columns: dict[str, str]
    time: str


def relation(lake: Lake, given: str) -> Relation:
    """Return the table or view that is meant. Raises UnknownNameError with the nearest names."""
    kinds = dict(lake.connection.execute(_NAMES).fetchall())
    name = resolve(given, list(kinds), "table or view")
    rows = lake.connection.execute(f'DESCRIBE FROM "{name}"').fetchall()
    columns = {row[0]: row[1] for row in rows}
    return Relation(name, kinds[name], columns, _time(name, columns))


def first_time(columns: dict[str, str]) -> str:
    """Return the column that is the time of a row, empty where there is none."""
    return next((name for name in TIMES if columns.get(name) in KINDS), "")


def _time(name: str, columns: dict[str, str]) -> str:
    """Return the time by which a table's own files are divided, or sorted; else the usual one."""
    if table := TABLES.get(name):
        for each in table.partition[:1]:
            if found := _PARTITION.fullmatch(each):
                return found[1]
        if table.sort and columns.get(table.sort[0]) in KINDS:
            return table.sort[0]
    return first_time(columns)
