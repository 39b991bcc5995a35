"""Flows on two machines, here two worlds with one lake in a real PostgreSQL: what is noted, and one run of each at a time."""

import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines.flows import everywhere, figures, notes
from pipelines.flows.noted import noted
from pipelines.flows.notes import Note
from pipelines.flows.schedule import EVERY
from pipelines.flows.served import overdue
from pipelines.status import parts
from pipelines.status.kafka import Away
from pipelines.status.seen import Seen
from tests.pipelines.test_flow_notes import _runs
from warehouse import lake, schema
from warehouse.beside import Beside
from warehouse.jobs import TABLE
from warehouse.place import Place
from warehouse.settings import WarehouseSettings

NOW = time.time()


@pytest.fixture
def two(
    on_server: tuple[Path, dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Path, Path]]:
    """Two worlds with one lake in which no flow has run."""
    for name, value in on_server[1].items():
        monkeypatch.setenv(name, value)
    yield tmp_path / "one", tmp_path / "two"
    Beside(Place(tmp_path, WarehouseSettings()), "test").do(f"DELETE FROM {TABLE}")


def test_what_a_flow_did_on_one_machine_is_seen_on_another(
    two: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()  # `liq status` looks at the clock
    one, other = two
    monkeypatch.setattr(socket, "gethostname", lambda: "machine-1")
    everywhere.serving(one, now - 9000)
    everywhere.write(one, "refresh", Note().began(now - 9).succeeded(now - 8))
    everywhere.write(one, "audit", Note().began(now - 9).failed(now - 7, "it's full: \\ 'disk'"))
    found = everywhere.found(other)
    assert found["refresh"] == Note(now - 9, now - 8, now - 8, host="machine-1")
    assert found["audit"] == Note(now - 9, now - 7, 0, now - 7, "it's full: \\ 'disk'")
    assert everywhere.served_since(other) == now - 9000
    assert everywhere.found(one)["refresh"].host == ""
    with lake.open(other) as opened:
        told = {
            each.subject: each
            for each in parts.flows(Seen(other, datetime.now(UTC).replace(tzinfo=None), opened, Away("")))
        }
    assert told["flow refresh"].state == "good"
    assert told["flow refresh"].said.endswith("ago on machine-1")
    assert "it's full" in told["flow audit"].said
    assert told["flow maintain"].state == "needs you"
    assert [line.split()[1] for line in figures.wrong(other)] == [
        name for name, every in EVERY.items() if name != "refresh" and 3 * every.total_seconds() < 9000
    ]
    assert [
        sample.value for metric in figures.metrics(other) for sample in metric.samples if metric.name == "liq_flow_runs"
    ] == [0] * len(EVERY)


def test_an_older_note_takes_nothing_away_from_a_later_one(two: tuple[Path, Path]) -> None:
    one, other = two
    everywhere.write(one, "refresh", Note().began(NOW - 9).failed(NOW - 8, "late"))
    everywhere.write(other, "refresh", Note().began(NOW - 99).failed(NOW - 90, "early"))
    everywhere.write(other, "refresh", Note().began(NOW - 80).succeeded(NOW - 70))
    for world in two:
        note = everywhere.found(world)["refresh"]
        assert (note.started_s, note.ended_s, note.succeeded_s) == (NOW - 9, NOW - 8, NOW - 70)
        assert (note.failed_s, note.error) == (NOW - 8, "late")


def test_a_flow_that_runs_on_one_machine_is_not_run_on_another(
    two: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = two
    monkeypatch.setenv("LIQ_DATA", str(other))
    run = _runs(monkeypatch, "refresh")
    with everywhere.only_run(one, "refresh", run) as only:
        assert only
        assert everywhere.running(other, "refresh") == run
        done: Any = noted(lambda: 1)()
        assert done.name == "Skipped"
    assert everywhere.running(other, "refresh") == ""
    assert noted(lambda: 1)() == 1
    assert everywhere.found(one)["refresh"].succeeded_s > NOW


def test_what_another_machine_ran_or_runs_is_not_caught_up_with_here(two: tuple[Path, Path]) -> None:
    one, other = two
    notes.write(other, "refresh", Note().began(NOW - 9000).succeeded(NOW - 9000))
    assert overdue(other, NOW) == ["refresh"]
    everywhere.write(one, "refresh", Note().began(NOW - 9).succeeded(NOW - 8))
    everywhere.write(one, "audit", Note().began(NOW - 9))
    assert overdue(other, NOW) == ["audit"], "it was killed there"
    with everywhere.only_run(one, "audit", "its-id"):
        assert overdue(other, NOW) == []


def test_where_the_catalogue_does_not_answer_a_flow_runs_and_is_noted_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("LIQ_CATALOGUE", "host=127.0.0.1 port=9 dbname=liq")
    with everywhere.only_run(tmp_path, "refresh", "its-id") as only:
        assert only
    everywhere.write(tmp_path, "refresh", Note().began(NOW).failed(NOW, "no catalogue"))
    assert everywhere.found(tmp_path)["refresh"].error == "no catalogue"
    assert "catalogue=away" in caplog.text


def test_a_lake_of_an_older_version_gets_the_list_of_jobs_by_its_next_migration(
    on_server: tuple[Path, dict[str, str]], two: tuple[Path, Path], caplog: pytest.LogCaptureFixture
) -> None:
    one, other = two
    Beside(Place(one, WarehouseSettings()), "test").do(f"DROP TABLE {TABLE}")
    everywhere.write(one, "refresh", Note().began(NOW))
    assert everywhere.found(other) == {}
    assert "flow=refresh catalogue=away" in caplog.text
    schema.create_or_migrate(on_server[0] / "one", [], [])
    everywhere.write(one, "refresh", Note().began(NOW))
    assert everywhere.found(other)["refresh"].started_s == NOW
