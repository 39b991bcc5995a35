"""The .sql files: which views and macros there are, what their heads say, and the statements that create them; the queries
that bars are made by."""

import hashlib
import re
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Literal, NamedTuple

_PACKAGED = Path(__file__).parent / "sql"
SQL = _PACKAGED if _PACKAGED.is_dir() else Path(__file__).parents[1] / "sql"

_HEAD = re.compile(r"--\s*(?P<name>\w+)(?P<parameters>\([^)]*\))?:\s*(?P<purpose>.+)")
_COMMENT_OR_TEXT = re.compile(r"--[^\n]*|'[^']*'")


class Statement(NamedTuple):
    """A view, a macro, or the query of a rollup. `purpose`: first line of its head; `notes`: the head's other lines."""

    kind: Literal["view", "macro", "rollup"]
    name: str
    parameters: str
    purpose: str
    notes: str
    body: str

    @property
    def digest(self) -> str:
        """Changes when the text does."""
        return hashlib.md5(repr(self).encode(), usedforsecurity=False).hexdigest()

    @property
    def words(self) -> set[str]:
        """The words of its body but for comments and texts in quotes; what it reads is among them."""
        return set(re.findall(r"\w+", _COMMENT_OR_TEXT.sub(" ", self.body)))

    def create(self) -> str:
        """Return the statement that creates or replaces it in the current catalogue."""
        if self.kind == "view":
            return f'CREATE OR REPLACE VIEW "{self.name}" AS\n{self.body}'
        table = "TABLE " if re.match(r"(?i)\s*(with|select|from)\b", self.body) else ""
        return f'CREATE OR REPLACE MACRO "{self.name}"{self.parameters} AS {table}{self.body}'


def statements(sql: Path = SQL) -> list[Statement]:
    """Return the macros and views under `sql`, each after those it reads. Raises ValueError for a file without a head."""
    found = [_read("macro", path) for path in sorted((sql / "macros").glob("*.sql"))]
    found += [_read("view", path) for path in sorted((sql / "views").glob("*.sql"))]
    named = {statement.name: statement for statement in found}
    order = TopologicalSorter({name: sorted((found.words & named.keys()) - {name}) for name, found in named.items()})
    return [named[name] for name in order.static_order()]


def rollups(sql: Path = SQL) -> list[Statement]:
    """Return the queries that make stored bars, by the name of their table. Raises ValueError for a file without a head."""
    return [_read("rollup", path) for path in sorted((sql / "rollups").glob("*.sql"))]


def rollup(table: str, sql: Path = SQL) -> Statement:
    """Return the query that makes the bars of `table` in [$since, $until). Raises ValueError for a file without a head."""
    return _read("rollup", sql / "rollups" / f"{table}.sql")


def _read(kind: Literal["view", "macro", "rollup"], path: Path) -> Statement:
    lines = path.read_text().splitlines()
    head = [line for line in lines if line.startswith("--")]
    match = _HEAD.match(head[0]) if head else None
    if match is None or match["name"] != path.stem:
        raise ValueError(f"{path} must open with `-- {path.stem}: what it shows`")
    notes = " ".join(line.lstrip("- ") for line in head[1:])
    body = "\n".join(line for line in lines if not line.startswith("--")).strip().rstrip(";")
    return Statement(kind, path.stem, match["parameters"] or "()", match["purpose"], notes, body)
