"""Finds the names of coins, contracts and venues in a query's text that are not known here."""

import json
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from typing import Any

import duckdb

from warehouse import names, spelling
from warehouse.errors import UnknownNameError
from warehouse.lake import Lake
from warehouse.statements import statements

ABOUT = {"named": "instrument", "instrument": "instrument", "coin": "base", "base": "base", "venue": "venue",
         "symbol": "symbol"}  # fmt: skip
"""Parameters of macros, and columns, whose values are names; and the kind of name."""
MEANT = {"base": names.coin, "instrument": names.instrument, "symbol": names.symbol}
ANY = "*"


def unknown(lake: Lake, sql: str) -> list[str]:
    """Return a line for each unknown name in the text's last statement; nothing for a text that cannot be parsed."""
    with suppress(duckdb.Error):
        query = lake.connection.extract_statements(sql)[-1].query
        row = lake.connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [query]).fetchone()
        found = sorted(set(_names(json.loads(row[0])))) if row else []
        if found:
            listed = names.contracts(lake)
            return [line for about, name in found if (line := _line(lake, listed, about, name))]
    return []


def _line(lake: Lake, listed: list[names.Contract], about: str, name: str) -> str:
    try:
        if about == "venue":
            meant = spelling.venue(name, sorted({each.venue for each in listed}) or [name])
        else:
            meant = MEANT[about](lake, name, listed)
    except UnknownNameError as error:
        return str(error)
    return "" if meant == name else f"no {'coin' if about == 'base' else about} {name!r}; did you mean {meant}?"


def _names(tree: Any) -> Iterator[tuple[str, str]]:
    """Yield (instrument, base, symbol or venue; the text) of a parsed query, however deep."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield from _of(node)
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node


def _of(node: dict[str, Any]) -> Iterator[tuple[str, str]]:
    kind, children = node.get("type"), node.get("children") or []
    if kind == "FUNCTION":
        parameters = _parameters().get(str(node.get("function_name", "")).lower(), ())
        for place, each in enumerate(children):
            given = each.get("alias") or (parameters[place] if place < len(parameters) else "")
            yield from _text(ABOUT.get(given, ""), each) if parameters else ()
    elif kind == "COMPARE_EQUAL":
        for one, other in ((node["left"], node["right"]), (node["right"], node["left"])):
            yield from _text(_column(one), other)
    elif kind == "COMPARE_IN" and children:
        for each in children[1:]:
            yield from _text(_column(children[0]), each)


def _column(node: dict[str, Any]) -> str:
    return ABOUT.get(node["column_names"][-1], "") if node.get("type") == "COLUMN_REF" else ""


def _text(about: str, node: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if about and node.get("type") == "VALUE_CONSTANT":
        value = node["value"].get("value")
        if isinstance(value, str) and value != ANY:
            yield about, value


@lru_cache(maxsize=1)
def _parameters() -> dict[str, tuple[str, ...]]:
    """Return the parameters' names of each macro."""
    return {
        one.name: tuple(part.split(":=")[0].strip() for part in one.parameters.strip("()").split(","))
        for one in statements()
        if one.kind == "macro"
    }
