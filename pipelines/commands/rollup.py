"""The sub-command `liq rollup`."""

from typing import Annotated

import typer

from collectors.terminal import bar
from pipelines.derive.bars.run import rollup as run
from warehouse.terminal import to_write

app = typer.Typer()


@app.command()
def rollup(
    everything: Annotated[bool, typer.Option("--all", help="make every bar anew, not only what changed")] = False,
) -> None:
    """Bring the bars (liquidations_1m, _1h, _1d; prices_1h, _1d; open_interest_1h) up to date: only what changed.

    `liq up` does so every minute. Rows that arrived late, were reprocessed or were completed by a contract described later
    are taken in like new ones. May be stopped at any time; what was not reached is done by the next run.
    """
    with to_write() as warehouse, bar("adding up days") as move:
        done = run(warehouse, everything, lambda day, of: move(completed=day, total=of))
    print(f"computed anew: minutes of liquidations {done.minutes:,}, on days {done.days:,}; other bars {done.bars:,}")
