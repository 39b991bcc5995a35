"""`liq audit` and the flow: what is checked, day by day, and what is kept of it."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from liq import app
from pipelines.check.checking import audit, failed, span, store
from pipelines.derive.bars.run import rollup
from tests.pipelines.heard import liquidation, table
from warehouse import lake
from warehouse.checks import checks
from warehouse.lake import Lake
from warehouse.writer import append

NOON = datetime(2026, 10, 10, 12)  # noqa: DTZ001
DAYS = NOON - timedelta(days=2), NOON + timedelta(days=2)


@pytest.fixture
def warehouse(fresh_world: Path) -> Iterator[Lake]:
    with lake.open(fresh_world, read_only=False) as opened:
        yield opened


def _wrong(warehouse: Lake, **wrong: object) -> None:
    rows = [liquidation("okx", "A", NOON + timedelta(days=n), "all", source="import", **wrong) for n in (-1, 0, 1)]
    append(warehouse, {"liquidations": table("liquidations", rows)})


def _check(name: str):  # type: ignore[no-untyped-def]
    return [check for check in checks() if check.name == name]


def test_what_is_found_on_several_days_is_one_result(warehouse: Lake) -> None:
    _wrong(warehouse, order_side="buy")
    told: list[str] = []
    found = audit(warehouse, *DAYS, lambda check: told.append(check.name), _check("liquidations_sides_agree"))
    assert [(each.offenders, len(each.first)) for each in found] == [(3, 3)]
    assert told == ["liquidations_sides_agree"] * 5
    assert failed(found)


def test_a_warning_is_no_failure(warehouse: Lake) -> None:
    _wrong(warehouse, price=5.0)
    found = audit(warehouse, *DAYS, those=_check("liquidations_amounts_agree"))
    assert found[0].offenders == 3
    assert not failed(found)


def test_by_default_yesterday_and_today_are_looked_at_but_for_the_last_five_minutes() -> None:
    assert span(NOON) == (datetime(2026, 10, 9), NOON - timedelta(minutes=5))  # noqa: DTZ001


def test_whole_minutes_are_looked_at_as_half_a_minutes_rows_are_not_its_bar() -> None:
    second = timedelta(seconds=30)
    assert span(NOON, NOON - timedelta(hours=2) + second, NOON - timedelta(hours=1) + second) == (
        NOON - timedelta(hours=2), NOON - timedelta(hours=1))  # fmt: skip
    assert span(NOON + second)[1] == NOON - timedelta(minutes=5)


def test_results_are_kept_and_the_last_of_each_check_is_shown(warehouse: Lake) -> None:
    _wrong(warehouse, order_side="buy")
    for _ in range(2):
        found = audit(warehouse, *DAYS, those=_check("liquidations_sides_agree"))
        store(warehouse, found, *DAYS)
        warehouse.connection.execute("DELETE FROM liquidations")
    assert warehouse.connection.execute("SELECT offenders FROM audit_results ORDER BY ts").fetchall() == [(3,), (0,)]
    assert warehouse.connection.execute("SELECT name, result, offenders FROM audit_last").fetchall() == [
        ("liquidations_sides_agree", "ok", 0)
    ]


@pytest.mark.parametrize(("side", "code"), [("sell", 0), ("buy", 1)])
def test_the_command_ends_with_1_where_something_must_hold_and_does_not(
    tmp_path: Path, warehouse: Lake, monkeypatch: pytest.MonkeyPatch, side: str, code: int
) -> None:
    rows = [liquidation("okx", "A", NOON, "partial", "import", order_side=side, price=1.0)]
    append(warehouse, {"liquidations": table("liquidations", rows)})
    rollup(warehouse)
    monkeypatch.setenv("LIQ_DATA", str(tmp_path))
    done = CliRunner().invoke(app, ["audit", "--since", "2026-10-10", "--until", "2026-10-11"])
    assert done.exit_code == code, done.output
    assert ("FAILED" in done.output) == bool(code)
    assert '"order_side": "buy"' in done.output or not code
    assert "2026-10-10 00:00:00 to 2026-10-11 00:00:00" in done.output


def test_a_table_without_rows_of_the_time_is_not_ok_there_is_nothing_to_say(
    tmp_path: Path, warehouse: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(warehouse, {"liquidations": table("liquidations", [liquidation("okx", "A", NOON, "partial", "import")])})
    rollup(warehouse)
    monkeypatch.setenv("LIQ_DATA", str(tmp_path))

    def told(*time: str) -> str:
        return CliRunner().invoke(app, ["audit", *time]).output

    there = told("--since", "2026-10-10", "--until", "2026-10-11")
    assert re.search(r"ok +0  liquidations_sides_agree", there)
    assert re.search(r"- +no rows  klines_sane", there)
    nothing = told("--since", "2026-10-08", "--until", "2026-10-09")
    assert "nothing is stored of that time" in nothing
    assert not re.search(r"ok +0  liquidations_sides_agree", nothing)


def test_where_everything_has_ended_the_last_minutes_are_looked_at_too() -> None:
    ended = NOON - timedelta(minutes=2, seconds=20)
    assert span(NOON, ended=ended)[1] == NOON - timedelta(minutes=2)


def test_nothing_to_look_at_is_said(tmp_path: Path, warehouse: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIQ_DATA", str(tmp_path))
    done = CliRunner().invoke(app, ["audit", "--since", "2099-01-01"])
    assert done.exit_code == 2
    assert "nothing to check" in done.output
