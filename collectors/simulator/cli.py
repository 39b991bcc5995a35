"""`liq simulate`: the local venue servers as a command."""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer

from collectors.simulator.script import Phases
from collectors.simulator.simulator import Limits, Simulator
from collectors.venues.known import USUAL
from collectors.venues.simulated import SIMULATED

ALL = "all"

app = typer.Typer()


@app.command()
def simulate(
    venues: Annotated[
        list[str] | None, typer.Argument(metavar="VENUE", help=f"which venues, or all; none: {', '.join(USUAL)}")
    ] = None,
    seed: Annotated[int, typer.Option(help="the same seed gives the same market")] = 7,
    port_base: Annotated[
        int, typer.Option(help="first port; one port per host, and one for control; 0 takes free ports")
    ] = 0,
    calm: Annotated[float, typer.Option(help="seconds before the cascade")] = 30.0,
    cascade: Annotated[float, typer.Option(help="seconds of the cascade; 0 for none")] = 30.0,
    aftermath: Annotated[float, typer.Option(help="seconds after the cascade")] = 30.0,
    trickle: Annotated[float, typer.Option(help="ordinary liquidations per second, all venues together")] = 2.0,
    then: Annotated[
        Literal["calm", "quiet"], typer.Option(help="after the script: calm goes on, quiet has no more liquidations")
    ] = "calm",
    wait: Annotated[bool, typer.Option("--wait", help="stay calm until POST /_begin on the control port")] = False,
    ticker_ms: Annotated[int, typer.Option(help="time between tickers, ms, for venues that have a fixed one")] = 100,
    load: Annotated[
        list[str] | None,
        typer.Option(metavar="VENUE=RATE", help="invented liquidations, frames per second; once per venue"),
    ] = None,
    play: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="play the frames FOLDER/VENUE/*.jsonl instead of the market")
    ] = None,
    rate: Annotated[float, typer.Option(help="frames per second with --play")] = 50.0,
    write_env: Annotated[Path | None, typer.Option(help="also write the settings to this file")] = None,
) -> None:
    """Run simulated venues on this machine until Ctrl-C, and print the settings that point collectors at them."""
    phases = Phases(calm_s=calm, cascade_s=cascade, aftermath_s=aftermath, trickle=trickle)
    loads = dict(map(_rate_of, load or []))
    named = _named(venues or list(USUAL))
    asyncio.run(_serve(lambda: Simulator(
        venues=named, seed=seed, phases=phases, then=then, limits=_limits(ticker_ms, named), rate=loads, play=play,
        play_rate=rate, port_base=port_base, wait=wait,
    ), write_env))  # fmt: skip


def _named(venues: list[str]) -> list[str]:
    """Return the venues that are meant. Raises typer.BadParameter for one that is not simulated."""
    if ALL in venues:
        return list(SIMULATED)
    if unknown := [name for name in venues if name not in SIMULATED]:
        raise typer.BadParameter(f"{', '.join(unknown)}: simulated are {', '.join(SIMULATED)}", param_hint="VENUE")
    return list(dict.fromkeys(venues))


def _rate_of(text: str) -> tuple[str, float]:
    """Return venue and frames a second of VENUE=RATE."""
    venue, _, rate = text.partition("=")
    if venue not in SIMULATED:
        raise typer.BadParameter(f"{text!r}: the venue is one of {', '.join(SIMULATED)}", param_hint="--load")
    try:
        return venue, float(rate)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not VENUE=RATE", param_hint="--load") from None


def _limits(ticker_ms: int, venues: list[str]) -> Limits:
    """Return the limits of those of the venues whose tickers have one pace."""
    limits = {venue: SIMULATED[venue].limits for venue in venues}
    paced = {venue: each for venue, each in limits.items() if "ticker_ms" in each.__struct_fields__}
    return {venue: msgspec.structs.replace(limits, ticker_ms=ticker_ms) for venue, limits in paced.items()}


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
