"""The sub-command `liq signals`."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from collectors.terminal import bar, since_option, until_option
from pipelines.derive.signals.find import find
from warehouse.terminal import to_write

app = typer.Typer()


@app.command()
def signals(
    since: Annotated[datetime | None, since_option("look at the hours from here on anew")] = None,
    until: Annotated[datetime | None, until_option("and before this, else up to the last full hour")] = None,
) -> None:
    """Look at the full hours that were not looked at yet, and keep the signals that fired: tables signals, signal_hours.

    With --since hours are looked at anew, with what is known today: late rows too, but nothing that happened after the
    hour. Ask liq sql "from signals_outcome" whether they ever worked; what they are made of: "from signal_thresholds".
    """
    now = datetime.now(UTC).replace(tzinfo=None)
    with to_write() as warehouse, bar("looking") as move:
        done = find(warehouse, now, since, until, tell=lambda hour: move(description=f"looked at {hour}"))
    print(f"{done.hours:,} hours looked at, {done.signals:,} signals fired in them")
