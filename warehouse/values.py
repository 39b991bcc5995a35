"""A query's columns as Python values for a table: times as datetimes, bytes as text."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from warehouse.casts import TIMES, Kind
from warehouse.query import Record, Rows

_NUMBERS = """
tinyint smallint integer bigint hugeint utinyint usmallint uinteger ubigint float double decimal
"""
NUMBERS = frozenset(_NUMBERS.split())
NESTED = frozenset(["list", "array", "struct", "map"])
OTHER = NESTED | {"hugeint", "uuid", "blob"}
"""Types whose values, or values in which, Python has as others than a table shows: an array is a tuple, say."""


class Values(NamedTuple):
    """A column. `kind`: DuckDB's id of its type. `is_time`: its values are datetimes, in UTC or with a zone."""

    name: str
    kind: str
    values: Sequence[object]
    is_time: bool = False

    @property
    def is_number(self) -> bool:
        """Whether it has numbers, which are set to the right."""
        return self.kind in NUMBERS

    @property
    def is_empty(self) -> bool:
        """Whether it has rows, and no value in any."""
        return bool(self.values) and all(value is None for value in self.values)


def columns(rows: Rows, records: Sequence[Record]) -> list[Values]:
    """Return the columns of some of the rows."""
    given: Iterable[Sequence[object]] = zip(*records, strict=True) if records else ([] for _ in rows.names)
    return [_column(*column) for column in zip(rows.names, rows.kinds, given, strict=True)]


def readable(blob: bytes) -> str:
    """Return a BLOB as text: UTF-8 where it is that, else hex."""
    try:
        return blob.decode()
    except UnicodeDecodeError:
        return blob.hex()


def _column(name: str, kind: Kind, values: Sequence[object]) -> Values:
    if kind.id in TIMES:
        times = _times(values)
        return Values(name, kind.id, values if times is None else times, times is not None)
    return Values(name, kind.id, [_value(value, kind) for value in values] if kind.id in OTHER else values)


def _times(values: Sequence[object]) -> list[object] | None:
    """Return times out of DuckDB's texts of them; None where one is beyond Python's calendar, such as infinity."""
    try:
        return [datetime.fromisoformat(value) if isinstance(value, str) else value for value in values]
    except ValueError:
        return None


def _value(value: Any, kind: Kind) -> object:
    if value is None or kind.id not in OTHER:
        return value
    if kind.id == "hugeint":
        return Decimal(value)
    if kind.id == "uuid":
        return str(value)
    if kind.id == "blob":
        return readable(value) if isinstance(value, bytes) else value
    inner: dict[str, Any] = dict(kind.children)
    if kind.id == "struct":
        return {name: _value(value[name], child) for name, child in inner.items()}
    if kind.id == "map":
        if inner["key"].id in NESTED:  # no keys of a dict: DuckDB gives a list of the keys and one of the values
            return value
        return {_value(key, inner["key"]): _value(each, inner["value"]) for key, each in value.items()}
    return [_value(each, inner["child"]) for each in value]
