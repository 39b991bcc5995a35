"""What `liq reprocess` shows: a bar while frames are read, then what became of each table's rows."""

from datetime import datetime
from pathlib import Path

from collectors.terminal import bar
from pipelines.reprocess.run import plan, reprocess
from pipelines.reprocess.stored_frames import count
from pipelines.row_settings import grid_of
from warehouse.writing import to_write


def reprocess_world(world: Path, since: datetime, until: datetime | None, table: str | None) -> None:
    """Reprocess a world's frames and print what changed. Raises UsageError, WarehouseError."""
    with to_write(world) as warehouse:
        grid_s = grid_of(warehouse, since, until)
        frames = sum(
            count(warehouse, part.topics, *time) for part, *time in plan(warehouse, since, until, table, grid_s)
        )
        with bar("reading frames again", frames) as move:
            done = reprocess(warehouse, since, until, table, grid_s, lambda read: move(advance=read))
    print(f"{done.frames:,} frames read")
    changed = {name: each for name, each in done.tables.items() if each.gone or each.stored}
    for name, each in changed.items():
        print(f"{name:20}{each.stored:>12,} rows stored{each.gone:>12,} deleted{each.kept:>12,} unchanged")
    if not changed:
        print(f"nothing changed: {sum(each.kept for each in done.tables.values()):,} rows are right already")
