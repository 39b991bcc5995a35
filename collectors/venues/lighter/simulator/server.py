"""Lighter's socket: channels, first data, replies. A subscription is kept as the venue is asked for it: `trade/1`."""

from collections.abc import Callable
from typing import Any

import msgspec
import orjson

from collectors.simulator.faults import Faults, Kind
from collectors.simulator.host import Answer, Client, json_answer
from collectors.simulator.plain import PlainProtocol

PATH = "/stream"
TRADE, ALL = "trade", "market_stats/all"
UNKNOWN, TWICE, TOO_MANY = 30005, 30003, 30010


class LighterLimits(msgspec.Struct, frozen=True):
    """A socket that sends nothing for `quiet_s` is closed. `subscriptions`: a socket's. `stats_ms`: pace. `requests` in
    `window_s`: REST."""

    quiet_s: float = 120.0
    subscriptions: int = 100
    stats_ms: int = 1000
    requests: int = 60
    window_s: float = 60.0


class LighterProtocol(PlainProtocol[LighterLimits]):
    """The one host. `known`: the markets that are listed; None accepts any (frames are played from files)."""

    venue = "lighter"

    def __init__(
        self,
        known: set[str] | None,
        rest: Callable[[str, dict[str, str]], Answer],
        faults: Faults,
        limits: LighterLimits,
    ) -> None:
        super().__init__(known, rest, faults, limits)
        self.first: Callable[[str], dict[str, Any]] = lambda topic: (
            {"market_stats": {}} if topic == ALL else {"trades": [], "liquidation_trades": []}
        )
        """What a subscription begins with."""

    def accepts(self, path: str) -> bool:
        return path.partition("?")[0] == PATH

    def misbehave(self, kind: Kind) -> Answer:
        return refusal(kind)

    def opened(self, client: Client) -> None:
        client.send_json({"session_id": "00000000-0000-4000-8000-000000000000", "type": "connected"})

    def received(self, client: Client, message: str | bytes) -> None:
        try:
            request = dict(orjson.loads(message))
            kind, topic = str(request["type"]), str(request.get("channel", ""))
        except (orjson.JSONDecodeError, LookupError, TypeError, ValueError):
            self._error(client, 30000, "Invalid Message")
            return
        name, _, market = topic.partition("/")
        told = f"{name}:{market}"
        if kind == "ping":
            client.send_json({"type": "pong"})
        elif kind == "unsubscribe":
            self.host.unsubscribe(client, topic)
            client.send_json({"type": "unsubscribed", "channel": told})
        elif kind != "subscribe" or not self._exists(topic) or self._is_refused(topic):
            self._error(client, UNKNOWN, f"Invalid Channel: {topic}")
        elif topic in client.topics:
            self._error(client, TWICE, f"Already Subscribed to channel {told}")
        elif len(client.topics) >= self._limits.subscriptions:
            self._error(client, TOO_MANY, "Too Many Subscriptions")
        else:
            self.host.subscribe(client, topic)
            client.send_json({"type": f"subscribed/{name}", "channel": told, **self.first(topic)})
            self.on_subscribed(client, topic)

    def check(self, client: Client, now: float) -> None: ...

    def _exists(self, topic: str) -> bool:
        name, _, market = topic.partition("/")
        return topic == ALL or (name == TRADE and (self._known is None or market in self._known))

    def _error(self, client: Client, code: int, message: str) -> None:
        client.send_json({"error": {"code": code, "message": message}})


def refusal(kind: Kind) -> Answer:
    """Return Lighter's answer over a limit, of a blocked address, or when it is down."""
    answers = {
        "http_429": json_answer({"code": 23000, "message": "Too Many Requests!"}, 429),
        "http_403": Answer(403, b"<html><head><title>403 Forbidden</title></head></html>"),
    }
    return answers.get(kind) or json_answer({"code": 29500, "message": "internal server error"}, 500)
