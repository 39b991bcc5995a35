"""What a `liq flows serve` that was killed left at Prefect's server: runs that nobody runs any more."""

from collections.abc import Collection
from pathlib import Path

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterName,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.logging import get_logger
from prefect.states import Crashed

from pipelines.flows import everywhere

BEGUN = [StateType.RUNNING, StateType.PENDING, StateType.CANCELLING]
WHY = "The process that ran it was killed."

log = get_logger("flows")


async def clear(client: PrefectClient, world: Path, names: Collection[str]) -> int:
    """Mark as crashed the begun runs of these deployments that no process runs; return how many.

    To be called where no other `liq flows serve` of this world runs; a run that has its flow's turn on another machine stays.
    """
    living = {everywhere.running(world, name) for name in names}
    left = [run for run in await _begun(client, names) if str(run.id) not in living]
    for run in left:
        await client.set_flow_run_state(run.id, Crashed(message=WHY), force=True)
        log.info("left flow_run=%s state=%s now=crashed", run.name, run.state_name)
    return len(left)


async def _begun(client: PrefectClient, names: Collection[str]) -> list[FlowRun]:
    return await client.read_flow_runs(
        deployment_filter=DeploymentFilter(name=DeploymentFilterName(any_=list(names))),
        flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=BEGUN))),
    )
