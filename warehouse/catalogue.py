"""The catalogue of views, stored bars and macros, from the heads of their files: for `liq views` and sql/README.md."""

import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import duckdb
import polars as pl
from rich.console import Group
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from warehouse.describe import thing
from warehouse.errors import QueryError, WarehouseError
from warehouse.statements import Statement, rollups, statements
from warehouse.tables import TABLES

SUBJECTS = {
    "Liquidations": ("liquidation",),
    "Cascades": ("cascade",),
    "Liquidation levels": ("liquidation_level", "level", "position"),
    "Signals": ("signal", "support_resistance", "overheated", "squeeze", "crowded", "washout", "oi_backed"),
    "Funding": ("funding",),
    "Open interest": ("open_interest",),
    "Price": ("price", "mark_price", "kline", "rsi"),
    "Ratios": ("long_short", "ratio", "taker"),
    "Market": ("market",),
    "Contracts": ("instrument", "leverage"),
    "Quality": (
        "frames",
        "feed_",
        "raw_",
        "dead_",
        "duplicate",
        "completeness",
        "collector",
        "session",
        "side_",
        "null_",
    ),
}
"""Subjects in the catalogue's order, with the beginnings of the names in each; the longest matching beginning decides."""
OTHER = "General"
BEGIN = "<!-- catalogue: written by `make docs` from the heads of the files, do not edit -->"
END = "<!-- end of the catalogue -->"


class Entry(NamedTuple):
    """A line of the catalogue. `call`: the name with the macro's parameters; `grain`: what a row is, empty for a value."""

    subject: str
    kind: str
    call: str
    purpose: str
    grain: str


def catalogue() -> list[Entry]:
    """Return every view, table of bars and macro by subject, macros last, then by name."""
    found = {one.name: one for one in statements()}
    bars = {one.name: TABLES[one.name].grain for one in rollups() if "$" not in one.purpose}
    told = [*found.values(), *(one for one in rollups() if one.name in bars)]
    entries = [
        Entry(subject(one, found), "table" if one.name in bars else one.kind, _call(one), one.purpose,
              bars.get(one.name) or _grain(one))
        for one in sorted(told, key=lambda one: (one.kind == "macro", one.name))
    ]  # fmt: skip
    order = [*SUBJECTS, OTHER]
    return sorted(entries, key=lambda entry: order.index(entry.subject) if entry.subject in order else len(order))


def subject(one: Statement, found: dict[str, Statement]) -> str:
    """Return what `one` is about: `Subject: …` of its head, else by its name, else by the first that it reads."""
    if told := re.search(r"Subject: ([^.]+)\.", one.notes):
        return told[1]
    if by_name := _by_name(one.name):
        return by_name
    reads = re.search(r"Reads ([^.]*)", one.notes)
    for word in re.findall(r"\w+", reads[1]) if reads else ():
        if word in found and word != one.name:
            return subject(found[word], found)
        if word in TABLES and (by_table := _by_name(word)):
            return by_table
    return OTHER


def markdown() -> str:
    """Return the catalogue as Markdown, a table a subject."""
    parts = []
    entries = catalogue()
    for about in dict.fromkeys(entry.subject for entry in entries):
        parts += [f"### {about}", "", "| name | | shows | a row is |", "|---|---|---|---|"]
        parts += [
            f"| `{entry.call}` | {entry.kind} | {_cell(entry.purpose)} | {_cell(entry.grain)} |"
            for entry in entries
            if entry.subject == about
        ]
        parts.append("")
    return "\n".join(parts)


def update(file: Path) -> bool:
    """Write the catalogue between its two marks in `file`; return whether that changed it. Raises WarehouseError."""
    text = file.read_text()
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise WarehouseError(f"{file} must have the lines {BEGIN} and {END} once")
    head, rest = text.split(BEGIN)
    new = f"{head}{BEGIN}\n{markdown()}{END}{rest.split(END)[1]}"
    if new != text:
        file.write_text(new)
    return new != text


def listing() -> Table:
    """Return the catalogue for a terminal."""
    table = Table(show_edge=False, header_style="bold")
    for name in ("name", "", "shows"):
        table.add_column(name, overflow="fold")
    before = None
    for entry in catalogue():
        if entry.subject != before:
            table.add_section()
            table.add_row(Text(entry.subject, style="bold"), "", "")
        table.add_row(Text(entry.call), entry.kind, Text(entry.purpose))
        before = entry.subject
    return table


def page(name: str) -> Group:
    """Return one view's or macro's head, columns and SQL for a terminal. Raises QueryError for an unknown name."""
    one = _named(name)
    parts: list[Text | Table | Syntax] = [Text(f"{_call(one)}: {one.purpose}", style="bold")]
    parts += [Text(part) for part in one.notes.split("\n") if part]
    found = columns(name)
    if found.height:
        table = Table("column", "type", show_edge=False, header_style="bold")
        for row in found.iter_rows():
            table.add_row(*(Text(str(value)) for value in row))
        parts += [Text(""), table]
    return Group(*parts, Text(""), Syntax(one.body, "sql", background_color="default"))


def page_markdown(name: str) -> str:
    """Return one view's or macro's head, columns and SQL as Markdown. Raises QueryError for an unknown name."""
    one = _named(name)
    rows = [f"| {column} | {kind} |" for column, kind in columns(name).iter_rows()]
    table = ["| column | type |", "|---|---|", *rows, ""] if rows else []
    lines = [f"## `{_call(one)}`", "", one.purpose, "", one.notes, "", *table, "```sql", one.body, "```"]
    return "\n".join(lines)


def columns(name: str) -> pl.DataFrame:
    """Return column and type of a view, or of a macro whose head has an `Example: FROM …`; of another macro no rows.

    They are found on empty tables in memory, so no warehouse is needed. Raises QueryError for an unknown name.
    """
    one = _named(name)
    query = f"FROM {one.name}" if one.kind == "view" else example(one)
    with _empty().cursor() as connection:
        rows = [row[:2] for row in connection.execute(f"DESCRIBE {query}").fetchall()] if query else []
    return pl.DataFrame(rows, schema=["column", "type"], orient="row")


@lru_cache(maxsize=1)
def _empty() -> duckdb.DuckDBPyConnection:
    return in_memory()


def in_memory() -> duckdb.DuckDBPyConnection:
    """Return a new database in memory with every table, without rows, and every view and macro."""
    connection = duckdb.connect()
    for table in TABLES.values():
        kinds = ", ".join(f'"{column}" {kind}' for column, kind in table.types.items())
        connection.execute(f"CREATE TABLE {table.name} ({kinds})")
    for each in statements():
        connection.execute(each.create())
    return connection


def example(one: Statement) -> str:
    """Return the query that the head gives as `Example: …` to its end; empty where there is none."""
    return one.notes.partition("Example: ")[2].strip()


def _named(name: str) -> Statement:
    meant = thing(name)
    if meant in TABLES:
        raise QueryError(f"{meant} is a table: `liq schema {meant}` shows its columns")
    return next(one for one in statements() if one.name == meant)


def _by_name(name: str) -> str:
    fitting = [(len(begin), about) for about, begins in SUBJECTS.items() for begin in begins if name.startswith(begin)]
    return max(fitting)[1] if fitting else ""


def _call(one: Statement) -> str:
    return one.name + (one.parameters if one.kind == "macro" else "")


def _grain(one: Statement) -> str:
    told = re.search(r"Grain: (.*?)(?:[.;](?:\s|$)|$)", one.notes)
    return told[1] if told else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
