"""The flow `refresh`: what follows from newly committed rows, in one run."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from pipelines.flows.audit import coverage
from pipelines.flows.detect_cascades import detect_cascades
from pipelines.flows.estimate_levels import estimate_levels_if_moved
from pipelines.flows.noted import noted
from pipelines.flows.rollup import rollup

STEPS = (coverage, rollup, detect_cascades, estimate_levels_if_moved)
"""Each after what it reads."""


@flow(name="refresh", persist_result=False)
@noted
def refresh() -> list[State[Any]]:
    """Bring coverage, bars and cascades up to date, and the levels where the market has moved, one after another in one
    process; a step that fails fails the run, and those after it run all the same. Run twice, the second changes nothing.
    """
    return [step(return_state=True) for step in STEPS]
