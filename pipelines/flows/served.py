"""The flows that run on a schedule: what `liq flows serve` serves and `liq flows run` runs once. How often: `schedule.py`."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, cast
from uuid import UUID

from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import TerminationSignal
from prefect.runner import Runner
from prefect.schedules import Interval

from collectors.metrics import Figures, serving
from pipelines.flows import everywhere, figures, notes
from pipelines.flows.audit import audit
from pipelines.flows.backtest_levels import backtest_levels
from pipelines.flows.checked import Checked
from pipelines.flows.detect_cascades import detect_cascades
from pipelines.flows.estimate_levels import estimate_levels
from pipelines.flows.find_signals import find_signals
from pipelines.flows.leftovers import clear
from pipelines.flows.maintain import maintain
from pipelines.flows.own_server import start_own_server
from pipelines.flows.refresh import STEPS, refresh
from pipelines.flows.schedule import EVERY, anchor, only_known
from pipelines.ingest.alone import alone
from pipelines.settings import IngestSettings, MetricsSettings


class Served(NamedTuple):
    """A flow, with what parameters it runs, and the name of its deployment where it is not the flow's."""

    flow: Flow[..., Any]
    parameters: Mapping[str, Any] = {}
    name: str = ""

    @property
    def deployment(self) -> str:
        """The name of the deployment, as in `schedule.EVERY`."""
        return self.name or self.flow.name


SERVED = (
    Served(refresh),
    Served(maintain),
    Served(estimate_levels),
    Served(find_signals),
    Served(audit),
    Served(backtest_levels),
    Served(detect_cascades, {"back_hours": 72}, "detect_cascades_again"),
)
FRESH = (refresh, estimate_levels, find_signals)
"""What newly committed rows change."""


def run_once(names: Sequence[str] = ()) -> None:
    """Run the named flows now, or those of `FRESH`, one after another. Raises UsageError for an unknown name."""
    known = {flow.name: flow for flow in (*(each.flow for each in SERVED), *STEPS)}
    only_known(names)
    start_own_server()
    for flow in [known[name] for name in names] or FRESH:
        flow()


def serve_all() -> None:
    """Serve every scheduled flow from this process until it is stopped; one run of a flow at a time (`noted.py`).

    Runs that a killed one left behind are cleared away first, and flows whose time went by meanwhile run at once. Raises
    AlreadyRunningError where another one serves this world.
    """
    world = IngestSettings().data
    with alone(world, notes.SERVE_LOCK, "`liq flows serve`"):
        everywhere.serving(world, time.time())
        runner = Runner()
        made = {each.deployment: runner.add_deployment(_deployment(each)) for each in SERVED}
        asyncio.run(_catch_up(world, cast(dict[str, UUID], made)))
        settings, shown = MetricsSettings(), [Figures(lambda: figures.metrics(world)), Figures(Checked().metrics)]
        with (
            serving(settings.flows_metrics_port, shown, lambda: figures.wrong(world), settings.metrics_host),
            suppress(KeyboardInterrupt, TerminationSignal),
        ):
            asyncio.run(runner.start())


def overdue(world: Path, now_s: float) -> list[str]:
    """Return the flows whose last run was killed, or so long ago that another should have been meanwhile."""
    return [name for name, note in everywhere.found(world).items() if _is_overdue(world, name, note, now_s)]


def _is_overdue(world: Path, name: str, note: notes.Note, now_s: float) -> bool:
    if note.started_s > note.ended_s:
        return not everywhere.running(world, name)
    return 0 < note.started_s < now_s - EVERY[name].total_seconds()


async def _catch_up(world: Path, made: Mapping[str, UUID]) -> None:
    async with get_client() as client:
        await clear(client, world, list(made))
        for name in overdue(world, time.time()):
            await client.create_flow_run_from_deployment(made[name])


def _deployment(each: Served) -> RunnerDeployment:
    name = each.deployment
    schedule = Interval(EVERY[name], anchor_date=anchor(name))
    deployment = each.flow.to_deployment(
        name=name, schedule=schedule, parameters=dict(each.parameters), concurrency_limit=None
    )
    return cast(RunnerDeployment, deployment)  # awaitable only inside an event loop
