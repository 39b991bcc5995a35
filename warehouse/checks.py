"""What must hold in the tables: the queries of sql/checks, each of which returns the rows that offend."""

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

SHOWN = 5

_HEAD = re.compile(r"-- (?P<name>\w+): (?P<meaning>.+)")
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
    """What a check found: how many rows offend, the first of them, and how long it took."""

    check: Check
    offenders: int
    first: list[dict[str, Any]]
    seconds: float


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
    offenders, first = row or (0, None)
    return Found(check, offenders, json.loads(first) if first else [], time.perf_counter() - started)


def joined(found: Sequence[Found]) -> Found:
    """Return what one check found in several times as one."""
    first = [row for each in found for row in each.first][:SHOWN]
    return Found(found[0].check, sum(each.offenders for each in found), first, sum(each.seconds for each in found))


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
