"""The flows that run on a schedule, and how often: what `liq flows serve` serves and `liq flows run` runs once."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast

from prefect import Flow, serve
from prefect.deployments.runner import RunnerDeployment

from pipelines.errors import UsageError
from pipelines.flows.audit import audit, coverage
from pipelines.flows.backtest_levels import backtest_levels
from pipelines.flows.detect_cascades import detect_cascades
from pipelines.flows.estimate_levels import estimate_levels
from pipelines.flows.find_signals import find_signals
from pipelines.flows.maintain import maintain
from pipelines.flows.rollup import rollup

EVERY: dict[Flow[..., Any], timedelta] = {
    maintain: timedelta(minutes=2),
    rollup: timedelta(minutes=1),
    coverage: timedelta(minutes=1),
    audit: timedelta(hours=1),
    detect_cascades: timedelta(minutes=1),
    estimate_levels: timedelta(minutes=5),
    find_signals: timedelta(minutes=5),
    backtest_levels: timedelta(days=1),
}

FRESH = (coverage, rollup, detect_cascades, estimate_levels, find_signals)
"""What is derived from newly committed rows, each after what it reads."""


def run_once(names: Sequence[str] = ()) -> None:
    """Run the named flows now, or those of `FRESH`, one after another. Raises UsageError for an unknown name."""
    known = {flow.name: flow for flow in EVERY}
    if unknown := [name for name in names if name not in known]:
        raise UsageError(f"no flow {', '.join(unknown)}; known: {', '.join(known)}")
    for flow in [known[name] for name in names] or FRESH:
        flow()


def serve_all() -> None:
    """Serve every scheduled flow from this process until it is stopped; one run of a flow at a time."""
    deployments = [
        flow.to_deployment(name=flow.name, interval=every, concurrency_limit=1) for flow, every in EVERY.items()
    ]
    serve(*cast(list[RunnerDeployment], deployments))  # awaitable only inside an event loop
