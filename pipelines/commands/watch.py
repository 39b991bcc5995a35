"""`liq watch`: the page on a screen of its own."""

import asyncio
import signal
from typing import Annotated

import typer

from pipelines.errors import UsageError
from pipelines.watch.live import Watch
from warehouse import lake, names
from warehouse.terminal import console, told_world

app = typer.Typer()


@app.command()
def watch(
    base: Annotated[
        str | None, typer.Option("--base", help="coin to begin with, such as BTC; all if not given")
    ] = None,
    venue: Annotated[str | None, typer.Option("--venue", help="venue to begin with; all if not given")] = None,
) -> None:
    """Watch liquidations live: totals, latest and largest, stress, cascades, state of the feeds.

    Fills the terminal, reads the lake while the pipeline writes, and writes nothing. Keys: c next coin, v next venue (C, V:
    previous; arrows too), / type a coin, t only large liquidations, a all, q quit. An alarm is shown if ten million US dollars
    are liquidated in ten seconds. ≥ means at least: a feed in the total does not send every liquidation, or was not heard all
    the time; in bars that part is hatched.
    """
    out = console()
    if not out.is_terminal:
        raise UsageError("liq watch needs a terminal for its output; `liq sql --follow` prints new rows without one")
    world = told_world()
    with lake.open(world) as warehouse:  # none, or none that can be read: said in one line
        base = names.coin(warehouse, base) if base else None
    asyncio.run(_watch(Watch(out, world, world.name), base, venue))


async def _watch(shown: Watch, base: str | None, venue: str | None) -> None:
    stop = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    shown.choice = shown.choice._replace(base=base, venue=venue)
    await shown.show(stop, screen=True)
