"""Describes what is in the warehouse: for `liq schema`, the shell, and documentation."""

import polars as pl
from rich.table import Table
from rich.text import Text

from warehouse.errors import QueryError
from warehouse.lake import Lake, quoted
from warehouse.query import run
from warehouse.spelling import resolve
from warehouse.statements import statements
from warehouse.tables import TABLES


def objects() -> pl.DataFrame:
    """Return one row per table, view and macro: kind, name, what a row is or what it shows."""
    rows = [("table", table.name, table.grain) for table in TABLES.values()]
    rows += [(found.kind, found.name, found.purpose) for found in sorted(statements(), key=lambda found: found.name)]
    return pl.DataFrame(rows, schema=["kind", "name", "holds"], orient="row")


def columns(name: str, warehouse: Lake | None = None) -> pl.DataFrame:
    """Return one row per column of the table or view `name`: name, type, unit, meaning, source, null when.

    A table's are as described; a view's come from `warehouse`. Raises UnknownNameError, QueryError for a view
    without a warehouse that has it.
    """
    name = thing(name, macros=False)
    if name in TABLES:
        rows = [
            (column.name, column.type, column.unit, column.meaning, column.source, column.null_when or "never")
            for column in TABLES[name].columns
        ]
        return pl.DataFrame(rows, schema=["column", "type", "unit", "meaning", "source", "null_when"], orient="row")
    if warehouse is None:
        raise QueryError(f"{name} is a view: without a warehouse its columns are not known")
    found = run(warehouse, f"SELECT column_name AS \"column\", data_type AS type FROM duckdb_columns() "
                f"WHERE database_name = 'lake' AND table_name = {quoted(name)} ORDER BY column_index").frame()  # fmt: skip
    if found.is_empty():
        raise QueryError(
            f"this warehouse has no {name} yet: what writes to it brings it up to date, such as `liq maintain`"
        )
    return found


def thing(given: str, *, macros: bool = True) -> str:
    """Return the table, view or macro (only with `macros`) that a name means. Raises UnknownNameError."""
    found = [one.name for one in statements() if macros or one.kind == "view"]
    return resolve(given, [*TABLES, *found], "table, view or macro" if macros else "table or view")


def markdown(frame: pl.DataFrame) -> str:
    """Return the frame as a Markdown table."""
    lines = [" | ".join(frame.columns), " | ".join("---" for _ in frame.columns)]
    lines += [" | ".join(str(value).replace("|", "\\|") for value in row) for row in frame.iter_rows()]
    return "\n".join(f"| {line} |" for line in lines)


def objects_table() -> Table:
    """Return `objects` for a terminal."""
    return _rich(objects())


def columns_table(name: str, warehouse: Lake | None = None) -> Table:
    """Return `columns` for a terminal. Raises QueryError."""
    return _rich(columns(name, warehouse))


def _rich(frame: pl.DataFrame) -> Table:
    table = Table(show_edge=False, header_style="bold")
    for name in frame.columns:
        table.add_column(name, overflow="fold")
    for row in frame.iter_rows():
        table.add_row(*(Text(str(value)) for value in row))
    return table
