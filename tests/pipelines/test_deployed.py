"""The flows in a work pool of a real Prefect server: found as modules, and never two runs of one, whoever asks for them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from prefect.flows import load_flow_from_entrypoint
from typer.testing import CliRunner

import liq
from pipelines.flows.schedule import EVERY
from pipelines.flows.served import SERVED
from pipelines.up import prefect_database
from pipelines.up.parts import prefect_env

SCRIPT = """
import json
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.states import Completed, Pending, Running
from pipelines.errors import UsageError
from pipelines.flows.deployed import deploy_all
from pipelines.flows.own_server import start_own_server

start_own_server()
try:
    deploy_all("nope")
except UsageError as error:
    refused = str(error)
with get_client(sync_client=True) as client:
    client.create_work_pool(WorkPoolCreate(name="liq", type="process"))
    names = deploy_all("liq")
    found = {}
    for each in client.read_deployments():
        (schedule,) = each.schedules
        found[each.name] = [each.entrypoint, each.work_pool_name, schedule.schedule.interval.total_seconds(), each.parameters]
    deployment = client.read_deployment_by_name("refresh/refresh").id
    first, second = (client.create_flow_run_from_deployment(deployment) for _ in range(2))
    states = [client.set_flow_run_state(first.id, Pending()), client.set_flow_run_state(second.id, Pending())]
    states += [client.set_flow_run_state(first.id, state) for state in (Running(), Completed())]
    third = client.create_flow_run_from_deployment(deployment)
    states.append(client.set_flow_run_state(third.id, Pending()))
print(json.dumps({"refused": refused, "names": names, "found": found, "states": [each.state.type for each in states]}))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the script found, against a server of its own."""
    world = tmp_path_factory.mktemp("world")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    env = kept | {"LIQ_DATA": str(world)} | prefect_env(world)
    prefect_database.put(Path(env["PREFECT_HOME"]))  # made before, if a server ever ran here
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=env, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_every_scheduled_flow_is_deployed_once_with_its_interval_and_parameters(told: dict[str, Any]) -> None:
    assert told["names"] == list(EVERY)
    assert {name: (pool, every, given) for name, (_, pool, every, given) in told["found"].items()} == {
        each.deployment: ("liq", EVERY[each.deployment].total_seconds(), dict(each.parameters)) for each in SERVED
    }


def test_a_worker_finds_each_flow_by_its_module(told: dict[str, Any]) -> None:
    for each in SERVED:
        entrypoint = told["found"][each.deployment][0]
        assert load_flow_from_entrypoint(entrypoint, use_placeholder_flow=False).name == each.flow.name


def test_a_run_beside_another_of_its_flow_is_cancelled_and_the_one_after_it_runs(told: dict[str, Any]) -> None:
    assert told["states"] == ["PENDING", "CANCELLED", "RUNNING", "COMPLETED", "PENDING"]


def test_a_pool_that_is_not_there_is_named_with_how_to_make_it(told: dict[str, Any]) -> None:
    assert told["refused"] == "no work pool nope at Prefect's server: prefect work-pool create nope --type process"


def test_without_a_server_nothing_is_deployed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LIQ_DATA", str(tmp_path))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    done = CliRunner().invoke(liq.app, ["flows", "deploy", "liq"])
    assert "PREFECT_API_URL is not set" in done.output
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    done = CliRunner().invoke(liq.app, ["flows", "deploy", "liq"])
    assert "Prefect's server: http://127.0.0.1:9/api does not answer" in done.output
