"""Lists that SQL and the parsers both have must be the same."""

import duckdb

from pipelines.venues.symbols import DOLLARS
from warehouse.statements import Statement, statements

MACROS = {found.name: found for found in statements() if found.kind == "macro"}


def _list(macro: Statement) -> list[str]:
    found = duckdb.sql(f"SELECT {macro.body}").fetchone()
    assert found
    return list(found[0])


def test_the_dollars_of_sql_are_those_of_the_parsers() -> None:
    found = _list(MACROS["dollars"])
    assert len(found) == len(set(found))
    assert set(found) == DOLLARS
