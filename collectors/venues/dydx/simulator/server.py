"""dYdX's socket: channels, first data, replies. Facts: exchanges/dydx-v4.md §1.

A subscription is kept as `channel` or `channel:market`.
"""

from collections.abc import Callable
from itertools import count
from typing import Any

import msgspec
import orjson

from collectors.simulator.faults import Faults, Kind
from collectors.simulator.host import Answer, Client, json_answer
from collectors.simulator.plain import PlainProtocol

PATH = "/v4/ws"
TRADES, MARKETS = "v4_trades", "v4_markets"
ID = "00000000-0000-4000-8000-000000000000"


class DydxLimits(msgspec.Struct, frozen=True):
    """A ping frame each `ping_s`. `subscriptions`: markets a socket. `markets_ms`: pace. `requests` in `window_s`: REST."""

    ping_s: float = 30.0
    subscriptions: int = 32
    markets_ms: int = 1000
    requests: int = 100
    window_s: float = 10.0


class DydxProtocol(PlainProtocol[DydxLimits]):
    """The one host. `known`: the markets that are listed; None accepts any (frames are played from files)."""

    venue = "dydx"

    def __init__(
        self, known: set[str] | None, rest: Callable[[str, dict[str, str]], Answer], faults: Faults, limits: DydxLimits
    ) -> None:
        super().__init__(known, rest, faults, limits)
        self.first: Callable[[str], Any] = lambda topic: {"trades": []} if topic.startswith(TRADES) else {"markets": {}}
        """What a subscription to a topic begins with."""
        self._numbers = count(1)

    def accepts(self, path: str) -> bool:
        return path == PATH

    def misbehave(self, kind: Kind) -> Answer:
        return refusal(kind)

    def opened(self, client: Client) -> None:
        client.send_json({"type": "connected", "connection_id": ID, "message_id": 0})

    def received(self, client: Client, message: str | bytes) -> None:
        try:
            request = dict(orjson.loads(message))
            kind, channel, market = str(request["type"]), str(request["channel"]), str(request.get("id", ""))
        except (orjson.JSONDecodeError, LookupError, TypeError, ValueError):
            self._error(client, "Invalid request")
            return
        topic = f"{channel}:{market}" if market else channel
        told = {"connection_id": ID, "message_id": next(self._numbers), "channel": channel}
        told |= {"id": market} if market else {}
        if kind == "unsubscribe":
            self.host.unsubscribe(client, topic)
            client.send_json({"type": "unsubscribed", **told})
        elif kind != "subscribe" or not self._exists(channel, market) or self._is_refused(topic):
            self._error(client, f"Invalid channel or id: {topic}")
        elif len(client.topics) >= self._limits.subscriptions:
            self._error(client, "Per-connection subscription limit reached")
        else:
            self.host.subscribe(client, topic)
            client.send_json({"type": "subscribed", **told, "contents": self.first(topic)})
            self.on_subscribed(client, topic)

    def check(self, client: Client, now: float) -> None:
        if now - client.pinged > self._limits.ping_s:
            client.ping()

    def _exists(self, channel: str, market: str) -> bool:
        if channel == MARKETS:
            return not market
        return channel == TRADES and (self._known is None or market in self._known)

    def _error(self, client: Client, message: str) -> None:
        client.send_json({"type": "error", "message": message, "connection_id": ID, "message_id": next(self._numbers)})


def refusal(kind: Kind) -> Answer:
    """Return dYdX's answer over a limit, of a blocked address, or when it is down."""
    answers = {
        "http_429": json_answer({"errors": [{"msg": "Too many requests"}]}, 429, (("Retry-After", "1"),)),
        "http_403": Answer(403, b"<html><head><title>403 Forbidden</title></head></html>"),
    }
    return answers.get(kind) or json_answer({"errors": [{"msg": "Internal Server Error"}]}, 500)
