"""Bybit: what its host pushes of the market. Facts: exchanges/bybit.md §2, §4, §10."""

import random
from collections.abc import Sequence

import orjson

from collectors.simulator.contracts import Contract
from collectors.simulator.host import Client
from collectors.simulator.liquidation import Liquidation
from collectors.simulator.market import Market
from collectors.simulator.simulated import Feed
from collectors.simulator.throttles import Batches
from collectors.simulator.truth import Truth
from collectors.venues.bybit.simulator import frames
from collectors.venues.bybit.simulator.server import BybitProtocol


class BybitFeed(Feed):
    """Pushes the market: liquidations in batches, tickers as a snapshot to each newcomer and then what changed, klines."""

    def __init__(self, market: Market, protocol: BybitProtocol, truth: Truth, seed: int) -> None:
        self._market = market
        self._protocol = protocol
        self._truth = truth
        self._batches = Batches()
        self._next_ticker = self._next_kline = 0
        self._shown: dict[str, dict[str, str]] = {}
        self._sequence: dict[str, int] = {}
        self._random = random.Random(f"{seed}/bybit")
        self._contracts: Sequence[Contract] = [c for c in market.contracts if c.venue == "bybit"]
        self._by_topic = {f"{c.market}/tickers.{c.symbol}": c for c in self._contracts}
        protocol.on_subscribed = self._greet

    @property
    def pending(self) -> int:
        """Liquidations that happened and are not shown yet."""
        return self._batches.pending

    def offer(self, liquidation: Liquidation) -> None:
        """Take a liquidation of this venue."""
        self._batches.offer(liquidation)

    def push(self, now: int) -> None:
        """Publish what is due at `now`, market time in ms."""
        for batch in self._batches.due(now):
            contract = batch[0].contract
            payload = orjson.dumps(frames.all_liquidation(batch, now))
            heard = self._protocol.host.publish(f"{contract.market}/allLiquidation.{contract.symbol}", payload)
            self._truth.wrote("bybit", "allLiquidation", heard)
            for one in batch:
                self._truth.show(one, now).receivers = heard
        if now >= self._next_ticker:
            self._next_ticker = now + self._protocol.limits.ticker_ms
            for topic, contract in self._by_topic.items():
                if topic in self._protocol.host.topics:
                    self._push_ticker(topic, contract, now)
        if now >= self._next_kline:
            at = now - now % self._protocol.limits.kline_ms
            self._next_kline = at + self._protocol.limits.kline_ms
            for contract in self._contracts:
                self._push_kline(f"{contract.market}/kline.1.{contract.symbol}", contract, at)

    def _push_kline(self, topic: str, contract: Contract, now: int) -> None:
        if topic in self._protocol.host.topics:
            payload = orjson.dumps(frames.kline(contract, self._market.history, now))
            self._truth.wrote("bybit", "kline.1", self._protocol.host.publish(topic, payload))

    def _push_ticker(self, topic: str, contract: Contract, now: int) -> None:
        fields = frames.ticker(contract, self._market.quotes[contract], self._market.history, now, iso_delivery=True)
        before = self._shown.get(topic, {})
        changed = {name: value for name, value in fields.items() if before.get(name) != value}
        if not changed:
            return
        if self.tick(contract, changed, now):
            self._shown[topic] = fields

    def tick(self, contract: Contract, changed: dict[str, str], now: int) -> int:
        """Publish a change of a ticker, numbered in its turn; return to how many."""
        topic = f"{contract.market}/tickers.{contract.symbol}"
        delta = {"symbol": contract.symbol, **changed}
        heard = self._protocol.host.publish(topic, self._frame(topic, contract, "delta", delta, now))
        return self._truth.wrote("bybit", "tickers", heard)

    def _greet(self, client: Client, topic: str) -> None:
        contract = self._by_topic.get(topic)
        if contract is None or self._protocol.host.is_silent(topic):
            return
        if len(self._protocol.host.topics[topic]) == 1 or topic not in self._shown:
            quote, history = self._market.quotes[contract], self._market.history
            self._shown[topic] = frames.ticker(contract, quote, history, self._market.now, iso_delivery=True)
        snapshot = self._frame(topic, contract, "snapshot", self._shown[topic], self._market.now)
        self._truth.wrote("bybit", "tickers", client.send(snapshot))

    def _frame(self, topic: str, contract: Contract, kind: str, data: dict[str, str], now: int) -> bytes:
        sequence = self._sequence.get(topic, 10**10) + self._random.randrange(1, 40)
        self._sequence[topic] = sequence
        frame = {"topic": f"tickers.{contract.symbol}", "type": kind, "data": data, "cs": sequence, "ts": now}
        return orjson.dumps(frame)
