"""The sub-command `liq signals`."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from collectors.terminal import bar, since_option, until_option
from pipelines.derive.signals.find import find
from warehouse.writing import to_write

app = typer.Typer()


@app.command()
def signals(
    since: Annotated[datetime | None, since_option("check the hours from this time on again")] = None,
    until: Annotated[datetime | None, until_option("before this time; the last full hour if not given")] = None,
) -> None:
    """Check the full hours that were not checked yet, and store the signals that fired.

    Writes the tables signals and signal_hours. With --since it checks hours again with what is known today, including rows
    that arrived late, but nothing that happened after the hour. `liq sql "from signals_outcome"` shows whether signals ever
    worked, `liq sql "from signal_thresholds"` their conditions.
    """
    now = datetime.now(UTC).replace(tzinfo=None)
    with to_write() as warehouse, bar("looking") as move:
        done = find(warehouse, now, since, until, tell=lambda hour: move(description=f"looked at {hour}"))
    print(f"{done.hours:,} hours checked, {done.signals:,} signals fired in them")
