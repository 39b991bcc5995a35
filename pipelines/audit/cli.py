"""What `liq audit` shows: a bar while the checks run, then each check with what it found."""

import json
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pipelines.audit.checking import audit, failed, span, store
from pipelines.audit.cover import cover
from pipelines.audit.touched import by_day
from pipelines.errors import UsageError
from pipelines.settings import IngestSettings
from warehouse import lake, schema
from warehouse.checks import Found, checks

WORD = {"failure": "FAILED", "warning": "warning"}


def audit_world(world: Path, since: datetime | None, until: datetime | None) -> bool:
    """Check a world's tables, print and store what was found; return whether all that must hold does.

    Raises UsageError, WarehouseError.
    """
    now = datetime.now(UTC).replace(tzinfo=None)
    since, until = span(now, since, until)
    if since >= until:
        raise UsageError(f"nothing to look at between {since} and {until} (UTC; the last five minutes are left out)")
    if lake.exists(world):
        schema.create_or_migrate(world)
    with lake.open(world, read_only=False) as warehouse:
        cover(warehouse, now, IngestSettings().grid_s, (since, until))
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            days = len(list(by_day([(since, until)])))
            task = progress.add_task("checking", total=len(checks()) * days)
            found = audit(
                warehouse, since, until, lambda check: progress.update(task, advance=1, description=check.name)
            )
        store(warehouse, found, since, until)
    print(f"checked {since} to {until} UTC")
    for each in found:
        print(line(each))
        for row in each.first:
            print(f"    {json.dumps(row, default=str)}")
    return not failed(found)


def line(found: Found) -> str:
    """Return one line: what became of a check."""
    word = WORD[found.check.severity] if found.offenders else "ok"
    return f"{word:8}{found.offenders:>12,}  {found.check.name}: {found.check.meaning}"
