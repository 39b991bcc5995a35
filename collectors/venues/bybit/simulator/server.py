"""Bybit v5 public linear and inverse: topics and replies. Facts: exchanges/bybit.md §1 to §4.

Linear and inverse are two paths of one host; a topic is kept as `<category>/<topic>`.
"""

import time
import uuid
from collections.abc import Callable
from typing import Any

import msgspec
import orjson

from collectors.simulator.faults import Faults, Kind
from collectors.simulator.host import Answer, Client, Host, Protocol, json_answer

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
