"""A market of which everything is known: agents open at a known mix of leverages and are liquidated at their prices."""

import heapq
import math
import random
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import polars as pl

from pipelines.levels.margins import factor
from pipelines.levels.model import BARS

START = datetime(2026, 9, 1)  # noqa: DTZ001 the warehouse's times are UTC without a zone
MINUTE = timedelta(minutes=1)


class Market(NamedTuple):
    """bars: BARS of contract 0. liquidations: contract, ts, long, price, usd. Sizes are in coins, the price starts at 100."""

    bars: pl.DataFrame
    liquidations: pl.DataFrame


class Rules(NamedTuple):
    """mix: share of openings per leverage. volatility: of a minute. opened: mean coins a minute, some minutes many times
    that. closed: share of open positions closed by their holders each minute. structure: False liquidates at random prices
    and times instead, unrelated to what was opened."""

    mix: dict[float, float]
    days: int = 20
    volatility: float = 0.0015
    mmr: float = 0.005
    opened: float = 20.0
    closed: float = 0.0002
    structure: bool = True


def market(rules: Rules, seed: int) -> Market:
    """Let a market run."""
    dice = random.Random(seed)
    book, price, oi = _Book(rules), 100.0, 0.0
    bars: list[dict[str, Any]] = []
    told: list[dict[str, Any]] = []
    for minute in range(rules.days * 1440):
        ts = START + minute * MINUTE
        path = [price]
        for _ in range(6):
            path.append(path[-1] * math.exp(dice.gauss(0, rules.volatility / math.sqrt(6)) - 0.00002 * math.log(path[-1] / 100)))
        price = path[-1]
        for at in path[1:]:
            for long, level, coins in book.hit(at):
                oi -= coins
                if rules.structure:
                    told.append({"contract": 0, "ts": ts, "long": long, "price": level, "usd": coins * level})
        if not rules.structure and dice.random() < 0.3:
            at, size = dice.uniform(min(path), max(path)), dice.lognormvariate(3, 1.5)
            told.append({"contract": 0, "ts": ts, "long": dice.random() < 0.5, "price": at, "usd": size * at})
        oi -= book.close(rules.closed * dice.lognormvariate(0, 1), dice)
        busy = 20.0 if dice.random() < 0.03 else 0.4
        for _ in range(8):
            coins = rules.opened / 8 * busy * dice.expovariate(1)
            oi += coins
            book.open(dice.choice(path), coins, dice)
        bars.append({"contract": 0, "ts": ts, "low": min(path), "high": max(path), "close": price, "oi": oi})
    return Market(
        pl.DataFrame([dict.fromkeys(BARS) | row for row in bars], schema=BARS),
        pl.DataFrame(told, schema={"contract": pl.UInt32, "ts": pl.Datetime("us"), "long": pl.Boolean, "price": pl.Float64,
                                   "usd": pl.Float64}),
    )  # fmt: skip


class _Book:
    """Open positions, by liquidation price."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.sides: dict[bool, list[tuple[float, int]]] = {True: [], False: []}
        self.coins: dict[int, float] = {}
        self.number = 0

    def open(self, entry: float, coins: float, dice: random.Random) -> None:
        leverage = dice.choices(list(self.rules.mix), list(self.rules.mix.values()))[0]
        for long in (True, False):  # every contract has a holder on both sides
            level = entry * (factor(leverage, self.rules.mmr, long=long) or 0)
            self.number += 1
            self.coins[self.number] = coins / 2
            heapq.heappush(self.sides[long], (-level if long else level, self.number))

    def hit(self, price: float) -> list[tuple[bool, float, float]]:
        """Take out the positions whose level the price has reached: side, level, coins."""
        found = []
        for long, heap in self.sides.items():
            while heap and (-heap[0][0] >= price if long else heap[0][0] <= price):
                level, number = heapq.heappop(heap)
                if coins := self.coins.pop(number, 0.0):
                    found.append((long, abs(level), coins))
        return found

    def close(self, share: float, dice: random.Random) -> float:
        """Close a share of the positions, whichever; return their coins."""
        count = min(len(self.coins), int(share * len(self.coins) + dice.random()))
        if not count:
            return 0.0
        closed, numbers = 0.0, range(self.number + 1)
        for _ in range(20 * count):
            if count == 0:
                break
            if coins := self.coins.pop(dice.choice(numbers), 0.0):
                closed, count = closed + coins, count - 1
        return closed
