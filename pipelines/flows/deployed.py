"""The scheduled flows as deployments of a Prefect work pool, whose workers may be on many machines. On one: `served.py`."""

from typing import cast

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import ObjectNotFound
from prefect.schedules import Interval
from prefect.types.entrypoint import EntrypointType

from pipelines.errors import UsageError
from pipelines.flows.schedule import EVERY, anchor
from pipelines.flows.served import SERVED, Served

ONE_AT_A_TIME = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
"""Prefect's server keeps to it for all workers together. A run that finds another under way is cancelled, and not put off: the
next one does its work."""


def deploy_all(pool: str, image: str = "") -> list[str]:
    """Deploy every scheduled flow to a work pool, in place of what was deployed before; return their names.

    A worker finds the flows as modules, so this project must be installed where it runs, or be in `image`, the container
    image of each run (for a Kubernetes pool). Raises UsageError where the server has no such pool.
    """
    with get_client(sync_client=True) as client:
        try:
            kind = client.read_work_pool(pool).type
        except ObjectNotFound:
            raise UsageError(
                f"no work pool {pool} at Prefect's server: prefect work-pool create {pool} --type process"
            ) from None
    if image and kind == "process":
        raise UsageError(f"work pool {pool} runs processes, so --image has no meaning there")
    for each in SERVED:
        _deployment(each).apply(work_pool_name=pool, image=image or None)
    return [each.deployment for each in SERVED]


def _deployment(each: Served) -> RunnerDeployment:
    name = each.deployment
    made = each.flow.to_deployment(
        name=name,
        schedule=Interval(EVERY[name], anchor_date=anchor(name)),
        parameters=dict(each.parameters),
        concurrency_limit=ONE_AT_A_TIME,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    return cast(RunnerDeployment, made)  # awaitable only inside an event loop
