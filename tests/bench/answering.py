"""How soon a command answers, beside a Python process that imports DuckDB and does nothing else.

The commands run in turns, each in a process of its own on a new world; the best turn of each counts. CPU is user and system
time of all threads: what the wall clock shows beyond it is waiting, or other work of the machine.
"""

import asyncio
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from warehouse import schema

TURNS = 6
BARE = 'python -c "import duckdb"'
COMMANDS = {
    BARE: ("-c", "import duckdb"),
    "liq --help": ("-m", "liq", "--help"),
    'liq sql "select 1"': ("-m", "liq", "sql", "select 1"),
}


class Took(NamedTuple):
    """Seconds of a process by the wall clock, and of processor time."""

    wall: float
    cpu: float


async def run(world: Path) -> None:
    """Print the seconds of each command, and their ratio to the bare import."""
    schema.create_or_migrate(world)
    took = await asyncio.to_thread(_best, os.environ | {"LIQ_DATA": str(world)})
    print(f"until the process has ended, best of {TURNS}       wall s  ratio    CPU s  ratio")
    for name, own in took.items():
        ratios = own.wall / took[BARE].wall, own.cpu / took[BARE].cpu
        print(f"{name:<42} {own.wall:>9.2f} {ratios[0]:>6.1f} {own.cpu:>8.2f} {ratios[1]:>6.1f}")


def _best(env: dict[str, str]) -> dict[str, Took]:
    turns = [{name: _took(words, env) for name, words in COMMANDS.items()} for _ in range(TURNS)]
    return {name: Took(*map(min, zip(*(turn[name] for turn in turns), strict=True))) for name in COMMANDS}


def _took(words: tuple[str, ...], env: dict[str, str]) -> Took:
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, *words], env=env, stdout=subprocess.DEVNULL, check=True)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Took(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
