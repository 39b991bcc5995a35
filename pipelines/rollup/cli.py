"""The sub-command `liq rollup`."""

import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pipelines.rollup.run import rollup as run
from warehouse import lake, schema
from warehouse.errors import WarehouseError
from warehouse.query import reading_world

app = typer.Typer(add_completion=False)


@app.command()
def rollup(
    everything: Annotated[bool, typer.Option("--all", help="make every bar anew, not only what changed")] = False,
) -> None:
    """Bring the bars (liquidations_1m, _1h, _1d; prices_1h, _1d; open_interest_1h) up to date: only what changed.

    `liq up` does so every minute. Rows that arrived late, were reprocessed or were completed by a contract described later
    are taken in like new ones. May be stopped at any time; what was not reached is done by the next run.
    """
    try:
        world, note = reading_world()
        if note:
            print(f"liq: {note}", file=sys.stderr)
        if lake.exists(world):
            schema.create_or_migrate(world)
        with lake.open(world, read_only=False) as warehouse, _bar() as progress:
            task = progress.add_task("")
            done = run(warehouse, everything, lambda day, of: progress.update(task, completed=day, total=of))
    except WarehouseError as error:
        print(f"liq: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    print(f"computed anew: minutes of liquidations {done.minutes:,}, on days {done.days:,}; other bars {done.bars:,}")


def _bar() -> Progress:
    columns = TextColumn("adding up days"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    return Progress(*columns, console=Console(stderr=True), transient=True)
