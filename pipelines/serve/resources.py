"""What is served: every view, table of bars and macro of the catalogue, each at one path. A new view is there by itself."""

import re
from collections.abc import Iterable
from typing import NamedTuple

import duckdb

from warehouse.catalogue import catalogue
from warehouse.exporting.what import first_time
from warehouse.lake import Lake
from warehouse.statements import statements

_EXAMPLE = re.compile(r"Example: FROM (\w+\(.*\))")
_PARTS = re.compile(r",\s*(?![^\[(]*[\])])")
_NEEDS_SQL = re.compile(r"\bquery_table\b|Example: FROM \w+\(\[", re.IGNORECASE)
"""Macros that take the name of a table, or a list: they are for SQL."""


class Parameter(NamedTuple):
    """A macro's parameter. `default`: as SQL has it, empty where it must be given; `example`: likewise, where there is one."""

    name: str
    default: str
    example: str


class Resource(NamedTuple):
    """One path. `name`: in SQL; `columns`: name and DuckDB type; `time`: the column that since and until look at."""

    path: str
    name: str
    kind: str
    subject: str
    purpose: str
    grain: str
    parameters: tuple[Parameter, ...]
    columns: dict[str, str]

    @property
    def time(self) -> str:
        """The column that since and until look at, empty where there is none."""
        return first_time(self.columns)


class Resources(NamedTuple):
    """What a lake can serve, and the names of what it lacks: views that came after whatever wrote to it last."""

    made: list[Resource]
    lacks: list[str]


def resources(lake: Lake, only: str = "") -> Resources:
    """Return what the lake can serve, in the catalogue's order; `only`: what has this name. Raises duckdb.Error."""
    found = {one.name: one for one in statements()}
    made: dict[str, Resource] = {}
    lacks: list[str] = []
    for entry in catalogue():
        name = entry.call.partition("(")[0]
        if only not in ("", name):
            continue
        parameters: tuple[Parameter, ...] = ()
        if entry.kind == "macro":
            one = found[name]
            if not entry.grain or _NEEDS_SQL.search(one.body + one.notes):
                continue
            parameters = tuple(_parameters(one.parameters, one.notes))
            if not all(each.default or each.example for each in parameters):  # it reckons for other macros
                continue
        try:
            columns = _columns(lake, name, parameters)
        except duckdb.CatalogException:
            lacks.append(name)
            continue
        path = _path(entry.subject, name)
        path = path if path not in made else f"{path}_for"  # the macro beside a view of that name
        made[path] = Resource(
            path, name, entry.kind, entry.subject, entry.purpose, entry.grain, parameters, columns
        )  # fmt: skip
    return Resources(list(made.values()), lacks)


def _path(subject: str, name: str) -> str:
    """Return /v1/liquidations/totals for liquidation_totals of the subject Liquidations."""
    folder = "levels" if subject == "Liquidation levels" else subject.lower().replace(" ", "-")
    own = folder.replace("-", "_").removesuffix("s")
    return f"/v1/{folder}/{re.sub(f'^(liquidation_(?=levels)|{own}s?_)', '', name)}"


def _parameters(declared: str, notes: str) -> Iterable[Parameter]:
    example = _EXAMPLE.search(notes)
    given = _given(example[1]) if example else {}
    for place, each in enumerate(part for part in _PARTS.split(declared.strip("()")) if part):
        name, _, default = (part.strip() for part in each.partition(":="))
        yield Parameter(name, default, given.get(name) or given.get(str(place), ""))


def _given(call: str) -> dict[str, str]:
    """Return the arguments of an example by name, else by place."""
    inside = call[call.index("(") + 1 : call.rindex(")")]
    parts = [part.strip() for part in _PARTS.split(inside)]
    named = (part.partition(":=") for part in parts)
    return {name.strip() if is_named else str(place): (value or name).strip()
            for place, (name, is_named, value) in enumerate(named)}  # fmt: skip


def call(name: str, parameters: Iterable[Parameter], arguments: dict[str, str]) -> str:
    """Return how a resource is named in SQL; the arguments are SQL already, those without a default all given."""
    given = [arguments[each.name] for each in parameters if not each.default]
    given += [
        f"{each.name} := {arguments[each.name]}" for each in parameters if each.default and each.name in arguments
    ]
    return f'"{name}"({", ".join(given)})' if parameters else f'"{name}"'


def _columns(lake: Lake, name: str, parameters: tuple[Parameter, ...]) -> dict[str, str]:
    examples = {each.name: each.example for each in parameters if not each.default}
    rows = lake.connection.execute(f"DESCRIBE FROM {call(name, parameters, examples)}").fetchall()
    return {row[0]: row[1] for row in rows}
