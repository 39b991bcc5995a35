"""DuckDB's types that Arrow, Python or a format does not have: DuckDB's own text of the value is written instead."""

from collections.abc import Mapping
from typing import Any

import duckdb
from duckdb.sqltypes import DuckDBPyType

Kind = DuckDBPyType
Held = tuple[frozenset[str], frozenset[str]]
"""DuckDB's ids of the types that come as text, of whole columns and inside lists and structs."""

ARROW = frozenset(["uhugeint", "variant", "bit", "bignum", "geometry", "time with time zone", "time_ns"])
"""Arrow has no such type, or loses a part of the value: the zone, or all beyond 38 digits."""
PARQUET = ARROW | {"interval", "union"}
"""pyarrow writes no such column to Parquet."""
TEXT = PARQUET
"""As for Parquet: polars, which writes csv and json, has no such type."""
TIMES = frozenset(["timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns", "timestamp with time zone"])
NESTED_TEXT = TEXT | TIMES | {"blob", "date", "time"}
"""And inside lists and structs what polars cannot write whatever the value: bytes, and times beyond the year 9999."""
TABLE = TEXT | TIMES | {"date"}
"""Python has no infinity and no year beyond 9999 for them: DuckDB gives the last day instead."""


def as_held(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    parameters: Mapping[str, Any] | None,
    odd: frozenset[str],
    nested: frozenset[str],
    known: Mapping[str, str] | None = None,
) -> tuple[str, list[Kind]]:
    """Return `query` with each column of a type that is not held cast to text, the query itself where all are held; and the
    types of its columns before that.

    `odd`: DuckDB's ids of the types to cast; `nested`: inside lists, structs and maps. `known`: names and types of the columns
    where they are known; else the query is planned an additional time for them. Raises duckdb.Error where it cannot be bound.
    """
    text = query.rstrip().rstrip(";")
    columns = list(known.items()) if known else _columns(connection, text, dict(parameters) if parameters else None)
    kinds = [duckdb.sqltype(column[1]) for column in columns]
    casts = [_held(kind, odd, nested) for kind in kinds]
    if not any(casts):
        return query, kinds
    names = [f"c{number}" for number in range(len(columns))]
    selected = ", ".join(
        f"{name}{f'::{cast}' if cast else ''} AS {_name(column[0])}"
        for name, cast, column in zip(names, casts, columns, strict=True)
    )
    return f"SELECT {selected} FROM ({text}\n) AS liq_rows({', '.join(names)})", kinds


def _columns(
    connection: duckdb.DuckDBPyConnection, text: str, parameters: dict[str, Any] | None
) -> list[tuple[Any, ...]]:
    """Return names and types of a query's columns; SHOW, DESCRIBE and SUMMARIZE are described inside a FROM only."""
    try:
        return connection.execute(f"DESCRIBE {text}", parameters).fetchall()
    except duckdb.ParserException:
        return connection.execute(f"DESCRIBE FROM ({text}\n)", parameters).fetchall()


def _held(kind: Kind, odd: frozenset[str], nested: frozenset[str]) -> str:
    """Return the type to cast to, empty where `kind` is held as it is."""
    if kind.id in odd:
        return "VARCHAR"
    children: dict[str, Any] = dict(kind.children) if kind.id in ("list", "array", "struct", "map") else {}
    size = children.pop("size", None)
    casts = {name: _held(child, nested, nested) for name, child in children.items()}
    if not any(casts.values()):
        return ""
    inner = {name: casts[name] or str(child) for name, child in children.items()}
    if kind.id == "struct":
        return f"STRUCT({', '.join(f'{_name(name)} {child}' for name, child in inner.items())})"
    if kind.id == "map":
        return f"MAP({inner['key']}, {inner['value']})"
    return f"{inner['child']}[{size or ''}]"


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
