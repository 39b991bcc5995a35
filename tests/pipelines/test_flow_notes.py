"""What is noted of flows, that one run of each goes at a time, and what a killed `liq flows serve` leaves."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from prefect.client.schemas.objects import StateType
from prefect.context import FlowRunContext
from prefect.states import Completed, Failed

from pipelines.flows import notes
from pipelines.flows.leftovers import clear
from pipelines.flows.noted import noted
from pipelines.flows.schedule import EVERY, anchor
from pipelines.flows.served import SERVED, overdue
from pipelines.up.parts import prefect_env


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is this test's world."""
    monkeypatch.setenv("LIQ_DATA", str(tmp_path))
    return tmp_path


def _runs(monkeypatch: pytest.MonkeyPatch, deployment: str = "", parent: bool = False) -> str:
    """Have the functions called as Prefect calls them; return the run's id."""
    run = SimpleNamespace(
        id=uuid4(), deployment_id=uuid4() if deployment else None, parent_task_run_id=uuid4() if parent else None
    )
    monkeypatch.setattr(FlowRunContext, "get", classmethod(lambda cls: SimpleNamespace(flow_run=run)))
    monkeypatch.setenv("PREFECT__DEPLOYMENT_NAME", deployment)
    return str(run.id)


def test_a_success_and_a_failure_of_a_flow_are_noted(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _runs(monkeypatch, "detect-cascades-again")
    assert noted(lambda: 3)() == 3
    good = notes.read(world, "detect_cascades_again")
    assert good is not None
    assert good.succeeded_s == good.ended_s >= good.started_s > 0
    with pytest.raises(ValueError, match="nothing"):
        noted(lambda: int("nothing"))()
    bad = notes.read(world, "detect_cascades_again")
    assert bad is not None
    assert (bad.runs, bad.failures, bad.succeeded_s) == (2, 1, good.succeeded_s)
    assert bad.error.startswith("ValueError: invalid literal")
    assert bad.failed_s == bad.ended_s > good.ended_s


def test_a_flow_of_which_a_step_failed_has_failed(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _runs(monkeypatch, "refresh")
    noted(lambda: [Completed(), Failed(message="the disk is full")])()
    note = notes.read(world, "refresh")
    assert note is not None
    assert (note.failures, note.succeeded_s, note.error) == (1, 0.0, "the disk is full")


def test_a_step_is_not_noted_and_a_flow_run_by_hand_is(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refresh() -> int:
        return 1

    _runs(monkeypatch, parent=True)
    noted(refresh)()
    assert notes.read(world, "refresh") is None
    _runs(monkeypatch)
    noted(refresh)()
    assert notes.read(world, "refresh") is not None


def test_beside_a_run_that_is_under_way_another_does_nothing(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _runs(monkeypatch, "refresh")
    with notes.only_run(world, "refresh", "the other"):
        done: Any = noted(lambda: 1)()
    assert done.name == "Skipped"
    assert done.is_completed()
    assert notes.read(world, "refresh") is None
    assert noted(lambda: 1)() == 1


def test_a_run_that_is_killed_keeps_nobody_out(world: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from pipelines.flows import notes\n"
        "with notes.only_run(Path(sys.argv[1]), 'refresh', 'its id'):\n    print('in', flush=True); time.sleep(99)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(world)], stdout=subprocess.PIPE) as killed:
        assert killed.stdout is not None
        killed.stdout.readline()
        assert notes.running(world, "refresh") == "its id"
        os.kill(killed.pid, signal.SIGKILL)
    assert notes.running(world, "refresh") == ""
    with notes.only_run(world, "refresh", "the next") as only:
        assert only


def test_a_flow_writes_its_log_as_everything_else_does_and_in_utc(world: Path) -> None:
    code = (
        "from pipelines.flows.noted import log; import prefect.context; "
        "prefect.context.root_settings_context(); from prefect.logging.configuration import setup_logging; setup_logging(); "
        "log.info('flow=%s state=%s', 'refresh', 'completed')"
    )
    env = {**os.environ, **prefect_env(world), "TZ": "Asia/Tokyo"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    (line,) = done.stderr.splitlines()
    time, said = line.split(" ", 1)
    assert said == "INFO prefect.flows flow=refresh state=completed"
    assert abs(datetime.now(UTC) - datetime.fromisoformat(time)) < timedelta(minutes=5)


class Server:
    """As much of Prefect's client as is used, with runs that have begun."""

    def __init__(self, *names: str) -> None:
        self.runs = [SimpleNamespace(id=name, name=name, state_name="Running") for name in names]
        self.set: dict[str, StateType] = {}

    async def read_flow_runs(self, **_: object) -> list[SimpleNamespace]:
        return self.runs

    async def set_flow_run_state(self, run: str, state: Any, force: bool) -> None:
        self.set[run] = state.type


async def test_begun_runs_that_nobody_runs_are_cleared_away_and_one_that_still_runs_is_not(world: Path) -> None:
    server: Any = Server("left", "living")
    with notes.only_run(world, "refresh", "living"):
        assert await clear(server, world, ["refresh"]) == 1
    assert server.set == {"left": StateType.CRASHED}


def test_what_was_missed_or_killed_is_run_at_once(world: Path) -> None:
    now = time.time()
    assert overdue(world, now) == []  # a new world: everything at its time
    day = timedelta(days=1).total_seconds()
    notes.write(world, "audit", notes.Note().began(now - day).succeeded(now - day))
    notes.write(world, "maintain", notes.Note().began(now - 60).succeeded(now - 50))
    notes.write(world, "backtest_levels", notes.Note().began(now - 60))
    assert overdue(world, now) == ["audit", "backtest_levels"]
    with notes.only_run(world, "backtest_levels", "still at it"):
        assert overdue(world, now) == ["audit"]


def test_every_flow_that_is_served_has_an_interval_counted_from_one_instant() -> None:
    assert [each.deployment for each in SERVED] == list(EVERY)
    assert anchor("audit") == anchor("audit")
    assert len({anchor(name) for name in EVERY}) == len(EVERY)
