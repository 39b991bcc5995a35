"""Units and containers: what they start exists, with those options, and is given the time it needs to stop."""

import configparser
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

import liq
from collectors.service import SPOOL
from collectors.settings import CollectorSettings
from collectors.venues.known import USUAL
from pipelines.up.parts import PREFECT_FORGETS
from tests.infra import env_example

INFRA = Path(__file__).parents[2] / "infra"
COMMANDS = "/opt/liq/.venv/bin/"
UNITS = sorted((INFRA / "systemd").glob("*.service"))
COMPOSE = yaml.safe_load((INFRA / "compose.yaml").read_text())
DEMO = yaml.safe_load((INFRA / "compose.demo.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if name != "postgres"}


class Unit(configparser.RawConfigParser):
    """A unit; of a key that is there twice, the values are joined by a line end."""

    def __init__(self, file: Path) -> None:
        super().__init__(strict=False, delimiters=("=",), comment_prefixes=("#",), dict_type=_Joined)
        self.optionxform = str  # type: ignore[assignment,method-assign]
        self.read_string(file.read_text())


class _Joined(dict[str, Any]):
    def __setitem__(self, key: str, value: Any) -> None:
        if isinstance(value, list) and isinstance(before := self.get(key), list):
            value = [*before, *value]
        super().__setitem__(key, value)


def _of_units() -> Iterator[tuple[str, list[str]]]:
    for file in UNITS:
        for key in ("ExecStart", "ExecStop"):
            if line := Unit(file).get("Service", key, fallback=""):
                yield f"{file.name} {key}", shlex.split(line.replace("%i", "okx"))


def _of_containers() -> Iterator[tuple[str, list[str]]]:
    for name, service in [*OURS.items(), ("simulate", DEMO["services"]["simulate"])]:
        yield f"compose {name}", [COMMANDS + word for word in service.get("entrypoint", ["liq"])[:1]] + [
            *service.get("entrypoint", ["liq"])[1:], *service.get("command", []),
        ]  # fmt: skip


STARTED = dict([*_of_units(), *_of_containers()])


@pytest.mark.parametrize("where", STARTED)
def test_what_is_started_is_a_command_with_those_options(where: str) -> None:
    program, *arguments = STARTED[where]
    assert program.startswith(COMMANDS)
    if program == f"{COMMANDS}prefect":
        return  # the next test
    assert program == f"{COMMANDS}liq"
    done = CliRunner().invoke(liq.app, [*arguments, "--help"])
    assert done.exit_code == 0, done.output
    assert "Usage:" in done.output


def test_prefect_forgets_past_runs_wherever_it_is_started() -> None:
    script = """
import json
from prefect.settings import get_current_settings
server = get_current_settings().server
kept = server.services.db_vacuum.retention_period, server.events.retention_period
print(json.dumps([sorted(server.services.db_vacuum.enabled_vacuum_types), *(time.days for time in kept)]))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=os.environ | PREFECT_FORGETS
    )
    assert json.loads(done.stdout) == [["events", "flow_runs", "orphans"], 3, 1]
    unit = " ".join(Unit(INFRA / "systemd/liq-prefect.service").get("Service", "Environment").split())
    assert set(unit.split()) >= {f"{name}={value}" for name, value in PREFECT_FORGETS.items()}
    assert SERVICES["prefect"]["environment"].items() >= PREFECT_FORGETS.items()


def test_prefect_takes_the_options_its_server_is_started_with() -> None:
    calls = {tuple(call[1:]) for call in STARTED.values() if call[0].endswith("/prefect")}
    assert calls
    for call in calls:
        done = subprocess.run([sys.executable, "-m", "prefect", *call, "--help"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert all(word in done.stdout for word in call if word.startswith("--"))


def test_every_unit_belongs_to_the_target_and_runs_as_nobody_special() -> None:
    assert len(UNITS) == 7
    for file in UNITS:
        unit = Unit(file)
        assert unit["Unit"]["PartOf"] == unit["Install"]["WantedBy"] == "liq.target"
        assert unit["Service"]["User"] == unit["Service"]["Group"] == "liq"
        assert unit["Service"]["EnvironmentFile"] == "-/etc/liq/liq.env"
        assert unit["Service"]["Restart"] == "always"
        assert unit["Service"]["NoNewPrivileges"] == "yes"
        assert "MemoryDenyWriteExecute" not in unit["Service"]  # Java compiles while it runs


def test_what_a_unit_waits_for_is_a_unit() -> None:
    there = {file.name for file in UNITS} | {"network-online.target"}
    for file in UNITS:
        assert set(Unit(file)["Unit"]["After"].split()) <= there


def test_a_collector_has_time_to_hand_over_its_last_frames() -> None:
    defaults = CollectorSettings.model_fields
    needed = defaults["flush_timeout_s"].default + defaults["close_timeout_s"].default
    assert int(Unit(INFRA / "systemd" / "liq-collect@.service")["Service"]["TimeoutStopSec"]) > needed
    collectors = [service for name, service in OURS.items() if name.startswith("collect-")]
    assert all(int(service["stop_grace_period"].removesuffix("s")) > needed for service in collectors)


def test_what_a_collector_has_on_disk_outlives_its_container() -> None:
    folder = f"{OURS['collect-okx']['environment']['LIQ_DATA']}/{SPOOL}"
    collectors = [service for name, service in OURS.items() if name.startswith("collect-")]
    assert all(service["volumes"] == [f"spool:{folder}"] for service in collectors)
    assert f" {folder} " in (INFRA / "Dockerfile").read_text(), "it is liq's, as the volume will be"


def test_there_is_a_container_for_every_venue() -> None:
    assert {tuple(service["command"]) for name, service in OURS.items() if name.startswith("collect-")} == {
        ("collect", venue) for venue in USUAL
    }
    assert set(DEMO["services"]) == {"simulate", *(f"collect-{venue}" for venue in USUAL)}


def test_the_broker_stops_after_whoever_writes_to_it() -> None:
    for name in set(OURS) - {"broker", "prefect"}:
        assert OURS[name]["depends_on"]["broker"] == {"condition": "service_healthy"}
        assert OURS[name]["environment"]["LIQ_KAFKA_BOOTSTRAP"] == OURS["broker"]["environment"]["LIQ_KAFKA_LISTEN"]
    assert "LIQ_KAFKA_BOOTSTRAP" not in OURS["broker"]["environment"]  # `liq broker start` refuses with it


def test_containers_publish_ports_on_loopback_alone_and_run_without_privileges() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    for service in OURS.values():
        assert service["cap_drop"] == ["ALL"]
        assert service["read_only"] is True
    dockerfile = (INFRA / "Dockerfile").read_text()
    assert "\nUSER liq\n" in dockerfile
    assert "--require-hashes -r /opt/liq/requirements.lock" in dockerfile


def test_every_volume_is_declared() -> None:
    used = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert used == set(COMPOSE["volumes"])


def test_what_the_image_needs_is_not_ignored() -> None:
    ignored = (INFRA.parent / ".dockerignore").read_text().splitlines()
    kept = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    assert {"collectors", "pipelines", "warehouse", "sql", "liq.py", "requirements.lock"} <= kept
    assert all((INFRA.parent / name).exists() for name in kept)


def test_the_example_of_settings_is_what_the_settings_say() -> None:
    found = env_example.FILE.read_text()
    assert found == env_example.written(), "python -m tests.infra.env_example > infra/liq.env.example"


def test_variables_that_are_set_here_are_ones_that_something_reads() -> None:
    known = set(env_example.names(tuple(kind for kinds in env_example.PARTS.values() for kind in kinds)))
    units = [word for file in UNITS for word in shlex.split(Unit(file)["Service"]["Environment"])]
    given = {word.split("=")[0] for word in units}
    for service in [*OURS.values(), *DEMO["services"].values()]:
        given |= set(service.get("environment", {}))
    assert {name for name in given if name.startswith("LIQ_")} <= known
