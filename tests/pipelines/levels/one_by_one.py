"""The model of formulas.md §2.1 bar by bar and level by level, as plainly as it can be written: to compare with."""

import math
from collections import defaultdict
from datetime import datetime
from typing import Any

from pipelines.levels.margins import factor
from pipelines.levels.parameters import Parameters

Cells = dict[tuple[bool, float, int], float]


class OneByOne:
    """One contract's state."""

    def __init__(self, parameters: Parameters, width: float, mmr: float, inverse: bool = False) -> None:
        self.parameters, self.log_width, self.inverse = parameters, math.log1p(width), inverse
        self.factors = {
            (long, leverage): found
            for long in (True, False)
            for leverage in parameters.leverages
            if (found := factor(leverage, mmr, long=long, inverse=inverse)) is not None
        }
        self.cells: Cells = defaultdict(float)
        self.ts: datetime | None = None
        self.close = self.oi = None
        self.span: list[tuple[float, float]] = []
        self.gone = {True: 0.0, False: 0.0}

    def bin(self, price: float) -> int:
        return math.floor(math.log(price) / self.log_width)

    def bar(self, row: dict[str, Any]) -> None:
        """Take one row of BARS."""
        prices = [row["low"], row["high"], row["close"], *([] if self.close is None else [self.close])]
        self.span.append((row["low"], row["high"]))
        self.gone[True] += row["liquidated_long"] or 0.0
        self.gone[False] += row["liquidated_short"] or 0.0
        self._age(row)
        if row["oi"] is not None:
            if self.oi is not None:
                for long in (True, False):
                    net = row["oi"] - self.oi + self.gone[long]
                    self._open(long, max(net, 0.0) / (row["close"] if self.inverse else 1.0), row["close"])
            self.oi, self.span, self.gone = row["oi"], [], {True: 0.0, False: 0.0}
        low, high = self.bin(min(prices)), self.bin(max(prices))
        for long, leverage, level in list(self.cells):
            if level >= low if long else level <= high:
                del self.cells[long, leverage, level]
        self.ts, self.close = row["ts"], row["close"]

    def _age(self, row: dict[str, Any]) -> None:
        kept = {True: 1.0, False: 1.0}
        if row["oi"] is not None and self.oi:
            kept = {long: min(max((row["oi"] + gone) / self.oi, 0.0), 1.0) for long, gone in self.gone.items()}
        if self.ts is not None and self.parameters.half_life_h is not None:
            aged = 0.5 ** ((row["ts"] - self.ts).total_seconds() / 3600 / self.parameters.half_life_h)
            kept = {long: share * aged for long, share in kept.items()}
        for cell in self.cells:
            self.cells[cell] *= kept[cell[0]]

    def _open(self, long: bool, coins: float, close: float) -> None:
        p = self.parameters
        low, high = min(low for low, _ in self.span), max(high for _, high in self.span)
        side = p.long_share if long else 1 - p.long_share
        for (of_long, leverage), times in self.factors.items():
            for entry, share in ((close, p.at_close), (high, p.at_high), (low, p.at_low)):
                level = math.floor(math.log(entry) / self.log_width + math.log(times) / self.log_width)
                if of_long == long:
                    self.cells[long, leverage, level] += coins * share * side
