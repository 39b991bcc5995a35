"""`python -m tests.fuzz --minutes 5`: every target for its share of the time, guided by coverage where atheris is installed.

Prints the inputs tried and, of what breaks, the smallest input. Exit code 1 where something broke.
"""

import argparse
import asyncio
import random
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from tests.fuzz import door
from tests.fuzz.bounds import tried
from tests.fuzz.dice import Dice
from tests.fuzz.targets import TARGETS
from warehouse import schema

BYTES = 40
RECORDS = 400


def main() -> int:
    """Fuzz, print, and return the exit code."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=None)
    given = parser.parse_args()
    seed = given.seed if given.seed is not None else random.randrange(10**6)
    share = given.minutes * 60 / (len(TARGETS) + 1)
    guided = _has_atheris()
    how = "guided by coverage (atheris)" if guided else "atheris is not installed: drawn at random"
    print(f"seed {seed}, {share:.0f} s for each of {', '.join(TARGETS)}, door; {how}", flush=True)
    broken: list[str] = []
    for name in TARGETS:
        broken += (_guided if guided else _drawn)(name, seed, share)
    broken += _door(seed, share)
    print("inputs tried: " + ", ".join(f"{name} {n:,}" for name, n in tried.items()))
    print("\n".join(broken) or "nothing broke")
    return 1 if broken else 0


def _has_atheris() -> bool:
    return subprocess.run([sys.executable, "-c", "import atheris"], capture_output=True, check=False).returncode == 0


def _guided(name: str, seed: int, seconds: float) -> list[str]:
    """Run atheris in a process of its own, as it ends its process, and count its inputs."""
    command = [sys.executable, "-m", "tests.fuzz.guided", name, f"-seed={seed + 1}", f"-max_total_time={int(seconds)}",
               f"-max_len={BYTES}", "-len_control=0", "-print_final_stats=1", "-rss_limit_mb=4096"]  # fmt: skip
    with tempfile.TemporaryDirectory() as corpus:
        done = subprocess.run(
            [*command, f"-artifact_prefix={corpus}/", corpus], capture_output=True, text=True, check=False
        )
    lines = done.stderr.splitlines() + done.stdout.splitlines()
    units = [line.split()[-1] for line in lines if "number_of_executed_units" in line]
    tried[name] += int(units[0]) if units else 0
    return [] if done.returncode == 0 else [f"{name}: " + "\n".join(lines[-40:])]


def _drawn(name: str, seed: int, seconds: float) -> list[str]:
    dice, until, broken = random.Random(f"{seed}/{name}"), time.monotonic() + seconds, dict[str, str]()
    while time.monotonic() < until:
        data = dice.randbytes(dice.randint(1, BYTES))
        if why := _why(partial(TARGETS[name], data)):
            broken.setdefault(why, f"{name}: {why}\n    {data!r}")
    return list(broken.values())


def _door(seed: int, seconds: float) -> list[str]:
    folder, dice, until = Path(tempfile.mkdtemp()), random.Random(f"{seed}/door"), time.monotonic() + seconds
    broken: dict[str, str] = {}
    try:
        schema.create_or_migrate(folder / "empty")
        while time.monotonic() < until:
            given = door.records(Dice(dice.randbytes(50 * RECORDS)), RECORDS)
            if (why := _through(folder, given)) and why not in broken:
                small = door.smallest(given, lambda part, why=why: _through(folder, part) == why)  # type: ignore[misc]
                broken[why] = f"door: {why}\n" + "\n".join(f"    {each}" for each in small)
    finally:
        shutil.rmtree(folder)
    return list(broken.values())


def _through(folder: Path, given: Sequence[door.Record]) -> str:
    shutil.rmtree(folder / "world", ignore_errors=True)
    shutil.copytree(folder / "empty", folder / "world")

    def run() -> None:
        if wrong := asyncio.run(door.through(folder / "world", given)):
            raise AssertionError(wrong[0])

    return _why(run)


def _why(work: Callable[[], object]) -> str:
    """Return what a run breaks, by where; empty where it breaks nothing."""
    try:
        work()
    except Exception as error:  # noqa: BLE001
        places = [each for each in traceback.extract_tb(error.__traceback__) if "/tests/" not in each.filename]
        where = f" at {places[-1].filename}:{places[-1].lineno}" if places else ""
        return f"{type(error).__name__}{where}: {str(error)[:300]}"
    return ""


if __name__ == "__main__":
    sys.exit(main())
