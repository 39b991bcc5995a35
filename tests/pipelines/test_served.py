"""The flows on a schedule: each is one that infra/prefect.yaml deploys as well, and can be run by hand."""

import re
from pathlib import Path

import pytest
import yaml

from pipelines.commands.pipeline import FLOWS
from pipelines.errors import UsageError
from pipelines.flows.refresh import STEPS
from pipelines.flows.schedule import BY_HAND
from pipelines.flows.served import SERVED, run_once

DEPLOYED = yaml.safe_load((Path(__file__).parents[2] / "infra" / "prefect.yaml").read_text())["deployments"]


def test_what_is_served_is_deployed_with_the_same_parameters() -> None:
    deployed = {
        (each["entrypoint"].rpartition(":")[2], str(each["parameters"])) for each in DEPLOYED if each["schedules"]
    }
    assert {(each.flow.name, str(dict(each.parameters))) for each in SERVED} <= deployed


def test_each_deployment_names_a_flow_that_is_there() -> None:
    for each in DEPLOYED:
        path, name = each["entrypoint"].split(":")
        assert f"def {name}(" in (Path(__file__).parents[2] / path).read_text()


def test_the_help_names_every_flow_that_can_be_run_once() -> None:
    told = set(re.findall(r"\w+", FLOWS))
    can = {flow.name for flow in (*(each.flow for each in SERVED), *STEPS)}
    assert can <= told
    assert can == set(BY_HAND)


def test_an_unknown_flow_is_named_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="no flow nope; known: refresh, "):
        run_once(["nope"])
