"""Exports a table or view: all of one moment, or the whole days of a stretch of time."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from warehouse.arrow import Batches
from warehouse.exported import export_batches
from warehouse.exporting.days import Span, by_day, counted, of_a_day
from warehouse.exporting.folder import File, Folder, opened
from warehouse.exporting.what import Relation, relation
from warehouse.formats import HELD, Format
from warehouse.lake import Lake

Move = Callable[..., None]
"""What moves a bar: called with total= and advance=, rows."""


class Exported(NamedTuple):
    """What a run did. `path`: the folder. `changed`: files that are new, other than before, or gone."""

    name: str
    path: Path
    files: int
    rows: int
    bytes: int
    changed: int


def export(lake: Lake, name: str, path: Path | None, kind: Format, span: Span, move: Move) -> Exported:
    """Write a table or view into a folder (export/NAME where None), a file a day, and return what is there now.

    All is read of one snapshot and one `as_of`. Files of days outside `span` stay. Raises UnknownNameError, QueryError,
    WarehouseError.
    """
    one = relation(lake, name)
    as_of = datetime.now(UTC).replace(tzinfo=None)
    lake.connection.execute(f"SET VARIABLE as_of = TIMESTAMP '{as_of}'")
    path = path or Path("export") / one.name
    with opened(path, one.name, kind) as folder:
        lake.connection.execute("BEGIN")
        try:
            row = lake.connection.execute("SELECT id FROM ducklake_current_snapshot('lake')").fetchone()
            made = [_written(folder, kind, day, rows, move) for day, rows in _days(lake, one, span, kind, move)]
        finally:
            lake.connection.execute("ROLLBACK")
        kept = (
            [] if span.is_all or not one.time else [file for file in folder.before.values() if not _is_in(span, file)]
        )
        files = sorted([*kept, *made], key=lambda file: file.file)
        changed = folder.finish(files, {
            "kind": one.kind, "time": one.time or None, "as_of": f"{as_of.isoformat()}Z", "snapshot": row[0] if row else None,
            "columns": one.columns,
        })  # fmt: skip
    return Exported(
        one.name, path, len(files), sum(each.rows for each in files), sum(each.bytes for each in files), changed
    )


def _days(lake: Lake, one: Relation, span: Span, kind: Format, move: Move) -> Iterator[tuple[date | None, Batches]]:
    """Yield each day and its rows. A table gives a day by reading that day's files; a view is asked once for all."""
    if not one.time:
        yield None, of_a_day(lake, one, None, HELD[kind])
        return
    if one.kind == "view":
        yield from by_day(lake, one, span, HELD[kind])
        return
    days = counted(lake, one, span)
    move(total=sum(days.values()))
    for day in days:
        yield day, of_a_day(lake, one, day, HELD[kind])


def _written(folder: Folder, kind: Format, day: date | None, rows: Batches, move: Move) -> File:
    count = 0

    def told() -> Iterator[pa.RecordBatch]:
        nonlocal count
        for batch in rows.batches:
            count += batch.num_rows
            yield batch
            move(advance=batch.num_rows, description=str(day or "all"))

    name = f"{day or 'all'}.{kind}"
    with folder.staging(name) as file:
        export_batches(Batches(rows.schema, told()), kind, file)
    return folder.staged(name, str(day) if day else None, count)


def _is_in(span: Span, file: File) -> bool:
    return span.has(date.fromisoformat(file.day) if file.day else None)
