"""Accounts with positions in the simulated market: what the venue says of each, and the leaderboard that names them.

Positions are drawn once, so that together they have a part of each contract's open interest. One whose liquidation price the
market reaches is gone from then on, as it would be.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from collectors.simulator.contracts import Contract
from collectors.simulator.liquidation import Position
from collectors.simulator.market import Market
from collectors.simulator.plain import Pushed
from collectors.venues.hyperliquid.simulator.node import address

ACCOUNTS = 240
OBSERVED = 0.6
"""Of a contract's open interest: what these accounts have, each side."""
POSITIONS = 24
LEVERAGES = (3, 5, 10, 20, 40)
MARGIN = 0.0125
FREE = 0.08
"""Part of the positions that no price liquidates."""


class Holding:
    """A position. Prices in USD per coin; `liquidation` None: no price would."""

    def __init__(self, of: Contract, side: Position, coins: float, entry: float, leverage: int, free: bool) -> None:
        away = (1 - MARGIN) / leverage * (-1 if side == "long" else 1)
        self.of, self.side, self.coins, self.entry, self.leverage = of, side, coins, entry, leverage
        self.liquidation = None if free else entry * (1 + away)

    def is_reached(self, mark: float) -> bool:
        """Say whether a mark price liquidates it."""
        if self.liquidation is None:
            return False
        return mark <= self.liquidation if self.side == "long" else mark >= self.liquidation


class Accounts:
    """What each account holds, by its address."""

    def __init__(self, market: Market, own: Sequence[Contract], seed: int) -> None:
        rng = random.Random(f"{seed}/accounts")
        self._market = market
        self.held: dict[str, list[Holding]] = {address(number): [] for number in range(1, ACCOUNTS + 1)}
        addresses = list(self.held)
        for each in own:
            for side in ("long", "short"):
                self._open(each, side, rng, rng.sample(addresses, POSITIONS))

    def _open(self, each: Contract, side: Position, rng: random.Random, addresses: Sequence[str]) -> None:
        quote = self._market.quotes[each]
        sizes = [rng.lognormvariate(0, 1.5) for _ in addresses]
        for account, size in zip(addresses, sizes, strict=True):
            coins = OBSERVED * quote.open_interest * size / sum(sizes)
            entry, leverage = quote.mark * (1 + rng.gauss(0, 0.02)), rng.choice(LEVERAGES)
            holding = Holding(each, side, coins, entry, leverage, rng.random() < FREE)
            if not holding.is_reached(quote.mark):
                self.held[account].append(holding)

    def look(self, _now: int) -> Iterator[Pushed]:
        """Take out what the market has reached; nothing is pushed to anybody."""
        marks = {each: quote.mark for each, quote in self._market.quotes.items()}
        for account, holdings in self.held.items():
            self.held[account] = [one for one in holdings if not one.is_reached(marks[one.of])]
        yield from ()

    def state(self, account: str) -> dict[str, Any]:
        """Return what the venue says of an account; of one it does not know, that it has nothing."""
        by_contract = defaultdict[Contract, list[Holding]](list)
        for one in self.held.get(account, ()):
            by_contract[one.of].append(one)
        positions = [self._position(of, own[0]) for of, own in by_contract.items()]
        total = f"{sum(float(each['position']['positionValue']) for each in positions):.6f}"
        summary = {"accountValue": total, "totalNtlPos": total, "totalRawUsd": total, "totalMarginUsed": "0.0"}
        return {
            "marginSummary": summary, "crossMarginSummary": summary, "crossMaintenanceMarginUsed": "0.0",
            "withdrawable": "0.0", "assetPositions": positions, "time": self._market.now,
        }  # fmt: skip

    def _position(self, of: Contract, one: Holding) -> dict[str, Any]:
        size = one.coins / of.scale * (1 if one.side == "long" else -1)
        at = None if one.liquidation is None else of.price_text(one.liquidation, 10)
        value = one.coins * self._market.quotes[of].mark
        return {"type": "oneWay", "position": {
            "coin": of.symbol, "szi": f"{size:.6f}", "leverage": {"type": "cross", "value": one.leverage},
            "entryPx": of.price_text(one.entry, 10), "positionValue": f"{value:.6f}", "unrealizedPnl": "0.0",
            "returnOnEquity": "0.0", "liquidationPx": at, "marginUsed": f"{value / one.leverage:.6f}", "maxLeverage": 40,
            "cumFunding": {"allTime": "0.0", "sinceOpen": "0.0", "sinceChange": "0.0"},
        }}  # fmt: skip

    def leaderboard(self) -> dict[str, Any]:
        """Return the accounts by what they own."""
        return {"leaderboardRows": [
            {"ethAddress": account, "accountValue": f"{sum(one.coins * one.entry for one in held):.2f}",
             "windowPerformances": [], "prize": 0, "displayName": None}
            for account, held in self.held.items()
        ]}  # fmt: skip
