"""The level model of formulas.md §2.1 for one contract: bar by bar and level by level, as plainly as it can be written."""

import math
from collections import defaultdict
from typing import Any

from tests.day.facts import HOUR

Side = dict[int, dict[float, float]]
AT_CLOSE, AT_HIGH, AT_LOW, OF_A_SIDE = 0.5, 0.25, 0.25, 0.5


def times_entry(leverage: float, mmr: float, long: bool, inverse: bool) -> float | None:
    """Return liquidation price / entry price (formulas.md §1.1, §1.2); None where such a position cannot be."""
    d = 1 if long else -1
    if mmr >= 1 / leverage or (leverage == 1 and long != inverse):
        return None
    return (1 + d * mmr) / (1 + d / leverage) if inverse else (1 - d / leverage) / (1 - d * mmr)


class Exposure:
    """Coins that would be liquidated in each price bin, of each side, if all had been opened with each leverage.

    `swept`: what bars reached since it was last emptied, but for what a bar opened itself; it ages on as if it were there.
    """

    def __init__(self, log_width: float, inverse: bool, half_life_h: float | None = 168.0) -> None:
        self.log_width, self.inverse, self.half_life_h = log_width, inverse, half_life_h
        self.factors: dict[tuple[bool, float], float] = {}
        self.cells: dict[bool, Side] = {True: defaultdict(dict), False: defaultdict(dict)}
        self.swept: dict[tuple[bool, int, float], float] = {}
        self.ts = self.since = 0
        self.close = self.oi = None
        self._scale = {True: 1.0, False: 1.0}
        self._span: list[tuple[float, float]] = []
        self._gone = {True: 0.0, False: 0.0}
        self.seen: dict[int, int] = {}
        self._traded: dict[int, tuple[float, int]] = {}
        self._recent: list[tuple[int, float]] = []

    def allow(self, leverages: tuple[float, ...], mmr: float, highest: float) -> None:
        """Take a margin table: positions opened from now on have these leverages, up to the highest, and this rate."""
        found = {(d, n): times_entry(n, mmr, d, self.inverse) for d in (True, False) for n in leverages if n <= highest}
        self.factors = {own: times for own, times in found.items() if times is not None}

    def left(self) -> dict[tuple[bool, int, float], float]:
        """Return what is there by side (long: True), bin and leverage."""
        return {
            (long, level, leverage): qty * self._scale[long]
            for long, side in self.cells.items()
            for level, held in side.items()
            for leverage, qty in held.items()
            if qty > 0
        }

    def traded(self, level: int) -> float:
        """Return coins traded in a bin, older ones counted less."""
        coins, ts = self._traded.get(level, (0.0, self.ts))
        return coins * self._halved(self.ts - ts, self.half_life_h)

    def recent(self, at: int, half_life_h: float) -> float:
        """Return USD liquidated before an instant, each counted less by its age."""
        return math.fsum(usd * self._halved(at - ts, half_life_h) for ts, usd in self._recent)

    def oi_usd(self) -> float:
        """Return the last open interest told, at the last close; 0 where none was."""
        return (self.oi or 0.0) * (1.0 if self.inverse else self.close or 0.0)

    def _halved(self, time: int, half_life_h: float | None) -> float:
        return 1.0 if half_life_h is None else 0.5 ** (time / HOUR / half_life_h)

    def _see(self, row: dict[str, Any], low: int, high: int) -> None:
        """Note the bins of a bar, its volume spread over them, and what was liquidated in it."""
        share = max(row.get("volume") or 0.0, 0.0) / (high - low + 1)
        for level in range(low, high + 1):
            coins, ts = self._traded.get(level, (0.0, row["ts"]))
            self._traded[level] = coins * self._halved(row["ts"] - ts, self.half_life_h) + share, row["ts"]
            self.seen[level] = row["ts"]
        if gone := (row["liquidated_long"] or 0.0) + (row["liquidated_short"] or 0.0):
            self._recent.append((row["ts"], gone if self.inverse else gone * row["close"]))

    def bin(self, price: float) -> int:
        return math.floor(math.log(price) / self.log_width)

    def bar(self, row: dict[str, Any]) -> None:
        """Take a minute: ts (UTC µs), low, high, close, and oi, liquidated_long, liquidated_short or None."""
        prices = [row["low"], row["high"], row["close"], *([] if self.close is None else [self.close])]
        low, high = self.bin(min(prices)), self.bin(max(prices))
        self._see(row, low, high)
        self._span.append((row["low"], row["high"]))
        self._gone[True] += row["liquidated_long"] or 0.0
        self._gone[False] += row["liquidated_short"] or 0.0
        self._age(row)
        for long in (True, False):
            for level in [level for level in self.cells[long] if (level >= low if long else level <= high)]:
                for leverage, qty in self.cells[long].pop(level).items():
                    own = long, level, leverage
                    self.swept[own] = self.swept.get(own, 0.0) + qty * self._scale[long]
        if row["oi"] is not None:
            if self.oi is not None:
                for long in (True, False):
                    net = max(row["oi"] - self.oi + self._gone[long], 0.0)
                    self._open(long, net / (row["close"] if self.inverse else 1.0), row["close"], low, high)
            self.oi, self._span, self._gone = row["oi"], [], {True: 0.0, False: 0.0}
        self.ts, self.since, self.close = row["ts"], self.since or row["ts"], row["close"]

    def _age(self, row: dict[str, Any]) -> None:
        kept = {True: 1.0, False: 1.0}
        if row["oi"] is not None and self.oi:
            kept = {long: min(max((row["oi"] + gone) / self.oi, 0.0), 1.0) for long, gone in self._gone.items()}
        aged = 1.0
        if self.close is not None and self.half_life_h is not None:
            aged = 0.5 ** ((row["ts"] - self.ts) / HOUR / self.half_life_h)
        for own in self.swept:
            self.swept[own] *= kept[own[0]] * aged
        for long, share in kept.items():
            self._scale[long] *= share * aged
            if self._scale[long] < 1e-100:
                part, self._scale[long] = self._scale[long], 1.0
                for held in self.cells[long].values():
                    held.update({leverage: qty * part for leverage, qty in held.items()})

    def _open(self, long: bool, coins: float, close: float, low: int, high: int) -> None:
        """Add what was opened at its liquidation prices, but for those that the bar itself (bins low to high) reached."""
        anchors = (
            (close, AT_CLOSE), (max(top for _, top in self._span), AT_HIGH), (min(bottom for bottom, _ in self._span), AT_LOW)
        )  # fmt: skip
        for (of_long, leverage), times in self.factors.items():
            for entry, share in anchors if of_long == long and coins > 0 else ():
                level = math.floor(math.log(entry) / self.log_width + math.log(times) / self.log_width)
                if level < low if long else level > high:
                    held = self.cells[long][level]
                    held[leverage] = held.get(leverage, 0.0) + coins * share * OF_A_SIDE / self._scale[long]
