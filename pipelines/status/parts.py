"""The processes beside collectors and ingest: the parts of `liq up`, Prefect's server, the scheduled flows."""

import os
import urllib.error
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from collectors.proxies import direct
from pipelines.flows import everywhere, notes
from pipelines.flows.schedule import EVERY, LATE_AFTER
from pipelines.ingest.alone import is_held
from pipelines.status.check import Check, bad, good, span, unknown
from pipelines.status.seen import Seen
from pipelines.up import board

PREFECT_WITHIN_S = 1.0


def ups(seen: Seen) -> Iterable[Check]:
    """Where `liq up` runs here, each of its parts does; where it was started and not stopped, it runs."""
    found = board.read(seen.world)
    if found is None:
        return []
    if not is_held(seen.world, board.LOCK):
        return [bad("liq up", "was started here and does not run any more, but it was not stopped", "start it again")]
    return [_part(seen, part) for part in found.parts]


def at_rest(world: Path) -> Check | None:
    """Return that nothing is to run here, where that is so: a demo played to its end."""
    if (world / board.DEMO).exists() and board.read(world) is None and not is_held(world, board.LOCK):
        return good("demo", "has ended and stopped all its parts; its data stay: `liq sql`")
    return None


def _part(seen: Seen, part: board.Part) -> Check:
    subject, log = f"part {part.name}", seen.world / "logs" / f"{part.name}.log"
    again = f", started again {part.restarts} times" if part.restarts else ""
    if part.loops(seen.now.replace(tzinfo=UTC).timestamp()):
        return bad(
            subject, f"ends soon after each start, {part.short_lives} times in a row{again}", f"its log says why: {log}"
        )
    if part.pid is None:
        return bad(subject, f"is down and is being started{again}", f"its log says why: {log}")
    return good(subject, f"process {part.pid}{again}")


def prefect_url(world: Path) -> str | None:
    """Return the API address of Prefect's server: that of the settings, else of the `liq up` that runs; None: there is none."""
    if url := os.environ.get("PREFECT_API_URL"):
        return url
    found = board.read(world) if is_held(world, board.LOCK) else None
    part = found.part("prefect") if found else None
    return part.at if part else None


def ask_prefect(url: str | None) -> str | None:
    """Return what is wrong with Prefect's server, empty where it answers, None where there is none to ask."""
    if url is None:
        return None
    try:
        with direct().open(f"{url}/health", timeout=PREFECT_WITHIN_S) as answer:
            return "" if answer.status == 200 else f"{url} answers {answer.status}"
    except (urllib.error.URLError, OSError, ValueError) as error:
        return f"{url} does not answer: {getattr(error, 'reason', error)}"


def prefect(seen: Seen) -> Iterable[Check]:
    """Prefect's server answers, where there is one."""
    if seen.prefect is None:
        return []
    if seen.prefect:
        return [bad("Prefect", seen.prefect, "`liq up` keeps one running; without it no flow is scheduled")]
    return [good("Prefect", "answers")]


def flows(seen: Seen) -> Iterable[Check]:
    """Each scheduled flow has succeeded within three of its intervals, on this machine or another of the lake."""
    found, served = everywhere.found(seen.world), everywhere.served_since(seen.world)
    if served is None and not found:
        return [
            unknown("flows", "none has ever run here", "`liq flows serve` runs them on their schedule, `liq up` too")
        ]
    return [_flow(seen, name, found.get(name), served) for name in EVERY]


def _flow(seen: Seen, name: str, note: notes.Note | None, served: float | None) -> Check:
    subject, now_s = f"flow {name}", seen.now.replace(tzinfo=UTC).timestamp()
    within = LATE_AFTER * EVERY[name].total_seconds()
    last = note.succeeded_s if note else 0.0
    age = now_s - (last or served or (note.started_s if note else now_s))
    where = f" on {note.host}" if note and note.host else ""
    said = f"succeeded {span(age)} ago{where}" if last else "has not succeeded yet"
    if note and note.error and note.failed_s > last:
        said += f"; the last run failed {span(now_s - note.failed_s)} ago: {note.error}"
    elif note and note.started_s > note.ended_s:
        said += f"; a run began at {datetime.fromtimestamp(note.started_s, UTC):%H:%M:%S}"
    if age <= within:
        return Check(subject, "good", said, "", age, within)
    mend = f"`liq flows run {name}` shows what is wrong; does `liq flows serve` run?"
    return Check(subject, "needs you", f"{said}, expected within {span(within)}", mend, age, within)
