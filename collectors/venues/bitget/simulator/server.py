"""Bitget v3 public: topics and replies. Facts: exchanges/bitget.md §1. A topic is kept as `<category>:<topic>[:<symbol>]`."""

import time
import uuid
from typing import Any

import msgspec
import orjson

from collectors.simulator.faults import Kind
from collectors.simulator.host import Answer, Client, json_answer
from collectors.simulator.plain import PlainProtocol

PATH = "/v3/ws/public"
CATEGORIES = ("usdt-futures", "coin-futures", "usdc-futures")


class BitgetLimits(msgspec.Struct, frozen=True):
    """`idle_s`: cut without a message from the client. `ticker_ms`: pace. `requests` in `window_s`: REST, of one address."""

    idle_s: float = 120.0
    ticker_ms: int = 300
    requests: int = 6000
    window_s: float = 60.0


class BitgetProtocol(PlainProtocol[BitgetLimits]):
    """The one host. `known`: which tickers exist; None accepts any topic (frames are played from files)."""

    venue = "bitget"

    def accepts(self, path: str) -> bool:
        return path == PATH

    def misbehave(self, kind: Kind) -> Answer:
        return refusal(kind)

    def opened(self, client: Client) -> None:
        client.data["connId"] = str(uuid.uuid4())

    def received(self, client: Client, message: str | bytes) -> None:
        if message == "ping":
            client.send(b"pong")
            return
        try:
            request = orjson.loads(message)
            op, args = request["op"], [dict(arg) for arg in request["args"]]
        except (orjson.JSONDecodeError, LookupError, TypeError, ValueError):
            client.send_json({"event": "error", "code": 30003, "msg": "INVALID op"})
            return
        for arg in args:
            self._operate(client, op, arg)

    def check(self, client: Client, now: float) -> None:
        if now - client.heard > self._limits.idle_s:
            client.cut()

    def _operate(self, client: Client, op: str, arg: dict[str, Any]) -> None:
        topic = ":".join(str(arg[name]) for name in ("instType", "topic", "symbol") if name in arg)
        refused = self._is_refused(topic)
        if op not in ("subscribe", "unsubscribe") or refused or not self._exists(arg, topic):
            client.send_json({"event": "error", "arg": arg, "code": 30001, "msg": f"{topic} doesn't exist"})
            return
        self._switch(client, topic, op == "subscribe")
        client.send_json({"event": op, "arg": arg, "connId": client.data["connId"]})

    def _exists(self, arg: dict[str, Any], topic: str) -> bool:
        of_all = arg.get("topic") == "liquidation" and arg.get("instType") in CATEGORIES
        return self._known is None or of_all or topic in self._known


def answered(data: object, status: int = 200) -> Answer:
    """Return an answer with data."""
    now = int(time.time() * 1000)
    return json_answer({"code": "00000", "msg": "success", "requestTime": now, "data": data}, status)


def refusal(kind: Kind) -> Answer:
    """Return Bitget's answer over a limit, of a blocked address, or when it is down."""
    answers = {
        "http_429": json_answer({"code": "429", "msg": "Too Many Requests", "requestTime": 0, "data": None}, 429),
        "http_403": Answer(403, b"<html><head><title>403 Forbidden</title></head></html>"),
    }
    return answers.get(kind) or json_answer({"code": "40725", "msg": "service return an error", "data": None}, 500)
