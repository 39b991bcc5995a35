"""Runs the checks of sql/checks day by day and stores what they found in `audit_results`."""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta

import polars as pl

from pipelines.columns.schemas import schema
from pipelines.derive.coverage.touched import MINUTE, by_day
from warehouse.checks import Check, Found, checks, joined, run
from warehouse.lake import Lake
from warehouse.writer import append

SETTLED = timedelta(minutes=5)
"""So long after a minute everything that is derived from it must be there."""
DAYS = 1
"""So many whole days before today are looked at, where nothing else is said."""


def span(
    now: datetime, since: datetime | None = None, until: datetime | None = None, *, ended: datetime | None = None
) -> tuple[datetime, datetime]:
    """Return the time to look at, [since, until) UTC: by default yesterday and today, up to five minutes ago.

    Whole minutes: of the one that holds `since` all is looked at, of the one that holds `until` nothing. `ended`: nothing has
    run since then and everything that is derived is there, so all of its minute is looked at, and nothing after it.
    """
    last = now - SETTLED if ended is None else ended + MINUTE
    until = min(until or last, last).replace(second=0, microsecond=0)
    since = since or until.replace(hour=0, minute=0) - timedelta(days=DAYS)
    return since.replace(second=0, microsecond=0), until


def audit(
    lake: Lake,
    since: datetime,
    until: datetime,
    told: Callable[[Check], object] = id,
    those: Sequence[Check] | None = None,
) -> list[Found]:
    """Run each check over [since, until) (UTC), a day at a time, and return what each found; writes nothing.

    `told` is called after each check and day. Raises QueryError.
    """
    found: list[Found] = []
    for check in checks() if those is None else those:
        days: list[Found] = []
        for start, end in by_day([(since, until)]):
            days.append(run(lake, check, start, end))
            told(check)
        if days:
            found.append(joined(days))
    return found


def store(lake: Lake, found: Iterable[Found], since: datetime, until: datetime) -> None:
    """Add what was found to `audit_results`. Raises WriteFailedError, WarehouseBusyError."""
    now = datetime.now(UTC).replace(tzinfo=None)
    rows = [
        (now, each.check.name, each.check.table, each.check.severity, each.check.meaning, since, until, each.offenders,
         json.dumps(each.first, default=str) if each.first else None, each.seconds)
        for each in found
    ]  # fmt: skip
    append(lake, {"audit_results": pl.DataFrame(rows, schema("audit_results"), orient="row")})


def failed(found: Iterable[Found]) -> bool:
    """Say whether something that must hold does not; warnings are no failure."""
    return any(each.offenders and each.check.severity == "failure" for each in found)
