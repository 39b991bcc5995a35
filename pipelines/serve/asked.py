"""A request's query read: which rows, columns, times and format are asked for; as one SQL statement."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import NamedTuple

import orjson

from pipelines.serve.given import bad, near, only, short
from pipelines.serve.problems import ProblemError
from pipelines.serve.resources import Parameter, Resource, call
from warehouse.formats import Format
from warehouse.place import quoted

OWN = {
    "columns": "Only these columns, separated by commas",
    "since": "Rows from this time on (UTC, ISO 8601), by the resource's own time",
    "until": "Rows before this time (UTC, ISO 8601)",
    "order": "Sort by this column; -name: the largest first. Else the newest first, then by all columns from the left",
    "limit": "The most rows of this page",
    "cursor": "The page after the one that gave this cursor; the other parameters must be the same",
    "as_of": "Answer as of this time (UTC, ISO 8601); else now",
    "format": "json, jsonl, csv, arrow, arrows or parquet; else as Accept says",
}
"""The parameters that every resource takes."""
MEDIA = {
    Format.JSON: "application/json",
    Format.JSONL: "application/x-ndjson",
    Format.CSV: "text/csv",
    Format.ARROW: "application/vnd.apache.arrow.file",
    Format.ARROWS: "application/vnd.apache.arrow.stream",
    Format.PARQUET: "application/vnd.apache.parquet",
}
PAGE = 1000
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?)?(Z|[+-]\d{2}:\d{2})?")


Meant = Callable[[str, str], str]
"""Returns the name that is meant by a text, given the column or the parameter that it is for."""


class Asked(NamedTuple):
    """A request, understood. `sql` gives up to `limit` + 1 rows from `offset` on: one more tells that there is a next page.
    `columns`: their names and DuckDB's types."""

    sql: str
    columns: dict[str, str]
    limit: int
    offset: int
    as_of: datetime
    is_now: bool
    snapshot: int | None
    format: Format


def asked(
    resource: Resource, given: Sequence[tuple[str, str]], accept: str, most: int, now: datetime, meant: Meant
) -> Asked:
    """Return what a request asks of a resource.

    `now`: UTC without a zone; `meant`: which coin, contract or venue is meant by a name. Raises ProblemError, 400 or 406, and
    UnknownNameError.
    """
    query = only(given, {*OWN, *resource.columns, *(each.name for each in resource.parameters)})
    cursor = _cursor(query.pop("cursor", ""))
    is_now = "as_of" not in query and cursor is None
    as_of = cursor.as_of if cursor else moment(query["as_of"], "as_of") if "as_of" in query else now
    limit = rows_asked(query.get("limit"), most, min(PAGE, most))
    arguments = {
        each.name: _argument(each, query, meant)
        for each in resource.parameters
        if each.name in query or not each.default
    }
    columns = _columns(resource, query.get("columns", ""))
    where = " AND ".join(_conditions(resource, query, meant)) or "true"
    offset = cursor.offset if cursor else 0
    sql = (
        f"SELECT {', '.join(_named(name) for name in columns)} FROM {call(resource.name, resource.parameters, arguments)} "
        f"WHERE {where} ORDER BY {_order(resource, query.get('order', ''), columns)} LIMIT {limit + 1} OFFSET {offset}"
    )
    return Asked(
        sql,
        {name: resource.columns[name] for name in columns},
        limit,
        offset,
        as_of,
        is_now,
        cursor.snapshot if cursor else None,
        format_asked(query.get("format"), accept),
    )


class Cursor(NamedTuple):
    """Where the next page begins: so many rows on, as of the same time; `snapshot` of the lake gave the page before."""

    as_of: datetime
    offset: int
    snapshot: int


def next_cursor(cursor: Cursor) -> str:
    """Return a cursor as text for a query."""
    told = orjson.dumps([cursor.as_of.isoformat(), cursor.offset, cursor.snapshot])
    return base64.urlsafe_b64encode(told).decode().rstrip("=")


def _cursor(text: str) -> Cursor | None:
    if not text:
        return None
    try:
        as_of, offset, snapshot = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        found = Cursor(datetime.fromisoformat(as_of), int(offset), int(snapshot))
    except (ValueError, TypeError, binascii.Error, OverflowError):
        raise bad("cursor is none that an answer gave") from None
    if found.as_of.tzinfo or not (0 <= found.offset < 2**53 and 0 <= found.snapshot < 2**53):
        raise bad("cursor is none that an answer gave")
    return found


