"""Kraken Futures' socket: feeds and replies. Facts: exchanges/kraken-futures.md §1.

A subscription is kept as `<feed>:<product>`.
"""

import msgspec
import orjson

from collectors.simulator.faults import Kind
from collectors.simulator.host import Answer, Client, json_answer
from collectors.simulator.plain import PlainProtocol

PATH = "/ws/v1"
FEEDS = ("trade", "ticker")


class KrakenLimits(msgspec.Struct, frozen=True):
    """A ping frame each `ping_s`. `ticker_ms`: pace. `requests` in `window_s`: REST."""

    ping_s: float = 20.0
    ticker_ms: int = 1000
    requests: int = 60
    window_s: float = 60.0


class KrakenProtocol(PlainProtocol[KrakenLimits]):
    """The one host. `known`: the products that are listed; None accepts any (frames are played from files)."""

    venue = "kraken"

    def accepts(self, path: str) -> bool:
        return path == PATH

    def misbehave(self, kind: Kind) -> Answer:
        return refusal(kind)

    def opened(self, client: Client) -> None:
        client.send_json({"event": "info", "version": 1})

    def received(self, client: Client, message: str | bytes) -> None:
        try:
            request = dict(orjson.loads(message))
            event, feed, products = str(request["event"]), str(request["feed"]), list(request["product_ids"])
        except (orjson.JSONDecodeError, LookupError, TypeError, ValueError):
            client.send_json({"event": "error", "message": "Json Error"})
            return
        for product in products:
            self._operate(client, event, feed, str(product))

    def check(self, client: Client, now: float) -> None:
        if now - client.pinged > self._limits.ping_s:
            client.ping()

    def _operate(self, client: Client, event: str, feed: str, product: str) -> None:
        topic, told = f"{feed}:{product}", {"feed": feed, "product_ids": [product]}
        refused = self._is_refused(topic)
        exists = feed in FEEDS and (self._known is None or product in self._known)
        if event not in ("subscribe", "unsubscribe") or refused or not exists:
            client.send_json({"event": "subscribed_failed", **told, "message": "Invalid product id"})
            return
        self._switch(client, topic, event == "subscribe")
        client.send_json({"event": f"{event}d", **told})
        if event == "subscribe":
            self.on_subscribed(client, topic)


def refusal(kind: Kind) -> Answer:
    """Return Kraken's answer over a limit, of a blocked address, or when it is down."""
    answers = {
        "http_429": json_answer({"result": "error", "error": "apiLimitExceeded"}, 429),
        "http_403": Answer(403, b"<html><head><title>403 Forbidden</title></head></html>"),
    }
    return answers.get(kind) or json_answer({"result": "error", "error": "Server Error"}, 500)
