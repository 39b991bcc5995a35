"""OKX: what its host pushes of the market. Facts: exchanges/okx.md §2 to §5."""

import random
from collections import defaultdict, deque
from collections.abc import Mapping
from typing import Any

import orjson

from collectors.simulator.history import MINUTE_MS
from collectors.simulator.host import Client
from collectors.simulator.liquidation import Liquidation
from collectors.simulator.market import Market
from collectors.simulator.simulated import Feed
from collectors.simulator.throttles import Late
from collectors.simulator.truth import Shown, Truth
from collectors.venues.okx.simulator import frames
from collectors.venues.okx.simulator.server import OkxProtocol, state_topics

REPEATED = 3


class OkxFeed(Feed):
    """Pushes the market. Some liquidations come late; who subscribes to them first gets the last few again.

    `asked`: where what was pushed is kept by contract, for REST.
    """

    def __init__(
        self,
        market: Market,
        protocol: OkxProtocol,
        truth: Truth,
        seed: int,
        asked: Mapping[str, deque[tuple[Liquidation, Shown]]] | None = None,
    ) -> None:
        self._market = market
        self._protocol = protocol
        self._truth = truth
        self._late = Late()
        self._asked = (
            defaultdict[str, deque[tuple[Liquidation, Shown]]](lambda: deque(maxlen=0)) if asked is None else asked
        )
        self._random = random.Random(f"{seed}/okx")
        self._last: dict[str, deque[tuple[Liquidation, Shown]]] = defaultdict(lambda: deque(maxlen=REPEATED))
        self._due: dict[str, int] = {}
        self._shown: dict[str, str] = {}
        contracts = [c for c in market.contracts if c.venue == "okx"]
        self._topics = dict(state_topics(contracts))
        protocol.on_subscribed = self._greet

    @property
    def pending(self) -> int:
        """Liquidations that happened and are not shown yet."""
        return self._late.pending

    def offer(self, liquidation: Liquidation) -> None:
        """Take a liquidation of this venue; three in a hundred are shown 2 to 5 s late."""
        delay = self._random.randrange(2000, 5000) if self._random.random() < 0.03 else self._random.randrange(40, 400)
        self._late.offer(liquidation, delay)

    def push(self, now: int) -> None:
        """Publish what is due at `now`, market time in ms."""
        by_type: dict[str, list[Liquidation]] = {}
        for one in self._late.due(now):
            by_type.setdefault(one.contract.market, []).append(one)
        for inst_type, liquidations in by_type.items():
            self._push_liquidations(inst_type, liquidations, now)
        for topic in self._protocol.host.topics.keys() & self._topics.keys():
            if now >= self._due.get(topic, 0):
                self._push_state(topic, now)

    def _push_liquidations(self, inst_type: str, liquidations: list[Liquidation], now: int) -> None:
        topic = f"liquidation-orders:{inst_type}"
        payload = _frame(
            {"channel": "liquidation-orders", "instType": inst_type}, frames.liquidation_orders(liquidations)
        )
        heard = self._truth.wrote("okx", "liquidation-orders", self._protocol.host.publish(topic, payload))
        for one in liquidations:
            shown = self._truth.show(one, now)
            shown.receivers = heard
            self._last[inst_type].append((one, shown))
            self._asked[one.contract.symbol].append((one, shown))

    def _push_state(self, topic: str, now: int) -> None:
        channel, _, name = topic.partition(":")
        pace = self._protocol.limits
        paces = {
            "mark-price": pace.mark_ms, "index-tickers": pace.index_ms, "open-interest": pace.open_interest_ms,
            "candle1m": pace.candle_ms,
        }  # fmt: skip
        every = paces.get(channel) or self._random.randrange(*pace.funding_ms)
        self._due[topic] = now + every - (now % every if channel == "candle1m" else 0)
        data = self._state(topic, now)
        changed = _essence(data)
        if self._shown.get(topic) == changed:
            return
        heard = self._protocol.host.publish(topic, _frame({"channel": channel, "instId": name}, [data]))
        if self._truth.wrote("okx", _counted(channel), heard):
            self._shown[topic] = changed

    def _state(self, topic: str, now: int) -> Any:
        channel, contract = topic.partition(":")[0], self._topics[topic]
        quote = self._market.quotes[contract]
        if channel == "funding-rate":
            return frames.funding_rate(contract, self._market)
        if channel == "open-interest":
            return frames.open_interest(contract, quote, now)
        if channel == "mark-price":
            return frames.mark_price(contract, quote, now)
        if channel == "index-tickers":
            return frames.index_ticker(contract, quote, self._market.history, now)
        last = now - now % self._protocol.limits.candle_ms - 1
        return frames.candle(contract, self._market, last - last % MINUTE_MS, MINUTE_MS, "trade")

    def _greet(self, client: Client, topic: str, request_id: str) -> None:
        channel, _, name = topic.partition(":")
        if self._protocol.host.is_silent(topic):
            return
        if topic in self._topics:
            data = self._state(topic, self._market.now)
            sent = client.send(_frame({"channel": channel, "instId": name}, [data]))
            self._truth.wrote("okx", _counted(channel), sent)
        elif channel == "liquidation-orders" and self._last[name]:
            self._repeat(client, name, request_id)

    def _repeat(self, client: Client, inst_type: str, request_id: str) -> None:
        head = {"id": request_id} if request_id else {}
        arg = {"channel": "liquidation-orders", "instType": inst_type}
        sent = client.send(_frame(arg, frames.liquidation_orders([one for one, _ in self._last[inst_type]]), head))
        self._truth.wrote("okx", "liquidation-orders", sent)
        for _, shown in self._last[inst_type]:
            shown.receivers += sent


def _frame(arg: dict[str, str], data: list[Any], head: dict[str, str] | None = None) -> bytes:
    return orjson.dumps((head or {}) | {"arg": arg, "data": data})


def _essence(data: Any) -> str:
    return str({name: value for name, value in data.items() if name != "ts"} if isinstance(data, dict) else data)


def _counted(channel: str) -> str:
    return "candle1m" if channel.startswith("candle") else channel
