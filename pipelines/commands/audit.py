"""What `liq audit` shows: a bar while the checks run, then each check with what it found."""

import json
from datetime import UTC, datetime
from pathlib import Path

from collectors.terminal import bar
from pipelines.check.checking import audit, failed, span, store
from pipelines.derive.coverage.cover import cover
from pipelines.derive.coverage.touched import by_day, newest_commit
from pipelines.errors import UsageError
from pipelines.row_settings import grid_s
from pipelines.status.parts import at_rest
from warehouse.checks import Found, checks
from warehouse.writing import to_write

WORD = {"failure": "FAILED", "warning": "warning"}


def audit_world(world: Path, since: datetime | None, until: datetime | None) -> bool:
    """Check a world's tables, print and store what was found; return whether all that must hold does.

    Raises UsageError, WarehouseError.
    """
    now = datetime.now(UTC).replace(tzinfo=None)
    with to_write(world) as warehouse:
        ended = newest_commit(warehouse, now) if at_rest(world) else None
        since, until = span(now, since, until, ended=ended)
        if since >= until:
            left_out = "nothing has run since" if ended else "the last five minutes are left out"
            raise UsageError(f"nothing to check between {since} and {until} (UTC; {left_out})")
        if not ended:
            cover(warehouse, now, grid_s(warehouse), (since, until))
        with bar("checking", len(checks()) * len(list(by_day([(since, until)])))) as move:
            found = audit(warehouse, since, until, lambda check: move(advance=1, description=check.name))
        store(warehouse, found, since, until)
    print(f"checked {since} to {until} UTC")
    if all(each.has_rows is not True for each in found):
        print(
            "nothing is stored of that time, so there was nothing to check: choose another time with --since and --until"
        )
    for each in found:
        print(line(each))
        for row in each.first:
            print(f"    {json.dumps(row, default=str)}")
    return not failed(found)


def line(found: Found) -> str:
    """Return one line: what became of a check. A table without rows of that time is not ok, there is nothing to say of it."""
    if not found.offenders and found.has_rows is False:
        return f"{'-':8}{'no rows':>12}  {found.check.name}: {found.check.meaning}"
    word = WORD[found.check.severity] if found.offenders else "ok"
    return f"{word:8}{found.offenders:>12,}  {found.check.name}: {found.check.meaning}"
