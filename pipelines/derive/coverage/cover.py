"""Updates `feed_coverage`: computes the minutes that new commits affect, and writes only those that differ."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

import polars as pl

from pipelines.columns.schemas import as_table
from pipelines.derive.coverage.coverage import coverage
from pipelines.derive.coverage.silence import KEY, with_states
from pipelines.derive.coverage.silence_rules import RULE, keep
from pipelines.derive.coverage.touched import MINUTE, Progress, Span, by_day, minutes, newest_commit, touched
from warehouse.lake import Lake, quoted
from warehouse.writer import replace

log = logging.getLogger(__name__)

COMMITTED_AFTER = timedelta(seconds=10)
"""So long after its grid bucket has ended everything of it is committed, where ingest keeps up."""
MISSING_AFTER = timedelta(minutes=3)
"""A frame that is not stored so long after those around it is missing; less than touched.OVERLAP."""
PROGRESS = "FROM coverage_progress"
STORED = "FROM feed_coverage WHERE minute >= $since AND minute < $until"


def cover(lake: Lake, now: datetime, grid_s: int = 60, again: Span | None = None,
          told: Callable[[Span], object] = id) -> int:  # fmt: skip
    """Update `feed_coverage` from what is committed, up to the last minute that is settled at `now`; return rows written.

    `grid_s`: ingest's. `again`: a time [since, until) to compute again as well, for rows that changed without a commit of
    ingest (reprocess). `told` is called with each part done. Run twice, the second writes nothing; killed, the next run
    begins where this one did. Raises WriteFailedError, WarehouseBusyError.
    """
    return _cover(
        lake, now, _minute(now - COMMITTED_AFTER - timedelta(seconds=max(0, grid_s - 60))), MISSING_AFTER, again, told
    )


def cover_to_the_end(lake: Lake, now: datetime) -> int:
    """Do as `cover`, and with the minute that runs at `now`: where every feed has stopped and all they heard is committed."""
    return _cover(lake, now, _minute(now) + MINUTE, timedelta(0))


def _cover(
    lake: Lake,
    now: datetime,
    until: datetime,
    missing_after: timedelta,
    again: Span | None = None,
    told: Callable[[Span], object] = id,
) -> int:
    before, after = _progress(lake), Progress(newest_commit(lake, now), until)
    spans = touched(lake, before, after)
    if again and (spans or before.until is not None):
        spans = minutes([*spans, again], until)
    written = 0
    if spans:
        keep(lake, RULE)
    for span in by_day(spans):
        written += _store(lake, *span, until - missing_after)
        told(span)
    if spans and after != before:
        replace(lake, "coverage_progress", as_table(pl.DataFrame([after._asdict()]), "coverage_progress"), "true")
    return written


def _store(lake: Lake, since: datetime, until: datetime, settled: datetime) -> int:
    """Replace the minutes from the first to the last that differ; return the rows written."""
    found, around = with_states(lake, coverage(lake, since, until, settled), since, until, RULE)
    stored = lake.connection.execute(STORED, {"since": since, "until": until}).pl()
    stored = as_table(stored, "feed_coverage")
    columns = found.columns
    differ = pl.concat([
        found.join(stored, on=columns, how="anti", nulls_equal=True)["minute"],
        stored.join(found, on=columns, how="anti", nulls_equal=True)["minute"],
    ])  # fmt: skip
    written = 0
    if not differ.is_empty():
        rows = found.filter(pl.col("minute").is_between(differ.min(), differ.max()))
        written += _replace(lake, rows, _between(differ))
    for rows in around:
        own = " AND ".join(f"{name} = {quoted(rows[name][0])}" for name in KEY)
        written += _replace(lake, rows, f"{_between(rows['minute'])} AND {own}")
    return written


def _replace(lake: Lake, rows: pl.DataFrame, where: str) -> int:
    return replace(lake, "feed_coverage", rows.sort("venue", "channel", "minute"), where)[1]


def _between(minutes: pl.Series) -> str:
    first, last = min(minutes), max(minutes)
    return f"minute >= TIMESTAMP '{first}' AND minute <= TIMESTAMP '{last}'"


def _progress(lake: Lake) -> Progress:
    row = lake.connection.execute(PROGRESS).fetchone()
    return Progress(*row) if row else Progress(None, None)


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
