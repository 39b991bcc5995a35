"""Checks: where what they ask for holds they say nothing, and where it is broken they say so.

A case is a JSON file sql/checks/cases/<check>.json. always: rows per table that both lakes have; holds, broken: rows that
one lake has; says: the offending rows that must come of the broken one, only the columns given are compared. Columns not
given are null. The time looked at is 2026-10-10.
"""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.sql.test_views import as_rows
from warehouse.checks import Check, Found, checks, run
from warehouse.lake import Lake
from warehouse.tables import TABLES
from warehouse.writer import append

CASES = Path(__file__).parent / "checks" / "cases"
CHECKS = {check.name: check for check in checks()}
SINCE = datetime(2026, 10, 10)  # noqa: DTZ001
UNTIL = SINCE + timedelta(days=1)


def _found(
    empty: Lake, check: Check, tables: dict[str, list[dict[str, Any]]], since: datetime = SINCE, until: datetime = UNTIL
) -> Found:
    try:
        for table, rows in tables.items():  # not `append`: it would keep out what some checks look for
            empty.connection.register("given", as_rows(table, rows).to_arrow())
            empty.connection.execute(f"INSERT INTO {table} FROM given")
        return run(empty, check, since, until)
    finally:
        for table in tables:
            empty.connection.execute(f"DELETE FROM {table}")


def _tables(*parts: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    return {name: [row for part in parts for row in part.get(name, [])] for name in {n for part in parts for n in part}}


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_is_silent_where_it_holds_and_names_what_offends_where_it_does_not(
    empty: Lake, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse.checks.SHOWN", 99)
    case = json.loads((CASES / f"{name}.json").read_text())
    always = case.get("always", {})
    assert _found(empty, CHECKS[name], _tables(always, case["holds"])).first == []
    found = _found(empty, CHECKS[name], _tables(always, case["broken"]))
    assert found.offenders == len(case["says"])
    says = sorted(case["says"], key=repr)
    assert sorted(({key: row[key] for key in says[0]} for row in found.first), key=repr) == says


@pytest.mark.parametrize("days", [-3, 3])
@pytest.mark.parametrize("name", [name for name, check in CHECKS.items() if "$since" in check.body])
def test_a_check_says_nothing_of_what_offends_at_another_time(empty: Lake, name: str, days: int) -> None:
    case = json.loads((CASES / f"{name}.json").read_text())
    then = SINCE + timedelta(days=days)
    broken = _tables(case.get("always", {}), case["broken"])
    assert _found(empty, CHECKS[name], broken, then, then + timedelta(days=1)).first == []


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_finds_nothing_in_an_empty_warehouse(empty: Lake, name: str) -> None:
    assert run(empty, CHECKS[name], SINCE, UNTIL).offenders == 0


def test_every_case_belongs_to_a_check_and_every_check_names_its_table() -> None:
    assert {path.stem for path in CASES.glob("*.json")} == CHECKS.keys()
    assert {check.table for check in CHECKS.values()} <= TABLES.keys()


@pytest.mark.parametrize(
    "head", ["-- other: it holds\n-- Failure. Table klines.", "-- one: it holds\n-- Table klines."]
)
def test_a_file_without_its_head_is_refused(tmp_path: Path, head: str) -> None:
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "one.sql").write_text(f"{head}\nSELECT 1")
    with pytest.raises(ValueError, match="must open with"):
        checks(tmp_path)


def test_many_offenders_are_counted_and_the_first_are_shown(empty: Lake) -> None:
    row = json.loads((CASES / "liquidations_sides_agree.json").read_text())["broken"]["liquidations"][0]
    rows = [row | {"event_key": number} for number in range(40)]
    append(empty, {"liquidations": as_rows("liquidations", rows)})
    try:
        found = run(empty, CHECKS["liquidations_sides_agree"], SINCE, UNTIL)
    finally:
        empty.connection.execute("DELETE FROM liquidations")
    assert (found.offenders, len(found.first)) == (40, 5)
