"""The data checks: queries of sql/checks, each of which returns the rows that break its rule."""

import json
import re
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

from warehouse.lake import Lake
from warehouse.query_errors import query_errors
from warehouse.statements import SQL
from warehouse.tables import TABLES

SHOWN = 5

_HEAD = re.compile(r"-- (?P<name>\w+): (?P<meaning>.+)")
_TIME = re.compile(r"\((\w+)\)")
_ABOUT = re.compile(r"(?m)^-- (?P<severity>Failure|Warning)\. Table (?P<table>\w+)\.")


class Check(NamedTuple):
    """A query of offending rows. It may read $since and $until, the UTC instants between which it looks, the last not
    included. `meaning` is what must hold; `notes` the rest of its head."""

    name: str
    table: str
    severity: Literal["failure", "warning"]
    meaning: str
    notes: str
    body: str


class Found(NamedTuple):
    """What a check found: how many rows offend, the first of them, how long it took, and whether its table has rows of the time
    looked at (None: not asked)."""

    check: Check
    offenders: int
    first: list[dict[str, Any]]
    seconds: float
    has_rows: bool | None = None


def checks(sql: Path = SQL) -> list[Check]:
    """Return the checks under `sql`, by name. Raises ValueError for a file whose head does not say what it must."""
    return [_read(path) for path in sorted((sql / "checks").glob("*.sql"))]


def run(lake: Lake, check: Check, since: datetime, until: datetime) -> Found:
    """Run a check over [since, until), UTC. Raises QueryError."""
    told = {"since": since, "until": until}
    used = {name: value for name, value in told.items() if f"${name}" in check.body}
    sql = f"""
        WITH offenders AS MATERIALIZED ({check.body})
        SELECT count(*), (SELECT to_json(list(o)) FROM (FROM offenders LIMIT {SHOWN}) AS o) FROM offenders
    """
    started = time.perf_counter()
    with query_errors():
        row = lake.connection.execute(sql, used).fetchone()
        has_rows = _has_rows(lake, check.table, told)
    offenders, first = row or (0, None)
    return Found(check, offenders, json.loads(first) if first else [], time.perf_counter() - started, has_rows)


def _has_rows(lake: Lake, table: str, told: dict[str, datetime]) -> bool | None:
    """Return whether a table has rows in that time; None for a table without a time."""
    times = _TIME.findall("".join(TABLES[table].partition)) if table in TABLES else []
    if not times:
        return None
    query = f"SELECT EXISTS (FROM {table} WHERE {times[0]} >= $since AND {times[0]} < $until)"
    row = lake.connection.execute(query, told).fetchone()
    return bool(row and row[0])


def joined(found: Sequence[Found]) -> Found:
    """Return what one check found in several times as one."""
    first = [row for each in found for row in each.first][:SHOWN]
    has_rows = [each.has_rows for each in found]
    any_rows = True if True in has_rows else None if None in has_rows else False
    offenders, seconds = sum(each.offenders for each in found), sum(each.seconds for each in found)
    return Found(found[0].check, offenders, first, seconds, any_rows)


def _read(path: Path) -> Check:
    lines = path.read_text().splitlines()
    head = "\n".join(line for line in lines if line.startswith("--"))
    named, about = _HEAD.match(head), _ABOUT.search(head)
    if named is None or about is None or named["name"] != path.stem:
        raise ValueError(f"{path} must open with `-- {path.stem}: what must hold` and `-- Failure. Table NAME.`")
    body = "\n".join(line for line in lines if not line.startswith("--")).strip().rstrip(";")
    notes = " ".join(line.lstrip("- ") for line in head.splitlines()[1:])
    severity: Literal["failure", "warning"] = "failure" if about["severity"] == "Failure" else "warning"
    return Check(path.stem, about["table"], severity, named["meaning"], notes, body)
