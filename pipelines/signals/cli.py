"""The sub-command `liq signals`."""

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console

from pipelines.errors import PipelineError
from pipelines.signals.find import find
from warehouse import lake, schema
from warehouse.errors import WarehouseError
from warehouse.query import reading_world

TIMES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"]

app = typer.Typer(add_completion=False)


@app.command()
def signals(
    since: Annotated[
        datetime | None, typer.Option(formats=TIMES, help="look at the hours from here on anew, UTC")
    ] = None,
    until: Annotated[datetime | None, typer.Option(formats=TIMES, help="and up to this, UTC")] = None,
) -> None:
    """Look at the full hours that were not looked at yet, and keep the signals that fired: tables signals, signal_hours.

    With --since hours are looked at anew, with what is known today: late rows too, but nothing that happened after the
    hour. Ask liq sql "from signals_outcome" whether they ever worked; what they are made of: "from signal_thresholds".
    """
    try:
        world, note = reading_world()
        if note:
            print(f"liq: {note}", file=sys.stderr)
        if lake.exists(world):
            schema.create_or_migrate(world)
        now = datetime.now(UTC).replace(tzinfo=None)
        with lake.open(world, read_only=False) as warehouse, Console(stderr=True).status("looking") as shown:
            done = find(warehouse, now, since, until, tell=lambda hour: shown.update(f"looked at {hour}"))
    except (PipelineError, WarehouseError) as error:
        print(f"liq: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    print(f"{done.hours:,} hours looked at, {done.signals:,} signals fired in them")
