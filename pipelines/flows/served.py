"""The flows that run on a schedule, and how often: what `liq flows serve` serves and `liq flows run` runs once."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple, cast

from prefect import Flow, serve
from prefect.deployments.runner import RunnerDeployment

from pipelines.errors import UsageError
from pipelines.flows.audit import audit
from pipelines.flows.backtest_levels import backtest_levels
from pipelines.flows.detect_cascades import detect_cascades
from pipelines.flows.estimate_levels import estimate_levels
from pipelines.flows.find_signals import find_signals
from pipelines.flows.maintain import maintain
from pipelines.flows.refresh import STEPS, refresh


class Served(NamedTuple):
    """A flow, how often it runs, with what parameters, and the name of its deployment where it is not the flow's."""

    flow: Flow[..., Any]
    every: timedelta
    parameters: Mapping[str, Any] = {}
    name: str = ""


SERVED = (
    Served(refresh, timedelta(minutes=1)),
    Served(maintain, timedelta(minutes=2)),
    Served(estimate_levels, timedelta(minutes=5)),
    Served(find_signals, timedelta(minutes=5)),
    Served(audit, timedelta(hours=1)),
    Served(backtest_levels, timedelta(days=1)),
    Served(detect_cascades, timedelta(days=1), {"back_hours": 72}, "detect_cascades_again"),  # with what came late
)
FRESH = (refresh, estimate_levels, find_signals)
"""What newly committed rows change."""


def run_once(names: Sequence[str] = ()) -> None:
    """Run the named flows now, or those of `FRESH`, one after another. Raises UsageError for an unknown name."""
    known = {flow.name: flow for flow in (*(each.flow for each in SERVED), *STEPS)}
    if unknown := [name for name in names if name not in known]:
        raise UsageError(f"no flow {', '.join(unknown)}; known: {', '.join(known)}")
    for flow in [known[name] for name in names] or FRESH:
        flow()


def serve_all() -> None:
    """Serve every scheduled flow from this process until it is stopped; one run of a flow at a time."""
    deployments = [
        each.flow.to_deployment(
            name=each.name or each.flow.name, interval=each.every, parameters=dict(each.parameters), concurrency_limit=1
        )
        for each in SERVED
    ]
    serve(*cast(list[RunnerDeployment], deployments))  # awaitable only inside an event loop
