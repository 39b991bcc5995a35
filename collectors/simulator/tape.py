"""What the simulated market did since it started: prices minute by minute, open interest, what was liquidated, settlements.

A bar is open, high, low and close of a minute; it opens where the one before it closed. Prices are USD per coin.
"""

from array import array
from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

import numpy as np

from collectors.simulator.contracts import Contract
from collectors.simulator.noise import Floats


class Settlement(NamedTuple):
    """A funding rate that was paid at `ts`, UTC ms."""

    ts: int
    rate: float
    mark: float


class Quoted(Protocol):
    """A contract's state: mark over index minus one, last over mark minus one, and one side's open interest in coins."""

    premium: float
    basis: float
    open_interest: float


class Bars:
    """One series of bars, the last of them running."""

    def __init__(self, price: float) -> None:
        self._values = array("d", (price,) * 4)

    @property
    def last(self) -> float:
        return self._values[-1]

    def turn(self) -> None:
        """Begin the next minute."""
        self._values.extend((self._values[-1],) * 4)

    def reach(self, high: float, low: float) -> None:
        """Let the running bar reach from `low` to `high`."""
        values = self._values
        values[-3], values[-2] = max(values[-3], high), min(values[-2], low)

    def close(self, high: float, low: float, close: float) -> None:
        """Let the running bar reach so far, and close there for now."""
        self.reach(high, low)
        self._values[-1] = close

    def at(self, index: int) -> tuple[float, float, float, float]:
        """Return one bar; beyond the last, one without a move."""
        if 4 * index >= len(self._values):
            return (self.last,) * 4
        found = self._values[4 * index : 4 * index + 4]
        return found[0], found[1], found[2], found[3]

    def between(self, first: int, last: int) -> Floats:
        """Return bars of [first, last) as rows; those that do not exist yet are left out."""
        return np.array(self._values[4 * first : 4 * last], np.float64).reshape(-1, 4)


class Tape:
    """`start_minute`: its first; `mark`, `trade` by contract, `index` by coin's name: the bars. At the start of each minute:
    `interest` (coins, one side) and `premium`. `liquidated`: coins of each minute."""

    def __init__(self, start_minute: int, prices: Mapping[str, float], quotes: Mapping[Contract, Quoted]) -> None:
        self.start_minute = start_minute
        self.index = {name: Bars(price) for name, price in prices.items()}
        self.mark = {c: Bars(prices[c.coin.name] * (1 + q.premium)) for c, q in quotes.items()}
        self.trade = {c: Bars(self.mark[c].last * (1 + q.basis)) for c, q in quotes.items()}
        self.interest = {c: array("d", (q.open_interest,)) for c, q in quotes.items()}
        self.premium = {c: array("d", (q.premium,)) for c, q in quotes.items()}
        self.liquidated = {c: array("d", (0.0,)) for c in quotes}
        self.settled: dict[Contract, list[Settlement]] = {c: [] for c in quotes}
        self._quotes = quotes
        self._since = {name: [price, price, price] for name, price in prices.items()}
        self._open = False

    def price(self, name: str, price: float) -> None:
        """Take a coin's index price, the newest of the running minute."""
        since = self._since[name]
        since[0], since[1], since[2] = max(since[0], price), min(since[1], price), price
        self._open = True

    def flush(self) -> None:
        """Bring the bars up to date; before premium or basis changes, and before anybody looks."""
        if not self._open:
            return
        for name, since in self._since.items():
            self.index[name].close(*since)
        for contract, quote in self._quotes.items():
            high, low, close = self._since[contract.coin.name]
            over = 1 + quote.premium
            self.mark[contract].close(high * over, low * over, close * over)
            over *= 1 + quote.basis
            self.trade[contract].close(high * over, low * over, close * over)
        for since in self._since.values():
            since[0] = since[1] = since[2]
        self._open = False

    def moved(self) -> None:
        """Take it that premium or basis has changed: marks and last prices have, where prices have not."""
        self._open = True

    def liquidation(self, contract: Contract, coins: float, fill: float, mark: float) -> None:
        """Take a liquidation of the running minute: it traded at `fill`, when the mark was `mark`."""
        self.trade[contract].reach(fill, fill)
        self.mark[contract].reach(mark, mark)
        self.liquidated[contract][-1] += coins

    def turn(self) -> None:
        """Begin the next minute."""
        self.flush()
        for bars in self._all():
            bars.turn()
        for contract, quote in self._quotes.items():
            self.interest[contract].append(quote.open_interest)
            self.premium[contract].append(quote.premium)
            self.liquidated[contract].append(0.0)

    def _all(self) -> Iterable[Bars]:
        for series in (self.index, self.mark, self.trade):
            yield from series.values()
