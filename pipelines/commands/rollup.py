"""The sub-command `liq rollup`."""

from typing import Annotated

import typer

from collectors.terminal import bar
from pipelines.derive.bars.run import rollup as run
from warehouse.writing import to_write

app = typer.Typer()


@app.command()
def rollup(
    everything: Annotated[
        bool, typer.Option("--all", help="compute every bar again, not only those that changed")
    ] = False,
) -> None:
    """Update the bars whose rows changed (liquidations_1m, _1h, _1d; prices_1h, _1d; open_interest_1h).

    `liq up` does this every minute. Late rows, reprocessed rows, and rows completed by later contract data count like new
    ones. You can stop it at any time; the next run does the rest.
    """
    with to_write() as warehouse, bar("adding up days") as move:
        done = run(warehouse, everything, lambda day, of: move(completed=day, total=of))
    print(f"computed again: minutes of liquidations {done.minutes:,}, on days {done.days:,}; other bars {done.bars:,}")
