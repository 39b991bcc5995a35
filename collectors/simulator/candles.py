"""Candles of the simulated market, of the past and of what was recorded since. Prices are USD per coin, times UTC ms."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np

from collectors.simulator.contracts import Contract
from collectors.simulator.noise import Floats, Minutes, key_of, uniforms
from collectors.simulator.past import DAY, Past
from collectors.simulator.tape import Tape

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
TURNOVER = 0.0008
"""Part of the open interest that is traded in a minute without a move; in a day two or three times all of it."""
TURNOVER_OF_MOVE = 1500
Kind = Literal["trade", "mark", "index"]


class Candle(NamedTuple):
    """Open, high, low, close, and the coins that were traded."""

    open: float
    high: float
    low: float
    close: float
    coins: float


class Candles:
    """`tape` goes on where `past` ends; `coins` of open interest where it ends, by contract."""

    def __init__(self, seed: int, past: Past, tape: Tape, coins: dict[Contract, float]) -> None:
        self._seed = seed
        self._past = past
        self._tape = tape
        self._coins = coins
        self._day = lru_cache(100)(self._day_of)
        self._last_days: dict[tuple[Contract, Kind], tuple[int, Candle, float]] = {}

    def candle(self, contract: Contract, kind: Kind, start: int, width: int, now: int) -> Candle:
        """Return the candle of [start, start + width) of what has happened by `now`: exactly the union of its minutes.

        `kind`: of the contract's last price, its mark, or its index. Coins only of trades; those of a minute that runs grow
        with it.
        """
        first, last = start // MINUTE_MS, min(start + width - 1, max(now, start)) // MINUTE_MS
        if first == last and last < self._past.start_minute:
            day, at = divmod(first, DAY)
            return Candle(*self._day(contract, kind, day)[at].tolist())
        rows = np.concatenate(list(self._rows(contract, kind, first, last + 1)))
        if last * MINUTE_MS <= now < (last + 1) * MINUTE_MS:
            rows[-1, 4] *= max(1, now - last * MINUTE_MS) / MINUTE_MS
        opened, high, low, closed = rows[0, 0], rows[:, 1].max(), rows[:, 2].min(), rows[-1, 3]
        coins = rows[:, 4].sum() + self._liquidated(contract, kind, first, last)
        return Candle(*map(float, (opened, high, low, closed, coins)))

    def last_day(self, contract: Contract, kind: Kind, now: int) -> tuple[Candle, float]:
        """Return the candle of the last 24 hours and the price an hour ago, both as of the last full minute."""
        minute = now - now % MINUTE_MS
        if (kept := self._last_days.get((contract, kind))) is None or kept[0] != minute:
            day = self.candle(contract, kind, minute - DAY_MS, DAY_MS, minute)
            hour_ago = self.candle(contract, kind, minute - HOUR_MS, MINUTE_MS, minute).open
            kept = self._last_days[contract, kind] = (minute, day, hour_ago)
        return kept[1], kept[2]

    def _rows(self, contract: Contract, kind: Kind, first: int, last: int) -> Iterator[Floats]:
        """Yield open, high, low, close and coins of each minute in [first, last), piece by piece."""
        start = self._past.start_minute
        for day in range(first // DAY, (min(last, start) - 1) // DAY + 1):
            begin = day * DAY
            yield self._day(contract, kind, day)[max(first - begin, 0) : min(last, start) - begin]
        if last > start:
            yield self._recorded(contract, kind, max(first, start) - start, last - start)

    def _day_of(self, contract: Contract, kind: Kind, day: int) -> Floats:
        bars, states = self._past.bars(contract.coin, day), self._past.states(contract, day)
        over = 1 + states.premium if kind != "index" else np.ones(DAY + 1)
        if kind == "trade":
            over = over * (1 + states.basis)
        high, low = np.maximum(over[:-1], over[1:]), np.minimum(over[:-1], over[1:])
        factors = np.column_stack((over[:-1], high, low, over[1:]))
        coins = self._coins[contract] * np.exp(states.interest[:-1]) if kind == "trade" else np.zeros(DAY)
        minutes = np.arange(day * DAY, (day + 1) * DAY)
        return np.column_stack((bars * factors, coins * self._turnover(contract, minutes, bars)))

    def _recorded(self, contract: Contract, kind: Kind, first: int, last: int) -> Floats:
        """Return rows as of `_rows` of the tape's minutes; one that has not begun is without a move."""
        self._tape.flush()
        bars = self._tape.index[contract.coin.name] if kind == "index" else getattr(self._tape, kind)[contract]
        rows = bars.between(first, last)
        if not len(rows):
            return np.array([(bars.last,) * 4 + (0.0,)])
        coins = np.zeros(len(rows))
        if kind == "trade":
            coins = np.array(self._tape.interest[contract][first : first + len(rows)])
        minutes = self._past.start_minute + np.arange(first, first + len(rows))
        return np.column_stack((rows, coins * self._turnover(contract, minutes, rows)))

    def _liquidated(self, contract: Contract, kind: Kind, first: int, last: int) -> float:
        """Return the coins that liquidations traded beside the others."""
        start = self._past.start_minute
        if kind != "trade" or last < start:
            return 0.0
        return sum(self._tape.liquidated[contract][max(first, start) - start : last + 1 - start])

    def _turnover(self, contract: Contract, minutes: Minutes, bars: Floats) -> Floats:
        """Return the part of the open interest that is traded in each minute."""
        jitter = 0.5 + uniforms(key_of(self._seed, contract.symbol, "turnover"), minutes)
        traded: Floats = TURNOVER * jitter * (1 + TURNOVER_OF_MOVE * (bars[:, 1] - bars[:, 2]) / bars[:, 0])
        return traded
