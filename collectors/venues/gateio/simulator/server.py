"""Gate's sockets: channels and replies. Facts: exchanges/gateio-futures.md §1.

The settlements are paths of one host; a subscription is kept as `<settle>/<channel>:<payload>`.
"""

import time
from typing import Any

import msgspec
import orjson

from collectors.simulator.faults import Kind
from collectors.simulator.host import Answer, Client, json_answer
from collectors.simulator.plain import PlainProtocol

ROOT = "/v4/ws/"
SETTLES = ("usdt", "btc")
LIQUIDATIONS, TICKERS = "futures.public_liquidates", "futures.tickers"


class GateioLimits(msgspec.Struct, frozen=True):
    """A ping frame each `ping_s`. `ticker_ms`: pace. `requests` in `window_s`: REST."""

    ping_s: float = 15.0
    ticker_ms: int = 500
    requests: int = 200
    window_s: float = 10.0


class GateioProtocol(PlainProtocol[GateioLimits]):
    """The one host. `known`: what exists, `*` for all contracts; None accepts any (frames are played from files)."""

    venue = "gateio"

    def accepts(self, path: str) -> bool:
        return path.startswith(ROOT) and path.removeprefix(ROOT) in SETTLES

    def misbehave(self, kind: Kind) -> Answer:
        return refusal(kind)

    def opened(self, client: Client) -> None: ...

    def received(self, client: Client, message: str | bytes) -> None:
        try:
            request = dict(orjson.loads(message))
        except (orjson.JSONDecodeError, TypeError, ValueError):
            client.send_json(_reply("", "", {"code": 1, "message": "invalid json"}))
            return
        channel, event = str(request.get("channel", "")), str(request.get("event", ""))
        if channel == "futures.ping":
            client.send_json(_reply("futures.pong", ""))
            return
        for payload in request.get("payload") or [""]:
            self._operate(client, channel, event, str(payload))

    def check(self, client: Client, now: float) -> None:
        if now - client.pinged > self._limits.ping_s:
            client.ping()

    def _operate(self, client: Client, channel: str, event: str, payload: str) -> None:
        topic = f"{client.path.removeprefix(ROOT)}/{channel}:{payload}"
        refused = self._is_refused(topic)
        if (
            event not in ("subscribe", "unsubscribe")
            or refused
            or (self._known is not None and topic not in self._known)
        ):
            client.send_json(_reply(channel, event, {"code": 2, "message": f"unknown contract {payload}"}))
            return
        self._switch(client, topic, event == "subscribe")
        client.send_json(_reply(channel, event))


def _reply(channel: str, event: str, error: dict[str, Any] | None = None) -> dict[str, Any]:
    now = time.time_ns() // 1_000_000
    told = {"time": now // 1000, "time_ms": now, "channel": channel, "event": event}
    return told | ({"error": error, "result": {"status": "fail"}} if error else {"result": {"status": "success"}})


def refusal(kind: Kind) -> Answer:
    """Return Gate's answer over a limit, of a blocked address, or when it is down."""
    answers = {
        "http_429": json_answer({"label": "TOO_MANY_REQUESTS", "message": "Request Rate Limit Exceeded"}, 429),
        "http_403": Answer(403, b"<html><head><title>403 Forbidden</title></head></html>"),
    }
    return answers.get(kind) or json_answer({"label": "SERVER_ERROR", "message": "Internal server error"}, 500)
