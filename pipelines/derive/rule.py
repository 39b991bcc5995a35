"""A rule of numbers, kept beside what was found by it."""

from typing import Any

import polars as pl

from pipelines.errors import UsageError
from warehouse.frames import read
from warehouse.lake import Lake
from warehouse.tables import TABLES
from warehouse.writer import replace


def keep(warehouse: Lake, table: str, rule: Any) -> None:
    """Store a rule, a NamedTuple with the table's columns. Raises UsageError where its version is stored with other numbers."""
    own = pl.DataFrame([rule._asdict()], schema=TABLES[table].schema)
    stored = read(warehouse.connection, f"FROM {table} WHERE rule_version = ?", [rule.rule_version])
    if stored.is_empty():
        replace(warehouse, table, own, "FALSE")
    elif not pl.DataFrame(stored, schema=own.schema).equals(own):
        raise UsageError(f"rule {rule.rule_version} is stored with other numbers; a changed rule is a new version")
