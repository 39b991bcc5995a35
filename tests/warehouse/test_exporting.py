"""`liq export`: what is stored comes out once, a file a day, and a folder with a manifest is whole."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from liq import app
from tests.warehouse.conftest import NOON
from warehouse.exporting.days import Span, whole_days
from warehouse.lake import Lake
from warehouse.query import query
from warehouse.writer import append

Maker = Callable[..., pl.DataFrame]
DAY = timedelta(days=1)


@pytest.fixture
def export(world: Path, writer: Lake, liquidations: Maker, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Return a caller of `liq export` in a world with liquidations of three days, 30 each."""
    for number in range(3):
        append(writer, {"liquidations": liquidations(30, NOON + number * DAY, first=number * 100)})
    monkeypatch.setenv("LIQ_DATA", str(world))
    monkeypatch.chdir(world)
    return lambda *words: CliRunner().invoke(app, ["export", *words])


def manifest(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "manifest.json").read_text())


def kept(folder: Path) -> dict[str, tuple[int, int]]:
    """Return the files of data: which, and when written."""
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.glob("2026*")}


def test_every_row_comes_out_once_a_file_a_day(export: Callable[..., Result], world: Path) -> None:
    done = export("Liquidations")
    assert done.exit_code == 0, done.output
    folder = world / "export" / "liquidations"
    assert [each["file"] for each in manifest(folder)["files"]] == [f"2026-10-{day}.parquet" for day in (10, 11, 12)]
    stored = query("FROM liquidations ORDER BY event_key", world)
    assert pl.read_parquet(folder / "*.parquet").sort("event_key").equals(stored)
    assert manifest(folder)["rows"] == 90
    assert "90 rows" in done.output


def test_the_manifest_names_rows_bytes_and_sums_of_each_file(export: Callable[..., Result], world: Path) -> None:
    export("liquidations", "-o", "out")
    for each in manifest(world / "out")["files"]:
        path = world / "out" / each["file"]
        assert (each["rows"], each["bytes"]) == (pl.read_parquet(path).height, path.stat().st_size)
    subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=world / "out", check=True, capture_output=True
    )


def test_a_second_export_changes_nothing_and_later_rows_change_their_day_alone(
    export: Callable[..., Result], world: Path, writer: Lake, liquidations: Maker
) -> None:
    export("liquidations", "-o", "out")
    before = kept(world / "out")
    assert "0 of them changed" in export("liquidations", "-o", "out").output
    assert kept(world / "out") == before
    append(writer, {"liquidations": liquidations(1, NOON + DAY, first=900)})
    assert "91 rows" in export("liquidations", "-o", "out").output
    after = kept(world / "out")
    assert {name for name in after if after[name] != before[name]} == {"2026-10-11.parquet"}


def test_days_that_are_asked_for_are_replaced_and_the_others_stay(
    export: Callable[..., Result], world: Path, writer: Lake, liquidations: Maker
) -> None:
    export("liquidations", "-o", "out", "--until", "2026-10-12")
    assert manifest(world / "out")["rows"] == 60
    export("liquidations", "-o", "out", "--since", "2026-10-12T15:00")
    assert manifest(world / "out")["rows"] == 90  # the whole day that has 15:00
    assert len(kept(world / "out")) == 3


def test_a_view_of_all_time_comes_as_csv_a_day_a_file(export: Callable[..., Result], world: Path) -> None:
    done = export("liquidations_filled_in", "--format", "csv", "-o", "out")
    assert done.exit_code == 0, done.output
    read = [pl.read_csv(path).height for path in sorted((world / "out").glob("*.csv"))]
    assert read == [30, 30, 30]
    assert sum(read) == query("SELECT count(*) FROM liquidations_filled_in", world).item()


def test_what_has_no_time_is_one_file(export: Callable[..., Result], world: Path) -> None:
    export("cascade_rules", "-o", "rules")
    assert [each["file"] for each in manifest(world / "rules")["files"]] == ["all.parquet"]


@pytest.mark.local("files in a folder, which are taken away")
def test_an_export_that_fails_leaves_the_one_before_and_no_other_file(
    export: Callable[..., Result], world: Path
) -> None:
    export("liquidations", "-o", "out")
    before = kept(world / "out")
    (world / "lake" / "files").rename(world / "away")
    assert export("liquidations", "-o", "out").exit_code == 1
    assert kept(world / "out") == before
    assert not (world / "out" / ".new").exists()
    assert manifest(world / "out")["rows"] == 90


def test_a_killed_export_leaves_no_half_that_looks_whole(
    export: Callable[..., Result], world: Path, writer: Lake, liquidations: Maker
) -> None:
    append(writer, {"liquidations": liquidations(60_000, NOON + 4 * DAY, first=10_000)})
    command = [sys.executable, "-m", "liq", "export", "liquidations", "-o", "out"]
    running = subprocess.Popen(command, env=os.environ, cwd=world, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while running.poll() is None and not list((world / "out").glob(".new/*")):
        time.sleep(0.001)
    running.send_signal(signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    assert not (world / "out" / "manifest.json").exists()
    assert list((world / "out").glob("*.parquet")) == []
    assert export("liquidations", "-o", "out").exit_code == 0
    assert manifest(world / "out")["rows"] == 60_090
    assert pl.read_parquet(world / "out" / "*.parquet").height == 60_090


def test_one_that_was_interrupted_while_files_took_their_places_has_no_manifest_and_is_mended(
    export: Callable[..., Result], world: Path
) -> None:
    export("liquidations", "-o", "out")
    (world / "out" / "manifest.json").rename(world / "out" / "manifest.incomplete.json")
    (world / "out" / "2026-10-11.parquet").write_bytes(b"half")
    assert export("liquidations", "-o", "out").exit_code == 0
    assert pl.read_parquet(world / "out" / "*.parquet").height == 90
    assert not (world / "out" / "manifest.incomplete.json").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("liquidation", "-o", "x"), "did you mean liquidations"),
        (("../nothing",), "no table or view"),
        pytest.param(
            ("liquidations", "-o", "lake"),
            "has other files",
            marks=pytest.mark.local("the catalogue's folder, which has files"),
        ),
        (("cascade_rules", "-o", "out"), "has an export of liquidations as parquet"),
        (("liquidations", "-o", "out", "-f", "csv"), "has an export of liquidations as parquet"),
        (("liquidations", "--since", "2026-10-12", "--until", "2026-10-10"), "--since must be before --until"),
    ],
)
def test_what_cannot_be_exported_is_said_and_harms_nothing(
    export: Callable[..., Result], world: Path, words: tuple[str, ...], said: str
) -> None:
    export("liquidations", "-o", "out")
    done = export(*words)
    assert done.exit_code in (1, 2)
    assert said in done.stderr
    assert manifest(world / "out")["rows"] == 90
    assert not (world / "export").exists()


def test_a_stretch_of_time_is_of_whole_days() -> None:
    since, until = datetime(2026, 10, 10, 15), datetime(2026, 10, 12)  # noqa: DTZ001
    assert whole_days(since, until) == Span(since.date(), until.date())
    assert whole_days(since, since).has(since.date())
