"""Defaults of macros. DuckLake 1.0 stores a null one as the text NULL, after which no query on the lake runs at all."""

import pytest

from warehouse.statements import Statement, statements

MACROS = [found for found in statements() if found.kind == "macro"]


@pytest.mark.parametrize("macro", MACROS, ids=lambda macro: macro.name)
def test_no_default_is_null(macro: Statement) -> None:
    assert "null" not in macro.parameters.lower()
