"""The flows that run on a schedule, and how often: what `liq flows serve` serves."""

from datetime import timedelta
from typing import Any, cast

from prefect import Flow, serve
from prefect.deployments.runner import RunnerDeployment

from pipelines.flows.audit import audit, coverage
from pipelines.flows.backtest_levels import backtest_levels
from pipelines.flows.detect_cascades import detect_cascades
from pipelines.flows.estimate_levels import estimate_levels
from pipelines.flows.maintain import maintain
from pipelines.flows.rollup import rollup

EVERY: dict[Flow[..., Any], timedelta] = {
    maintain: timedelta(minutes=2),
    rollup: timedelta(minutes=1),
    coverage: timedelta(minutes=1),
    audit: timedelta(hours=1),
    detect_cascades: timedelta(minutes=1),
    estimate_levels: timedelta(minutes=5),
    backtest_levels: timedelta(days=1),
}


def serve_all() -> None:
    """Serve every scheduled flow from this process until it is stopped; one run of a flow at a time."""
    deployments = [
        flow.to_deployment(name=flow.name, interval=every, concurrency_limit=1) for flow, every in EVERY.items()
    ]
    serve(*cast(list[RunnerDeployment], deployments))  # awaitable only inside an event loop
