"""The rows of a table or view, day by day, in an order that is the same each time."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from warehouse.arrow import Batches, batches
from warehouse.casts import Held
from warehouse.exporting.what import Relation
from warehouse.lake import Lake
from warehouse.query import run

DAY = "liq_day"


class Span(NamedTuple):
    """Whole days from `since` on and before `until` (UTC); None: no limit."""

    since: date | None = None
    until: date | None = None

    @property
    def is_all(self) -> bool:
        """Whether no day is left out."""
        return self.since is None and self.until is None

    def has(self, day: date | None) -> bool:
        """Tell whether a day is in it; rows without a time are in the span of all days alone."""
        if day is None:
            return self.is_all
        return (self.since is None or day >= self.since) and (self.until is None or day < self.until)


def whole_days(since: datetime | None, until: datetime | None) -> Span:
    """Return the whole days that have any of a stretch of time."""
    last = until and (until - timedelta(microseconds=1)).date() + timedelta(days=1)
    return Span(since.date() if since else None, last)


def counted(lake: Lake, one: Relation, span: Span) -> dict[date | None, int]:
    """Return the days of a table with a time, and how many rows each has, the first day first; None: rows without a time."""
    day = f'CAST("{one.time}" AS DATE)'
    rows = lake.connection.execute(f'SELECT {day} AS d, count(*) FROM "{one.name}" GROUP BY d ORDER BY d').fetchall()
    return {row[0]: row[1] for row in rows if span.has(row[0])}


def of_a_day(lake: Lake, one: Relation, day: date | None, held: Held) -> Batches:
    """Return the rows of one day, or all where they have no time. Raises QueryError, also while they are read."""
    where = "true" if not one.time else f'"{one.time}" IS NULL' if day is None else _in(one.time, day)
    return batches(run(lake, f'FROM "{one.name}" WHERE {where} ORDER BY {_order(one)}', held=held))


def by_day(lake: Lake, one: Relation, span: Span, held: Held) -> Iterator[tuple[date | None, Batches]]:
    """Yield each day of a view and its rows, read in one query: take those of a day before the next one is asked for.

    Raises QueryError.
    """
    day = f'CAST("{one.time}" AS DATE)'
    limits = [f"{DAY} >= DATE '{span.since}'"] if span.since else []
    limits += [f"{DAY} < DATE '{span.until}'"] if span.until else []
    where = f" WHERE {' AND '.join(limits)}" if limits else ""
    order = f"{DAY}, {_order(one)}"
    found = batches(run(lake, f'SELECT *, {day} AS {DAY} FROM "{one.name}"{where} ORDER BY {order}', held=held))
    schema = pa.schema([field for field in found.schema if field.name != DAY])
    pieces = _pieces(found)
    waiting = next(pieces, None)
    while waiting is not None:
        today = waiting[0]

        def same() -> Iterator[pa.RecordBatch]:
            nonlocal waiting
            while waiting is not None and waiting[0] == today:  # noqa: B023 - read before the next day
                yield waiting[1]
                waiting = next(pieces, None)

        yield today, Batches(schema, same())


def _pieces(found: Batches) -> Iterator[tuple[date | None, pa.RecordBatch]]:
    """Yield batches that are of one day each."""
    for batch in found.batches:
        days = batch.column(DAY)
        rest = batch.drop_columns([DAY])
        for each in pc.unique(days):
            mask = pc.is_null(days) if not each.is_valid else pc.equal(days, each)
            yield each.as_py(), rest.filter(pc.fill_null(mask, False))


def _in(time: str, day: date) -> str:
    return f"\"{time}\" >= TIMESTAMP '{day}' AND \"{time}\" < TIMESTAMP '{day + timedelta(days=1)}'"


def _order(one: Relation) -> str:
    """Return what sorts the rows: the time first, then every other column, so that equal data gives equal files."""
    rest = [f'"{name}"' for name in one.columns if name != one.time]
    return ", ".join([f'"{one.time}"', *rest] if one.time else rest)
