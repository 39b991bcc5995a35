"""A market of which everything is known: agents open at a known mix of leverages and are liquidated at their prices."""

import heapq
import math
import random
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import polars as pl

from pipelines.derive.levels.margins import factor
from pipelines.derive.levels.model import BARS

START = datetime(2026, 9, 1)  # noqa: DTZ001 the warehouse's times are UTC without a zone
MINUTE = timedelta(minutes=1)


class Market(NamedTuple):
    """bars: BARS of contract 0. liquidations: contract, ts, long, price, usd. The price starts at 100."""

    bars: pl.DataFrame
    liquidations: pl.DataFrame


class Rules(NamedTuple):
    """mix: share of openings per leverage. volatility: of a minute. busy: pairs of positions opened in one minute of
    thirty; quiet: in each of the others. closed: share of open positions closed by their holders each minute. structure:
    False tells liquidations at random prices and times instead, unrelated to what was opened."""

    mix: dict[float, float]
    days: int = 12
    volatility: float = 0.002
    mmr: float = 0.005
    busy: int = 100
    quiet: int = 0
    closed: float = 0.001
    structure: bool = True


def market(rules: Rules, seed: int) -> Market:
    """Let a market run."""
    dice = random.Random(seed)
    book, price = _Book(rules, dice), 100.0
    bars: list[dict[str, Any]] = []
    told: list[dict[str, Any]] = []
    for minute in range(rules.days * 1440):
        ts = START + minute * MINUTE
        path, gone = [price], {True: 0, False: 0}
        for _ in range(4):
            step = dice.gauss(0, rules.volatility / 2) - 0.00002 * math.log(path[-1] / 100)
            path.append(path[-1] * math.exp(step))
        price = path[-1]
        for at in path[1:]:
            for long, level in book.hit(at):
                gone[long] += 1
                book.close_one(not long)  # who took the other side
                if rules.structure:
                    told.append({"contract": 0, "ts": ts, "long": long, "price": level, "usd": level})
        if not rules.structure and dice.random() < 0.3:
            at, size = dice.uniform(min(path), max(path)), dice.lognormvariate(3, 1.5)
            told.append({"contract": 0, "ts": ts, "long": dice.random() < 0.5, "price": at, "usd": size * at})
        book.close(rules.closed)
        for _ in range(rules.busy if dice.random() < 0.03 else rules.quiet):
            book.open(True, at := dice.choice(path))
            book.open(False, at)
        bars.append({"contract": 0, "ts": ts, "low": min(path), "high": max(path), "close": price,
                     "oi": float(len(book.live[True])), "liquidated_long": float(gone[True]),
                     "liquidated_short": float(gone[False])})  # fmt: skip
    return Market(
        pl.DataFrame([dict.fromkeys(BARS) | row for row in bars], schema=BARS),
        pl.DataFrame(told, schema={"contract": pl.UInt32, "ts": pl.Datetime("us"), "long": pl.Boolean, "price": pl.Float64,
                                   "usd": pl.Float64}),
    )  # fmt: skip


class _Book:
    """Open positions of one coin each; as many long as short."""

    def __init__(self, rules: Rules, dice: random.Random) -> None:
        self.rules, self.dice = rules, dice
        self.levels: dict[bool, list[tuple[float, int]]] = {True: [], False: []}
        self.live: dict[bool, list[int]] = {True: [], False: []}
        self.place: dict[int, int] = {}
        self.number = 0

    def open(self, long: bool, entry: float) -> None:
        leverage = self.dice.choices(list(self.rules.mix), list(self.rules.mix.values()))[0]
        level = entry * (factor(leverage, self.rules.mmr, long=long) or 0)
        self.number += 1
        self.place[self.number] = len(self.live[long])
        self.live[long].append(self.number)
        heapq.heappush(self.levels[long], (-level if long else level, self.number))

    def hit(self, price: float) -> list[tuple[bool, float]]:
        """Take out the positions whose level the price has reached: side and level."""
        found = []
        for long, heap in self.levels.items():
            while heap and (-heap[0][0] >= price if long else heap[0][0] <= price):
                level, number = heapq.heappop(heap)
                if number in self.place:
                    self._remove(long, number)
                    found.append((long, abs(level)))
        return found

    def close(self, share: float) -> None:
        """Close a share of both sides, whichever."""
        for _ in range(int(share * len(self.live[True]) + self.dice.random())):
            self.close_one(True)
            self.close_one(False)

    def close_one(self, long: bool) -> None:
        """Close a position of that side, whichever."""
        if self.live[long]:
            self._remove(long, self.dice.choice(self.live[long]))

    def _remove(self, long: bool, number: int) -> None:
        live, place = self.live[long], self.place.pop(number)
        last = live.pop()
        if last != number:
            live[place], self.place[last] = last, place
