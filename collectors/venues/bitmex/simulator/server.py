"""BitMEX' socket: one table, its image and its changes, replies. Facts: exchanges/bitmex.md §1, §2."""

import msgspec
import orjson

from collectors.simulator.faults import Kind
from collectors.simulator.host import Answer, Client, json_answer
from collectors.simulator.plain import PlainProtocol

PATH, TABLE = "/realtime", "liquidation"


class BitmexLimits(msgspec.Struct, frozen=True):
    """`idle_s`: cut without a message from the client. `requests` in `window_s`: REST, of one address."""

    idle_s: float = 60.0
    requests: int = 30
    window_s: float = 60.0


class BitmexProtocol(PlainProtocol[BitmexLimits]):
    """The one host; a newcomer is sent the image of the table. `known`: the symbols that are listed; None accepts any.

    A subscription is kept as `liquidation` or `liquidation:<symbol>`.
    """

    venue = "bitmex"

    def publish(self, topic: str, payload: bytes) -> int:
        """Send a change of one symbol to who listens to it or to the whole table; return to how many."""
        return sum(self.host.publish(each, payload) for each in dict.fromkeys((TABLE, topic)))

    def accepts(self, path: str) -> bool:
        return path == PATH

    def misbehave(self, kind: Kind) -> Answer:
        return refusal(kind)

    def opened(self, client: Client) -> None:
        client.send_json(
            {"info": "Welcome to the BitMEX Realtime API.", "version": "2.0.0", "limit": {"remaining": 39}}
        )

    def received(self, client: Client, message: str | bytes) -> None:
        if message == "ping":
            client.send(b"pong")
            return
        try:
            request = dict(orjson.loads(message))
            op, topics = str(request["op"]), [str(each) for each in request["args"]]
        except (orjson.JSONDecodeError, LookupError, TypeError, ValueError):
            client.send_json({"status": 400, "error": "Unrecognized request.", "meta": {}, "request": {}})
            return
        for topic in topics:
            refused = self._is_refused(topic)
            if op not in ("subscribe", "unsubscribe") or refused or not self._exists(topic):
                client.send_json({"status": 400, "error": f"Unknown table: {topic}", "meta": {}, "request": request})
                continue
            client.send_json({"success": True, op: topic, "request": request})
            self._switch(client, topic, op == "subscribe")
            if op == "subscribe":
                self.on_subscribed(client, topic)

    def check(self, client: Client, now: float) -> None:
        if now - client.heard > self._limits.idle_s:
            client.cut()

    def _exists(self, topic: str) -> bool:
        table, _, symbol = topic.partition(":")
        return table == TABLE and (not symbol or self._known is None or symbol in self._known)


def refusal(kind: Kind) -> Answer:
    """Return BitMEX' answer over a limit, of a blocked address, or when it is down."""
    told = {"error": {"message": "Rate limit exceeded, retry in 1 seconds.", "name": "RateLimitError"}}
    answers = {
        "http_429": json_answer(told, 429, (("Retry-After", "1"),)),
        "http_403": Answer(403, b"<html><head><title>403 Forbidden</title></head></html>"),
    }
    return answers.get(kind) or json_answer(
        {"error": {"message": "The system is overloaded.", "name": "HTTPError"}}, 500
    )
