"""null_shares names every column that may be null."""

import re

from warehouse.statements import statements
from warehouse.tables import TABLES
from warehouse.tables.shared import BEFORE


def test_every_column_that_may_be_null_is_counted() -> None:
    body = next(found.body for found in statements() if found.name == "null_shares")
    counted = {
        match["table"]: set(re.findall(r"\{c: '(\w+)'", match["columns"]))
        for match in re.finditer(r"SELECT '(?P<table>\w+)' AS \"table\".*?unnest\(\[(?P<columns>.*?)\]\)", body, re.S)
    }
    assert len(counted) == 11
    for table, columns in counted.items():
        nullable = {
            column.name
            for column in TABLES[table].columns
            if column.null_when and BEFORE not in column.null_when and column.name != "venue"
        }
        assert columns == nullable, table
