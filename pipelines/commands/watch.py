"""`liq watch`: the page on a screen of its own."""

import asyncio
import signal
from typing import Annotated

import typer

from pipelines.errors import UsageError
from pipelines.watch.live import Watch
from warehouse import lake
from warehouse.terminal import console, told_world

app = typer.Typer()


@app.command()
def watch(
    base: Annotated[str | None, typer.Option("--base", help="coin to begin with, such as BTC; else all")] = None,
    venue: Annotated[str | None, typer.Option("--venue", help="venue to begin with; else all")] = None,
) -> None:
    """Watch what is liquidated, on the whole terminal: totals, last and largest ones, cascades, feeds and their state.

    Reads the lake beside whatever writes to it, and writes nothing. Keys: c the next coin, v the next venue (C, V: the one
    before), / types a coin, a shows all, q quits. Where ten million US dollars go in ten seconds it shouts. ≥: at least so
    much, as a feed in it does not send every liquidation or was not heard all the time.
    """
    out = console()
    if not out.is_terminal:
        raise UsageError("liq watch draws on a terminal, and the output is none: `liq sql --follow` prints new rows")
    world = told_world()
    lake.open(world).close()  # none, or none that can be read: said in one line
    asyncio.run(_watch(Watch(out, world, world.name), base, venue))


async def _watch(shown: Watch, base: str | None, venue: str | None) -> None:
    stop = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    shown.choice = shown.choice._replace(base=base.upper() if base else None, venue=venue)
    await shown.show(stop, screen=True)
