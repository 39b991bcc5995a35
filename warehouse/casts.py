"""Types of DuckDB's that Arrow or a format cannot hold: what is written instead is DuckDB's own text of the value."""

from collections.abc import Mapping
from typing import Any

import duckdb

ARROW = frozenset(["uhugeint", "variant", "bit", "bignum", "geometry", "time with time zone", "time_ns"])
"""Arrow has no such type, or loses a part of the value: the zone, or all beyond 38 digits."""
PARQUET = ARROW | {"interval", "union"}
"""pyarrow writes no such column to Parquet."""
TEXT = PARQUET
"""As for Parquet: polars, which writes csv and json, has no such type."""
NESTED_TEXT = TEXT | {
    "blob", "date", "time", "timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns", "timestamp with time zone",
}  # fmt: skip
"""And inside lists and structs what polars cannot write whatever the value: bytes, and times beyond the year 9999."""


def as_held(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    parameters: Mapping[str, Any] | None,
    odd: frozenset[str],
    nested: frozenset[str],
) -> str:
    """Return `query` with each column of a type that is not held cast to text; the query itself where all are held.

    `odd`: DuckDB's ids of the types to cast; `nested`: inside lists, structs and maps. What cannot be described, such as a
    SHOW, is returned as it is. Raises duckdb.Error where the query cannot be bound.
    """
    text = query.rstrip().rstrip(";")
    columns = connection.execute(f"DESCRIBE {text}", dict(parameters) if parameters else None).fetchall()
    kinds = [_held(duckdb.sqltype(column[1]), odd, nested) for column in columns]
    if not any(kinds):
        return query
    names = [f"c{number}" for number in range(len(columns))]
    selected = ", ".join(
        f"{name}{f'::{kind}' if kind else ''} AS {_name(column[0])}"
        for name, kind, column in zip(names, kinds, columns, strict=True)
    )
    return f"SELECT {selected} FROM ({text}\n) AS liq_rows({', '.join(names)})"


def _held(kind: Any, odd: frozenset[str], nested: frozenset[str]) -> str:
    """Return the type to cast to, empty where `kind` is held as it is."""
    if kind.id in odd:
        return "VARCHAR"
    children = dict(kind.children) if kind.id in ("list", "array", "struct", "map") else {}
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
