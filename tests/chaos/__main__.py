"""`python -m tests.chaos`: random faults over a whole pipeline, then every promise checked. Exit code 1 where one is broken."""

import argparse
import asyncio
import logging
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from collectors.venues.known import RECORDS, USUAL
from tests.chaos.away import kafka_away
from tests.chaos.burst import burst
from tests.chaos.faults import counted
from tests.chaos.run import Found, Tell, at_random, chaos
from tests.chaos.silent import LivelyWorld, silence
from tests.chaos.up import UpWorld
from tests.chaos.world import World

SHOWN = 8


def main() -> int:
    """Run, print, and return the exit code."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=None, help="the same seed plans the same faults; none: drawn")
    parser.add_argument("--faults", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=9.0)
    parser.add_argument("--collectors", type=int, default=1, help="side by side, each of all venues")
    parser.add_argument("--all", action="store_true", help="every venue there is, not the usual ones alone")
    parser.add_argument(
        "--up", action="store_true", help="the real `liq up`, with Prefect, that must keep its parts running"
    )
    parser.add_argument("--kills", action="store_true", help="the faults are SIGKILLs of every process, and no others")
    parser.add_argument("--away", type=float, metavar="SECONDS", help="instead of faults: Kafka away for so long")
    parser.add_argument("--rate", type=float, default=2000.0, help="frames of tickers a second beside it, or the burst")
    parser.add_argument("--spool-mib", type=int, help="with --away: a spool of so many MiB, which is not to suffice")
    parser.add_argument("--kill", action="store_true", help="with --away: the collector is killed in the middle of it")
    parser.add_argument("--burst", action="store_true", help="instead of faults: 25,000 liquidations in one second")
    parser.add_argument(
        "--silent", type=float, metavar="SECONDS", help="instead of faults: feeds fall silent after so long"
    )
    parser.add_argument("--keep", action="store_true", help="leave the world's folder and Kafka's log, for a look")
    given = parser.parse_args()
    seed = given.seed if given.seed is not None else random.randrange(10**6)
    for name in [name for name in os.environ if name.startswith("LIQ_") and "KAFKA_JARS" not in name]:
        del os.environ[name]
    logging.disable(logging.ERROR)  # of servers whose clients vanish
    folder = Path(tempfile.mkdtemp(prefix="liq-chaos-")) / "world"
    print(f"seed {seed}, {_what(given)}, {given.collectors} collector(s); world {folder}", flush=True)
    began = time.monotonic()
    tell = lambda line: print(f"[{time.monotonic() - began:6.1f}] {line}", flush=True)  # noqa: E731
    try:
        found = asyncio.run(_run(folder, seed, given, tell))
    finally:
        if not given.keep:
            shutil.rmtree(folder.parent, ignore_errors=True)
    print(report(seed, found, time.monotonic() - began))
    return 0 if all(each.kept for each in found.promises) else 1


def _what(given: argparse.Namespace) -> str:
    if given.away:
        return f"Kafka away for {given.away:g} s beside {given.rate:,.0f} frames a second"
    if given.silent:
        return f"feeds fall silent after {given.silent:g} s"
    if given.burst:
        return f"a burst beside {given.rate:,.0f} frames a second"
    return f"{given.faults:,} faults, {given.minutes:g} min"


async def _run(folder: Path, seed: int, given: argparse.Namespace, tell: Tell) -> Found:
    """Run it; SIGTERM ends it as Ctrl-C does, with everything that was started."""
    settings = {"LIQ_COLLECT_SPOOL_MIB": str(given.spool_mib)} if given.spool_mib is not None else {}
    world = (
        UpWorld(folder, seed)
        if given.up
        else World(folder, seed, given.collectors, settings=settings, venues=tuple(RECORDS) if given.all else USUAL)
    )
    if given.silent:
        world = LivelyWorld(folder, seed)
    world.disk.keep = given.keep
    disturb = at_random(seed, given.faults, given.minutes * 60, given.kills)
    if given.away:
        disturb = kafka_away(given.away, given.rate, given.kill, given.spool_mib is None)
    if given.burst:
        disturb = burst(given.rate)
    if given.silent:
        disturb = silence(given.silent)
    task = asyncio.ensure_future(chaos(world, disturb, tell))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task


def report(seed: int, found: Found, took_s: float) -> str:
    """Return what a person reads: faults by kind with their times to heal, then each promise."""
    hit = sum(1 for each in found.done if each.hit)
    restarts = ", ".join(f"{name} {n}" for name, n in sorted(found.restarts.items()))
    lines = [f"\n{'fault':44}{'done':>6}{'hit':>6}{'heals p50':>11}{'longest':>10}"]
    times = {name: (n, p50, most, never) for name, n, p50, most, never in found.healed}
    for name, n in sorted(counted([each.planned for each in found.done]).items()):
        hits, p50, most, never = times.get(name, (0, 0.0, 0.0, 0))
        tail = f"  ({never} at the end)" if never else ""
        lines.append(f"{name:44}{n:>6}{hits:>6}" + (f"{p50:>9.1f} s{most:>8.1f} s" if hits else "") + tail)
    lines.append(
        f"\nseed {seed}: {len(found.done):,} faults, {hit:,} hit something; started again: {restarts}; {took_s:.0f} s"
    )
    lines += [f"left out: {why}" for why in found.skipped]
    for each in found.promises:
        lines.append(f"{'kept  ' if each.kept else 'BROKEN'}  {each.name}: {each.figures}")
        lines += [f"          {line}" for line in each.broken[:SHOWN]]
        if len(each.broken) > SHOWN:
            lines.append(f"          and {len(each.broken) - SHOWN:,} more")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
