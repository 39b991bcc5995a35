"""What `liq audit` shows: a bar while the checks run, then each check with what it found."""

import json
from datetime import UTC, datetime
from pathlib import Path

from collectors.terminal import bar
from pipelines.audit.checking import audit, failed, span, store
from pipelines.audit.cover import cover
from pipelines.audit.touched import by_day
from pipelines.errors import UsageError
from pipelines.row_settings import grid_s
from warehouse.checks import Found, checks
from warehouse.terminal import to_write

WORD = {"failure": "FAILED", "warning": "warning"}


def audit_world(world: Path, since: datetime | None, until: datetime | None) -> bool:
    """Check a world's tables, print and store what was found; return whether all that must hold does.

    Raises UsageError, WarehouseError.
    """
    now = datetime.now(UTC).replace(tzinfo=None)
    since, until = span(now, since, until)
    if since >= until:
        raise UsageError(f"nothing to look at between {since} and {until} (UTC; the last five minutes are left out)")
    with to_write(world) as warehouse:
        cover(warehouse, now, grid_s(warehouse), (since, until))
        with bar("checking", len(checks()) * len(list(by_day([(since, until)])))) as move:
            found = audit(warehouse, since, until, lambda check: move(advance=1, description=check.name))
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
