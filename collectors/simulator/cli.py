"""`liq simulate`: the local venue servers as a command."""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import typer

from collectors.simulator.script import Phases
from collectors.simulator.simulator import Limits, Simulator
from collectors.venues.bybit.simulator import BybitLimits

app = typer.Typer()


@app.command()
def simulate(
    seed: Annotated[int, typer.Option(help="the same seed gives the same market")] = 7,
    port_base: Annotated[int, typer.Option(help="first of five ports; 0 takes free ones")] = 0,
    calm: Annotated[float, typer.Option(help="seconds before the cascade")] = 30.0,
    cascade: Annotated[float, typer.Option(help="seconds of the cascade; 0 for none")] = 30.0,
    aftermath: Annotated[float, typer.Option(help="seconds after the cascade")] = 30.0,
    trickle: Annotated[float, typer.Option(help="ordinary liquidations a second over the three venues")] = 2.0,
    then: Annotated[
        Literal["calm", "quiet"], typer.Option(help="after the script: go on, or no more liquidations")
    ] = "calm",
    wait: Annotated[bool, typer.Option("--wait", help="stay calm until POST /_begin on the control port")] = False,
    ticker_ms: Annotated[int, typer.Option(help="pace of Bybit's tickers, ms")] = 100,
    bybit_rate: Annotated[float, typer.Option(help="load: liquidation frames a second on Bybit")] = 0.0,
    binance_rate: Annotated[float, typer.Option(help="load: liquidation frames a second on Binance")] = 0.0,
    play: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="play the frames FOLDER/VENUE/*.jsonl instead of the market")
    ] = None,
    rate: Annotated[float, typer.Option(help="frames a second with --play")] = 50.0,
    write_env: Annotated[Path | None, typer.Option(help="write the settings to this file as well")] = None,
) -> None:
    """Serve Binance, Bybit and OKX on this machine, print the settings that point collectors at them, end on Ctrl-C."""
    phases = Phases(calm_s=calm, cascade_s=cascade, aftermath_s=aftermath, trickle=trickle)
    loads = {venue: frames for venue, frames in (("bybit", bybit_rate), ("binance", binance_rate)) if frames}
    limits = Limits(bybit=BybitLimits(ticker_ms=ticker_ms))
    asyncio.run(_serve(lambda: Simulator(
        seed=seed, phases=phases, then=then, limits=limits, rate=loads, play=play, play_rate=rate,
        port_base=port_base, wait=wait,
    ), write_env))  # fmt: skip


async def _serve(build: Callable[[], Simulator], write_env: Path | None) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with build() as simulator:
        _tell(simulator.env(), write_env)
        await stop.wait()


def _tell(env: dict[str, str], write_env: Path | None) -> None:
    lines = [f"{name}={value}" for name, value in env.items()]
    if write_env is not None:
        write_env.write_text("\n".join(lines) + "\n")
    typer.echo("\n".join(f"export {line}" for line in lines))