def _argument(parameter: Parameter, query: Mapping[str, str], meant: Meant) -> str:
    if parameter.name not in query:
        raise bad(f"{parameter.name} is needed, such as {parameter.name}={parameter.example.strip(chr(39))}")
    value, like = query[parameter.name], parameter.default or parameter.example
    if like.upper().startswith("INTERVAL"):
        return f"INTERVAL {quoted(value)}"
    if like.startswith(("as_of()", "TIMESTAMP")):
        return f"TIMESTAMP '{moment(value, parameter.name).isoformat(' ')}'"
    if _NUMBER.fullmatch(like) or like.upper() == "NULL":
        if value.lower() == "null":
            return "NULL"
        if not _NUMBER.fullmatch(value):
            raise bad(f"{parameter.name} is a number, not {short(value)!r}")
        return value
    return quoted(meant(parameter.name, value))


def _conditions(resource: Resource, query: Mapping[str, str], meant: Meant) -> list[str]:
    own = {each.name for each in resource.parameters} | (OWN.keys() - {"since", "until"})
    found = []
    for name, value in query.items():
        if name in own:
            continue
        if name in ("since", "until"):
            if not resource.time:
                raise bad(f"{name} has nothing to look at: a row of {resource.path} has no time of its own")
            found.append(
                f"{_named(resource.time)} {'>=' if name == 'since' else '<'} TIMESTAMP '{moment(value, name)}'"
            )
        elif value in ("null", "!null"):
            found.append(f"{_named(name)} IS {'NOT ' if value == '!null' else ''}NULL")
        else:
            kind = resource.columns[name]
            found.append(
                f"{_named(name)} IN ({', '.join(_value(meant(name, each), kind) for each in value.split(','))})"
            )
    return found


def _value(value: str, kind: str) -> str:
    return f"CAST({quoted(value)} AS {kind})"


def moment(text: str, name: str) -> datetime:
    """Return a time that was given, UTC without a zone. Raises ProblemError for a text that is none."""
    if _TIME.fullmatch(text.replace(" ", "+") if text[-6:-5] == " " else text):  # a plus is a space in a query
        try:
            found = datetime.fromisoformat(text.replace(" ", "+") if text[-6:-5] == " " else text)
            return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found
        except (ValueError, OverflowError):
            pass
    raise bad(f"{name} is a time such as 2026-11-22T12:00:00Z, not {short(text)!r}")


def _columns(resource: Resource, text: str) -> list[str]:
    if not text:
        return list(resource.columns)
    names = list(dict.fromkeys(name.strip() for name in text.split(",")))
    for name in names:
        if name not in resource.columns:
            raise bad(f"no column {short(name)!r} in {resource.name}; {near(name, list(resource.columns))}")
    return names


def _order(resource: Resource, text: str, columns: Sequence[str]) -> str:
    if not text:
        newest = [f"{_named(resource.time)} DESC"] if resource.time else []
        return ", ".join([*newest, *(_named(name) for name in columns if name != resource.time)])
    name = text.removeprefix("-")
    if name not in resource.columns:
        raise bad(f"no column {short(name)!r} to order by; {near(name, list(resource.columns))}")
    rest = ", ".join(_named(each) for each in columns if each != name)
    return f"{_named(name)} {'DESC' if text.startswith('-') else 'ASC'} NULLS LAST" + (f", {rest}" if rest else "")


def rows_asked(text: str | None, most: int, usual: int) -> int:
    """Return how many rows are asked for. Raises ProblemError where that is no number from 1 to `most`."""
    if text is None:
        return usual
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= most or len(text) > 9:
        raise bad(f"limit is a whole number from 1 to {most}, not {short(text)!r}")
    return int(text)


def format_asked(name: str | None, accept: str = "") -> Format:
    """Return the format asked for by name, else by Accept. Raises ProblemError, 400 or 406."""
    if name is not None:
        if name not in [str(each) for each in MEDIA]:
            raise bad(f"format is one of {', '.join(MEDIA)}, not {short(name)!r}")
        return Format(name)
    wanted = [part.partition(";")[0].strip().lower() for part in accept.split(",") if part.strip()]
    for each in wanted:
        for kind, media in MEDIA.items():
            if each == media or each in ("*/*", f"{media.partition('/')[0]}/*"):
                return kind
    if wanted and "text/html" not in wanted:
        raise ProblemError(HTTPStatus.NOT_ACCEPTABLE, f"these can be had: {', '.join(MEDIA.values())}")
    return Format.JSON


def _named(column: str) -> str:
    return f'"{column}"'
