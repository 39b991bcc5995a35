"""What the doctor finds of settings, disk and warehouse, and how the command ends."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from collectors.findings import Finding
from liq import app
from pipelines.commands import doctor


def test_a_mistyped_variable_is_named_with_the_one_that_was_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIQ_COMMIT_INTERVALL_S", "1")
    (finding,) = doctor.settings(set())
    assert (finding.state, finding.mend) == ("warning", "LIQ_COMMIT_INTERVAL_S?")


def test_a_value_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIQ_GRID_S", "soon")
    (finding,) = doctor.settings(set())
    assert finding.state == "broken"
    assert "LIQ_GRID_S=soon" in finding.said


@pytest.mark.parametrize(("limit", "state"), [("SCARCE_GB", "warning"), ("TOO_LITTLE_GB", "broken")])
def test_a_disk_with_little_room_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, limit: str, state: str
) -> None:
    assert doctor.disk(tmp_path / "not" / "yet").subject == "disk"
    monkeypatch.setattr(doctor, limit, 1e9)
    assert doctor.disk(tmp_path).state == state


def test_a_warehouse_that_cannot_be_read_is_broken_and_one_that_is_not_yet_there_is_not(
    fresh_world: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (finding,) = doctor.warehouse(tmp_path_factory.mktemp("none"))
    assert finding.state == "warning"
    (finding,) = doctor.warehouse(fresh_world)
    assert (finding.state, finding.said) == ("good", f"in {fresh_world}; nothing waits for long, nothing is missing")
    (fresh_world / "lake" / "catalog.sqlite").write_bytes(b"no catalogue" * 1000)
    (finding,) = doctor.warehouse(fresh_world)
    assert finding.state == "broken"


def test_the_command_ends_with_1_where_something_is_broken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("BINANCE_UM_REST", "BINANCE_CM_REST", "BYBIT_REST", "OKX_REST"):
        monkeypatch.setenv(f"LIQ_{name}", "http://127.0.0.1:1")
    for name in ("BINANCE_UM_WS", "BINANCE_CM_WS", "BYBIT_WS", "OKX_WS"):
        monkeypatch.setenv(f"LIQ_{name}", "ws://127.0.0.1:1")
    monkeypatch.setenv("LIQ_DATA", str(tmp_path))
    ended = CliRunner().invoke(app, ["doctor"])
    assert ended.exit_code == 1
    assert "is the network up" in ended.output


def test_the_command_ends_with_0_where_only_warnings_are_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async def nothing_wrong() -> list[Finding]:
        return [Finding("okx", "good", "opens")]

    monkeypatch.setenv("LIQ_DATA", str(tmp_path))
    from typer import Typer

    alone = Typer()
    alone.command()(doctor.command(nothing_wrong, set))
    ended = CliRunner().invoke(alone, [])
    assert (ended.exit_code, "none yet in" in ended.output) == (0, True)
