"""What is asked for: a coin or an instrument, and a stretch of time; and the SQL that all readers share."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import polars as pl

from pipelines.errors import NothingToPlotError, UsageError
from pipelines.plots.told import Told
from pipelines.venues import HEARD
from warehouse import names
from warehouse.lake import Lake
from warehouse.query import run
from warehouse.query_errors import query_errors

SILENT = timedelta(minutes=5)


class Asked(NamedTuple):
    """base: a coin, None for all; instrument: one contract in our spelling, else None; since None: the picture's own; venues:
    those whose absence is told."""

    base: str | None = None
    instrument: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    venues: tuple[str, ...] = tuple(HEARD)

    @property
    def subject(self) -> str:
        """The words for it."""
        return self.instrument or self.base or "all coins"


def asked(
    warehouse: Lake, base: str | None = None, instrument: str | None = None, since: datetime | None = None,
    until: datetime | None = None,
) -> Asked:  # fmt: skip
    """Return what is asked for, the coin and the contract in any spelling. Raises UnknownNameError."""
    with query_errors():
        return Asked(
            names.coin(warehouse, base) if base else base,
            names.instrument(warehouse, instrument) if instrument else instrument,
            since,
            until,
            _collected(warehouse),
        )


def _collected(warehouse: Lake) -> tuple[str, ...]:
    """Return the venues of which the warehouse knows contracts; all where it knows none."""
    found = {venue for (venue,) in warehouse.connection.execute("SELECT DISTINCT venue FROM instruments").fetchall()}
    return tuple(venue for venue in HEARD if venue in found) or tuple(HEARD)


def rows(warehouse: Lake, sql: str, parameters: Mapping[str, Any] | None = None) -> pl.DataFrame:
    """Run a query and return its rows. Raises QueryError."""
    return run(warehouse, sql, parameters).frame()


def window(warehouse: Lake, asked: Asked, default: timedelta) -> tuple[datetime, datetime]:
    """Return [since, until) and let the views answer as of `until`. Raises UsageError where it is empty."""
    with query_errors():
        if asked.until is not None:
            warehouse.connection.execute("SET VARIABLE as_of = ?::TIMESTAMP", [asked.until])
        found = warehouse.connection.execute("SELECT as_of()").fetchall()
    until: datetime = found[0][0]
    since = asked.since or until - default
    if since >= until:
        raise UsageError(f"the time is empty: --since {since} is not before --until {until}")
    return since, until


def end(asked: Asked, until: datetime, last: datetime) -> tuple[datetime, tuple[str, ...]]:
    """Return where the picture ends: at `until` where that was asked for and has come, else at the last data, and a note if
    that is old. No picture goes on into the future."""
    now = datetime.now(UTC).replace(tzinfo=None)
    if last >= until or (asked.until is not None and until <= now):
        return until, ()
    return last, (f"Missing: nothing after {last:%Y-%m-%d %H:%M:%S}",) if until - last > SILENT else ()


def of_asked(asked: Asked) -> tuple[str, dict[str, Any]]:
    """Return a condition on the columns base and instrument, and its parameters."""
    if asked.instrument:
        return "instrument = $instrument", {"instrument": asked.instrument}
    return ("base = $base", {"base": asked.base}) if asked.base else ("true", {})


def nothing(what: str, asked: Asked, since: datetime, until: datetime, hint: str) -> NothingToPlotError:
    """Return the error for a selection without rows; hint: what to do about it."""
    return NothingToPlotError(
        f"nothing to draw: no {what} of {asked.subject} from {since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC; {hint}"
    )


def not_in(asked: Asked, venues: str) -> tuple[str, ...]:
    """Return a note on the venues that are collected and are not in a list of names with commas."""
    missing = [venue for venue in asked.venues if venue not in venues]
    return (f"Missing: nothing from {', '.join(missing)}",) if missing else ()


def told(asked: Asked, since: datetime, until: datetime, venues: str, *notes: str) -> Told:
    """Return the picture's words, with the venues that are missing."""
    return Told(asked.subject, since, until, venues, (*notes, *not_in(asked, venues)))


def joined(lists: pl.Series) -> str:
    """Return the different words of texts such as 'all, partial', sorted, as one such text."""
    return ", ".join(sorted({word for text in lists.drop_nulls().unique() for word in text.split(", ") if word}))
