"""Bybit v5 public linear and inverse: topics, replies and pushes. Facts: exchanges/bybit.md §1 to §4, §10.

Linear and inverse are two paths of one host; a topic is kept as `<category>/<topic>`.
"""

import random
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import orjson

from collectors.simulator.contracts import Contract
from collectors.simulator.faults import Faults, Kind
from collectors.simulator.host import Answer, Client, Host, Protocol, json_answer
from collectors.simulator.liquidation import Liquidation
from collectors.simulator.market import Market
from collectors.simulator.throttles import Batches
from collectors.simulator.truth import Truth
from collectors.venues.bybit.simulator import frames

PATHS = {"/v5/public/linear": "linear", "/v5/public/inverse": "inverse"}
HANDLERS = ("allLiquidation", "tickers", "kline.1")


class BybitLimits(msgspec.Struct, frozen=True):
    """`args_characters`: of one connection's topics. `idle_s`: cut without ping and push. `ticker_ms`, `kline_ms`: paces.
    `requests` in `window_s`: REST, of one address, before it is answered 403."""

    args_characters: int = 21_000
    idle_s: float = 600.0
    ticker_ms: int = 100
    kline_ms: int = 1000
    requests: int = 600
    window_s: float = 5.0


class BybitProtocol(Protocol):
    """The one host. `symbols`: what is listed, by category; None accepts any symbol (frames are played from files)."""

    venue = "bybit"
    http_kinds = ("http_10006", "http_403", "http_429", "http_500")

    def __init__(
        self, symbols: dict[str, set[str]] | None, rest: Callable[[str, dict[str, str]], Answer],
        faults: Faults, limits: BybitLimits,
    ) -> None:  # fmt: skip
        self._symbols = symbols
        self._rest = rest
        self._faults = faults
        self.limits = limits
        self.host = Host(self, faults)
        self.on_subscribed: Callable[[Client, str], None] = lambda _client, _topic: None

    def accepts(self, path: str) -> bool:
        return path in PATHS

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        return self._rest(path, query)

    def misbehave(self, kind: Kind) -> Answer:
        return refusal(kind)

    def opened(self, client: Client) -> None:
        client.data["conn_id"] = str(uuid.uuid4())

    def received(self, client: Client, message: str | bytes) -> None:
        try:
            request = orjson.loads(message)
        except orjson.JSONDecodeError:
            client.send_json(self._reply(client, "", "", "error:request is not JSON"))
            return
        if not isinstance(request, dict):
            request = {}
        op, req_id, args = request.get("op"), str(request.get("req_id", "")), request.get("args")
        if op == "ping":
            reply = {
                "success": True,
                "ret_msg": "pong",
                "conn_id": client.data["conn_id"],
                "req_id": req_id,
                "op": "ping",
            }
            client.send_json(reply)
        elif op in ("subscribe", "unsubscribe") and isinstance(args, list) and all(isinstance(a, str) for a in args):
            self._subscription(client, op, req_id, args)
        else:
            client.send_json(self._reply(client, str(op or ""), req_id, f"error:unknown op or args: {op}"))

    def check(self, client: Client, now: float) -> None:
        if now - max(client.heard, client.told) > self.limits.idle_s:
            client.cut()

    def _subscription(self, client: Client, op: str, req_id: str, args: list[str]) -> None:
        category = PATHS[client.path]
        topics = [f"{category}/{name}" for name in args]
        if op == "unsubscribe":
            for topic in topics:
                self.host.unsubscribe(client, topic)
            client.send_json(self._reply(client, op, req_id))
            return
        error = self._refusal_of(client, category, args)
        client.send_json(self._reply(client, op, req_id, error))
        for topic in [] if error else topics:
            self.host.subscribe(client, topic)
            self.on_subscribed(client, topic)

    def _refusal_of(self, client: Client, category: str, args: list[str]) -> str:
        """Return why the whole request is refused, "" where it is not: one bad topic is enough."""
        characters = sum(map(len, args)) + sum(len(topic) - len(category) - 1 for topic in client.topics)
        if characters > self.limits.args_characters:
            return f"error:args exceed {self.limits.args_characters} characters"
        for name in args:
            handler, _, symbol = name.rpartition(".")
            known = self._symbols is None or (handler in HANDLERS and symbol in self._symbols[category])
            if not known or self._faults.take(time.monotonic(), ("refuse_topic",), self.venue, name):
                return f"error:handler not found,topic:{name}"
            if f"{category}/{name}" in client.topics:
                return f"error:already subscribed,topic:{name}"
        return ""

    def _reply(self, client: Client, op: str, req_id: str, error: str = "") -> dict[str, Any]:
        connection = client.data["conn_id"]
        return {"success": not error, "ret_msg": error, "conn_id": connection, "req_id": req_id, "op": op}


class BybitFeed:
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
        if self.tick(topic, contract, changed, now):
            self._shown[topic] = fields

    def tick(self, topic: str, contract: Contract, changed: dict[str, str], now: int) -> int:
        """Publish a change of a ticker, numbered in its turn; return to how many."""
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


def refusal(kind: Kind) -> Answer:
    """Return Bybit's answer over an endpoint's limit (200 with 10006), over the address's (403), or under load."""
    now = int(time.time() * 1000)
    limits = (("X-Bapi-Limit", "50"), ("X-Bapi-Limit-Status", "0"), ("X-Bapi-Limit-Reset-Timestamp", str(now + 1000)))
    body: dict[str, Any] = {"result": {}, "retExtInfo": {}, "time": now}
    answers: dict[str, Answer] = {
        "http_10006": json_answer({"retCode": 10006, "retMsg": "Too many visits!", **body}, 200, limits),
        "http_403": Answer(403, b"access too frequent"),
        "http_429": json_answer({"retCode": 10429, "retMsg": "System level frequency protection", **body}, 429, limits),
    }
    return answers.get(kind) or json_answer({"retCode": 10016, "retMsg": "Server error.", **body}, 500)
