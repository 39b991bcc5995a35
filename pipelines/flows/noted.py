"""One run of a flow at a time, and what became of it written down: around the functions of scheduled flows."""

import logging
import os
import time
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from prefect.client.schemas.objects import State
from prefect.context import FlowRunContext
from prefect.logging import get_logger
from prefect.runtime import deployment
from prefect.states import Completed

from collectors.errors import described
from pipelines.flows import everywhere, notes
from pipelines.settings import IngestSettings

P = ParamSpec("P")
T = TypeVar("T")

logging.Formatter.converter = time.gmtime  # of the process that runs a flow, whose logging Prefect sets up
log = get_logger("flows")


def noted(work: Callable[P, T]) -> Callable[P, T]:
    """Return the flow's function with its success or failure noted, and beside another scheduled run of it doing nothing.

    Prefect has limits of its own for that; theirs are kept by its server, and a run that was killed held one for five minutes.
    So they are used only where workers on several machines run the flows (`deployed.py`): they keep a run from being started,
    and this lock keeps one that was started from its work.
    A step of another flow is not noted, a run by hand is.
    """

    @wraps(work)
    def once(*args: P.args, **kwargs: P.kwargs) -> T:
        context = FlowRunContext.get()
        run = context.flow_run if context else None
        if run is None or run.parent_task_run_id is not None:
            return work(*args, **kwargs)
        if run.deployment_id is None:
            return _noting(work.__name__, work, *args, **kwargs)
        name = (os.environ.get("PREFECT__DEPLOYMENT_NAME") or _deployment() or work.__name__).replace("-", "_")
        with everywhere.only_run(IngestSettings().data, name, str(run.id)) as only:
            if not only:
                log.info("flow=%s state=skipped reason='another run of it is under way'", name)
                return cast(T, Completed(name="Skipped", message="another run of this flow is under way"))
            return _noting(name, work, *args, **kwargs)

    return once


def _deployment() -> str | None:
    """Return the deployment's name where only Prefect's server knows it, as of a worker's run."""
    with suppress(Exception):
        return cast(str | None, deployment.name)
    return None


def _noting(name: str, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    world = IngestSettings().data
    began = time.time()
    note = (notes.read(world, name) or notes.Note()).began(began)
    everywhere.write(world, name, note)
    try:
        done = work(*args, **kwargs)
    except Exception as error:
        _ended(name, note.failed(time.time(), described(error)), began)
        raise
    wrong = [state for state in _states(done) if not state.is_completed()]
    reason = "; ".join(state.message or state.name or "" for state in wrong)
    _ended(name, note.failed(time.time(), reason) if wrong else note.succeeded(time.time()), began)
    return done


def _ended(name: str, note: notes.Note, began: float) -> None:
    everywhere.write(IngestSettings().data, name, note)
    right = note.succeeded_s >= began
    log.log(
        logging.INFO if right else logging.ERROR, "flow=%s state=%s seconds=%.2f%s",
        name, "completed" if right else "failed", note.ended_s - began, "" if right else f" reason={note.error!r}",
    )  # fmt: skip


def _states(done: object) -> list[State[Any]]:
    return [each for each in done if isinstance(each, State)] if isinstance(done, list) else []
