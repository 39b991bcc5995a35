"""Binance: what both hosts push of the market. Facts: exchanges/binance.md §2, §3."""

from collections.abc import Sequence
from typing import Any

import orjson

from collectors.simulator.contracts import Contract
from collectors.simulator.history import MINUTE_MS
from collectors.simulator.liquidation import Liquidation
from collectors.simulator.market import Market
from collectors.simulator.simulated import Feed
from collectors.simulator.throttles import LargestPerSecond
from collectors.simulator.truth import Truth
from collectors.venues.binance.simulator import frames
from collectors.venues.binance.simulator.server import BinanceProtocol

ALL_LIQUIDATIONS = "!forceOrder@arr"


class BinanceFeed(Feed):
    """Pushes the market to both hosts: liquidations when due, marks every second or three, klines every second."""

    def __init__(self, market: Market, um: BinanceProtocol, cm: BinanceProtocol, truth: Truth) -> None:
        self._market = market
        self._hosts = {"um": um, "cm": cm}
        self._truth = truth
        self._windows = LargestPerSecond()
        self._second = market.now // 1000
        self._contracts: Sequence[Contract] = [c for c in market.contracts if c.venue == "binance"]

    @property
    def pending(self) -> int:
        """Liquidations that happened and are not shown yet."""
        return self._windows.pending

    def offer(self, liquidation: Liquidation) -> None:
        """Take a liquidation of this venue."""
        self._windows.offer(liquidation)

    def push(self, now: int) -> None:
        """Publish what is due at `now`, market time in ms."""
        for closes, liquidation in self._windows.due(now):
            payload = orjson.dumps(frames.force_order(liquidation, closes + 3))
            shown = self._truth.show(liquidation, closes + 3)
            own = f"{liquidation.contract.symbol.lower()}@forceOrder"
            shown.receivers = self._everywhere(ALL_LIQUIDATIONS, "forceOrder", payload)
            shown.receivers += self._own(liquidation.contract, own, "forceOrder", payload)
        if now // 1000 > self._second:
            self._second = now // 1000
            self._push_second(self._second * 1000)

    def _push_second(self, at: int) -> None:
        speeds = ["@1s", ""] if self._second % 3 == 0 else ["@1s"]
        wanted = [f"!markPrice@arr{speed}" for speed in speeds]
        if any(host.host.topics.get(name) for host in self._hosts.values() for name in wanted):
            payload = orjson.dumps([frames.mark_price(c, self._market.quotes[c], at) for c in self._contracts])
            for name in wanted:
                self._everywhere(name, "markPrice", payload)
        for contract in self._contracts:
            symbol, topics = contract.symbol.lower(), self._hosts[contract.market].host.topics
            for name in (f"{symbol}@markPrice{speed}" for speed in speeds):
                if name in topics:
                    mark = frames.mark_price(contract, self._market.quotes[contract], at)
                    self._own(contract, name, "markPrice", orjson.dumps(mark))
            if f"{symbol}@kline_1m" in topics:
                self._own(contract, f"{symbol}@kline_1m", "kline_1m", orjson.dumps(self._kline(contract, at)))

    def _kline(self, contract: Contract, at: int) -> dict[str, Any]:
        opened = (at - 1) - (at - 1) % MINUTE_MS
        return frames.kline(contract, self._market.history, opened, at)

    def _everywhere(self, stream: str, channel: str, payload: bytes) -> int:
        heard = sum(host.publish(stream, payload) for host in self._hosts.values())
        return self._truth.wrote("binance", channel, heard)

    def _own(self, contract: Contract, stream: str, channel: str, payload: bytes) -> int:
        return self._truth.wrote("binance", channel, self._hosts[contract.market].publish(stream, payload))
