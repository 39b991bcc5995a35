"""The notes of flows on every machine that runs them for one lake in PostgreSQL; with a SQLite catalogue, those of this one.

What is noted goes to the file here (`notes.py`) and to the lake's list of jobs. Where PostgreSQL does not answer, what is here
counts.
"""

import logging
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import duckdb

from pipelines.flows import notes
from pipelines.flows.notes import Note
from pipelines.flows.schedule import EVERY
from warehouse.errors import WarehouseError
from warehouse.jobs import Job, Jobs
from warehouse.messages import one_line
from warehouse.place import Place
from warehouse.settings import WarehouseSettings
from warehouse.turns import holder, turn

ROLE = "run"
"""A run has the turn of its flow as `liq run ID process@host`."""
AWAY = "flow=%s catalogue=away reason=%r"

log = logging.getLogger(__name__)


def write(world: Path, name: str, note: Note) -> None:
    """Note what became of a flow, here and for the other machines."""
    notes.write(world, name, note)
    if place := _shared(world):
        times = note.started_s, note.ended_s, note.succeeded_s, note.failed_s
        with _away(name), closing(Jobs(place)) as jobs:
            jobs.tell(Job(name, socket.gethostname(), *times, note.error))


def found(world: Path) -> dict[str, Note]:
    """Return what is noted of each flow, whichever machine ran it last; of `runs` and `failures` those of this machine."""
    here = {name: note for name in EVERY if (note := notes.read(world, name))}
    for job in _told(world):
        if job.name in EVERY:
            here[job.name] = _with(here.get(job.name, Note()), job)
    return here


def serving(world: Path, now_s: float) -> None:
    """Note since when flows are served, unless that is noted already."""
    notes.serving(world, now_s)
    if (place := _shared(world)) and all(job.name != notes.SERVED for job in _told(world)):
        with _away(notes.SERVED), closing(Jobs(place)) as jobs:
            jobs.tell(Job(notes.SERVED, socket.gethostname(), now_s, 0.0, 0.0, 0.0, ""))


def served_since(world: Path) -> float | None:
    """Return since when flows are served on any machine, UTC seconds since 1970; None: they never were."""
    since = [job.started_s for job in _told(world) if job.name == notes.SERVED]
    return min([*since, *([here] if (here := notes.served_since(world)) else [])], default=None)


@contextmanager
def only_run(world: Path, name: str, run: str) -> Iterator[bool]:
    """Yield whether this is the only run of a flow on all machines; if so it is until the block ends.

    `run`: its id at Prefect's server. A run goes on where PostgreSQL does not answer: if that lasts, it fails by itself.
    """
    with ExitStack() as held:
        is_only = held.enter_context(notes.only_run(world, name, run))
        if is_only and (place := _shared(world)):
            with _away(name):
                is_only = held.enter_context(turn(place, f"flow {name}", role=f"{ROLE} {run}"))
        yield is_only


def running(world: Path, name: str) -> str:
    """Return the id of the run of a flow that is under way on any machine, empty where there is none."""
    if run := notes.running(world, name):
        return run
    told = ""
    if place := _shared(world):
        with _away(name):
            told = holder(place, f"flow {name}")
    return told.removeprefix(f"liq {ROLE} ").partition(" ")[0]


def _shared(world: Path) -> Place | None:
    """Return the place of a lake that other machines may work on, None where it is this one's."""
    place = Place(world.expanduser().absolute(), WarehouseSettings())
    return None if place.sqlite else place


def _told(world: Path) -> list[Job]:
    told: list[Job] = []
    if place := _shared(world):
        with _away("all"), closing(Jobs(place)) as jobs:
            told = jobs.told()
    return told


def _with(here: Note, job: Job) -> Note:
    """Return the later of what is noted here and there."""
    later = max((here.failed_s, here.error), (job.failed_s, job.error))
    return Note(
        max(here.started_s, job.started_s), max(here.ended_s, job.ended_s), max(here.succeeded_s, job.succeeded_s),
        *later, here.runs, here.failures, job.host if job.succeeded_s > here.succeeded_s else "",
    )  # fmt: skip


@contextmanager
def _away(name: str) -> Iterator[None]:
    try:
        yield
    except (duckdb.Error, WarehouseError) as error:
        log.warning(AWAY, name, one_line(error))
