"""The cascades of the invented past: one every three days, a fall or a squeeze, and what it does to price, calm and positions.

Minutes are counted from 1970. A crash and what the market regains of it lie in its own three days, in which the price drifts
back by what is left of it: crashes make the past rough, and neither rich nor poor.
"""

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from collectors.simulator.noise import Floats, Minutes, key_of, normals, uniforms

BLOCK = 3 * 1440
FELT = 8 * 1440
"""Minutes after which a crash is forgotten."""
REGAINED = 360
CLEAR = 180
"""The last minutes before the simulation have no crash, so that it starts calm."""
FALLS = 0.7


class Crash(NamedTuple):
    """`move`: log return of BTC, negative in a fall; `regain`: the part of it that comes back in the next hours."""

    start: int
    minutes: int
    move: float
    regain: float

    @property
    def weights(self) -> Floats:
        """The part of the move in each minute: most of it in the first third."""
        peak = max(1, self.minutes // 3)
        ramp = [min((n + 1) / peak, (self.minutes - n) / (self.minutes - peak + 1)) for n in range(self.minutes)]
        return np.array(ramp) / sum(ramp)


class Effects(NamedTuple):
    """Of crashes on each minute: `drift` log return of BTC, `heat` on the log of volatility, `premium` on that of BTC, and
    `interest` on the log of open interest."""

    drift: Floats
    heat: Floats
    premium: Floats
    interest: Floats


class Crashes:
    """The crashes before `start_minute`."""

    def __init__(self, seed: int, start_minute: int) -> None:
        self._key = key_of(seed, "crashes")
        self._end = start_minute - CLEAR
        self._of = lru_cache(1000)(self._drawn)

    def between(self, first: int, last: int) -> Iterator[Crash]:
        """Yield those of the blocks that hold minutes of [first, last], oldest first."""
        for block in range(first // BLOCK, min(last, self._end) // BLOCK + 1):
            crash = self._of(block)
            if crash.start + crash.minutes < self._end:
                yield crash

    def effects(self, minutes: Minutes) -> Effects:
        """Return what crashes do to these minutes, in ascending order."""
        found = Effects(*(np.zeros(len(minutes)) for _ in Effects._fields))
        for crash in self.between(int(minutes[0]) - FELT, int(minutes[-1])):
            begin, end = np.searchsorted(minutes, (crash.start, crash.start + FELT))
            _felt(crash, minutes[begin:end] - crash.start, Effects(*(each[begin:end] for each in found)))
            opened = crash.start - crash.start % BLOCK
            begin, end = np.searchsorted(minutes, (opened, opened + BLOCK))
            found.drift[begin:end] -= crash.move * (1 - crash.regain) / BLOCK
        return found

    def _drawn(self, block: int) -> Crash:
        at, length, side, regain = uniforms(self._key, np.arange(4 * block, 4 * block + 4)).tolist()
        size = 0.025 * math.exp(0.5 * float(normals(self._key, np.array([4 * block]))[0]))
        start = block * BLOCK + int((0.05 + 0.65 * at) * BLOCK)
        move = math.copysign(min(0.1, max(0.015, size)), FALLS - 1 if side < FALLS else 1)
        return Crash(start, 4 + int(20 * length), move, 0.2 + 0.4 * regain)


def _felt(crash: Crash, since: Minutes, on: Effects) -> None:
    """Add what a crash does `since` minutes after it began."""
    if not len(since):
        return
    weights, gone = crash.weights, np.minimum(since, crash.minutes - 1)
    during, over = since < crash.minutes, since - crash.minutes
    on.drift[during] += crash.move * weights[since[during]]
    back = np.exp(-np.arange(REGAINED) / 90)
    after = ~during & (over < REGAINED)
    on.drift[after] -= crash.move * crash.regain * (back / back.sum())[over[after]]
    on.heat[:] += 0.9 * math.sqrt(abs(crash.move) / 0.03) * np.exp(-since / 240)
    moved, calmer = weights.cumsum()[gone], np.maximum(over, 0)
    on.premium[:] += 0.05 * crash.move * moved * np.exp(-calmer / 45)
    on.interest[:] -= 1.5 * abs(crash.move) * moved * np.exp(-calmer / 3600)
