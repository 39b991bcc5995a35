"""How long a settled funding rate was for, where a venue's history does not say it."""

from collections.abc import Collection, Iterable
from itertools import pairwise

from pipelines.facts import FundingSettlement, Rejected, Row

HOUR_MS = 3_600_000


def spaced(rows: list[Row], intervals_hours: Collection[float], told: Iterable[tuple[str, int]] = ()) -> list[Row]:
    """Return the rows of one answer, its settlements with their interval.

    An answer holds every settlement of its time: the interval is the time since the contract's one before, where that is
    one of `intervals_hours`. So that of the oldest is not known, nor any where an item could not be read. `told`: symbol and
    time (UTC milliseconds) of settlements that the answer names and gives no row for.
    """
    if any(isinstance(row, Rejected) for row in rows):
        return rows
    settled = [row for row in rows if isinstance(row, FundingSettlement)]
    times = sorted({*told, *((row.symbol, row.ts_event) for row in settled)})
    before = {after: since for (symbol, since), after in pairwise(times) if after[0] == symbol}
    for row in settled:
        hours = (row.ts_event - before.get((row.symbol, row.ts_event), row.ts_event)) / HOUR_MS
        row.interval_hours = hours if hours in intervals_hours else None
    return rows
