"""How often a liquidation channel that works is called SUSPECT in calm days, and how soon one that died is."""

import time
from pathlib import Path

import numpy as np

from pipelines.derive.coverage.expectation import DAY, LIVE, SILENT, SUSPECT, Silence, state
from pipelines.derive.coverage.silence_rules import RULE
from tests.bench.calm import PER_MINUTE, World, world

DAYS, SEEDS, DEATHS = 30, 20, 40
LIVELY = {"binance": 17.0, "bybit": 17.0, "okx": 17.0}
"""Coins with a liquidation a minute, of the market that `liq demo` simulates."""


async def run(_: Path) -> None:
    """Print the figures."""
    started = time.perf_counter()
    for alone in (False, True):
        lowest, silences, suspect = np.ones(SEEDS), 0, 0
        for seed in range(SEEDS):
            of = world(DAYS, seed)
            judged = [of.judge(venue, span, alone=alone) for venue in PER_MINUTE for span in of.silences(venue)]
            lowest[seed] = min(each.likelihood.min() for each in judged)
            suspect += sum(state(each, RULE)[0] != LIVE for each in judged)
            silences += len(judged)
        told = "each venue alone" if alone else "three venues together"
        print(f"{SEEDS} times {DAYS} calm days, {told}: {silences:,} silences, {suspect} called SUSPECT")
        print(
            f"  the least likely: {lowest.min():.0e}, a month's: {np.median(lowest):.0e}; limit {RULE.suspect_below:.0e}"
        )
    for name, rates, days in (("calm", PER_MINUTE, DAYS), ("as lively as the demo", LIVELY, 10)):
        of, rng = world(days, 1, rates), np.random.default_rng(1)
        for venue in rates:
            print(f"{name}: {venue} dies: {_deaths(of, venue, rng)}")
    print(f"({time.perf_counter() - started:.0f} s)")


def _deaths(of: World, venue: str, rng: np.random.Generator) -> str:
    """Let a channel die at random times, and say after how many minutes that was known."""
    length = len(of.channels[venue].share)
    suspect, silent = np.full(DEATHS, np.inf), np.full(DEATHS, np.inf)
    for number, at in enumerate(rng.integers(8 * DAY, length - DAY, DEATHS)):
        first = int(np.flatnonzero(of.channels[venue].heard[:at])[-1]) + 1
        found = of.judge(venue, (first, int(at) + DAY))
        suspect[number], silent[number] = (
            _known(found, below) - (at - first) for below in (RULE.suspect_below, RULE.silent_below)
        )
    return ", ".join(f"{word} after {_at(after, 0.5)} min (9 of 10: {_at(after, 0.9)})"
                     for word, after in ((SUSPECT, suspect), (SILENT, silent)))  # fmt: skip


def _at(after: np.ndarray, part: float) -> str:
    found = np.quantile(after, part, method="lower")
    return f"{found:.0f}" if np.isfinite(found) else "over 1440"


def _known(found: Silence, below: float) -> float:
    crossed = np.flatnonzero(found.likelihood < below)
    return float(crossed[0] + 1) if len(crossed) else np.inf
