"""What the Tab key completes in `liq shell`: its commands, tables, views, macros, and columns of what the statement names."""

import re
from collections.abc import Iterable, Sequence
from functools import cached_property

from warehouse.lake import Lake
from warehouse.statements import statements
from warehouse.tables import TABLES

COMMANDS = (".tables", ".schema", ".help", ".quit", ".exit")
_KEYWORDS = """
and between by count( desc distinct from group having interval is join left limit max( min( not null on or order select sum(
union using where with
"""
KEYWORDS = _KEYWORDS.split()
DELIMITERS = " \t\n,()=<>!'\";+-*/%|&[]{}"
"""What ends a word; a dot is a part of it: .schema, and l.usd of a table called l."""


class Completer:
    """Completes words for readline. `lines`: those of the statement before the one that is typed."""

    def __init__(self, warehouse: Lake, lines: Sequence[str] = ()) -> None:
        self.lines = lines
        self._warehouse = warehouse
        self._found: list[str] = []

    def __call__(self, text: str, state: int) -> str | None:
        """Return one completion after another, as readline asks for them, then None."""
        if state == 0:
            import readline

            self._found = self.matches(text, readline.get_line_buffer()[: readline.get_begidx()])
        return self._found[state] if state < len(self._found) else None

    def matches(self, text: str, before: str = "") -> list[str]:
        """Return the completions of `text` after `before`, the rest of its line."""
        if not self.lines and not before.strip() and text.startswith("."):
            return _beginning(COMMANDS, text)
        if not self.lines and before.split()[:1] == [".schema"]:
            return _beginning(self._objects, text)
        said = " ".join([*self.lines, before])
        if "." in text:
            table, _, start = text.rpartition(".")
            return [f"{table}.{column}" for column in _beginning(self._columns_of(said), start)]
        after_from = re.search(r"\b(?:from|join)\s+$", said, re.IGNORECASE)
        macros = [f"{one.name}(" for one in statements() if one.kind == "macro"]
        if after_from or not said.strip():
            return _beginning([*self._objects, *macros, *(() if after_from else KEYWORDS)], text)
        return _beginning([*self._columns_of(said), *self._objects, *macros, *KEYWORDS], text)

    @cached_property
    def _objects(self) -> list[str]:
        return [*TABLES, *(one.name for one in statements() if one.kind == "view")]

    @cached_property
    def _columns(self) -> dict[str, list[str]]:
        query = "SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = 'lake' ORDER BY ALL"
        found: dict[str, list[str]] = {}
        for table, column in self._warehouse.connection.execute(query).fetchall():
            found.setdefault(table, []).append(column)
        return found

    def _columns_of(self, said: str) -> list[str]:
        """Return the columns of the tables and views in a text, of all where it has none."""
        named = [self._columns[word] for word in re.findall(r"\w+", said) if word in self._columns]
        return [column for columns in named or self._columns.values() for column in columns]


def _beginning(names: Iterable[str], text: str) -> list[str]:
    found = {name for name in names if name.lower().startswith(text.lower())}
    return sorted(found)
