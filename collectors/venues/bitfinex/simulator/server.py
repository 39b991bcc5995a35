"""Bitfinex' socket: one channel, its heartbeats, replies. Facts: exchanges/bitfinex.md §1."""

import random

import msgspec
import orjson

from collectors.simulator.faults import Kind
from collectors.simulator.host import Answer, Client, json_answer
from collectors.simulator.plain import PlainProtocol

PATH, KEY = "/ws/2", "liq:global"
CHANNEL = 386_841
"""The number of the one channel; a real one differs with each connection."""


class BitfinexLimits(msgspec.Struct, frozen=True):
    """`heartbeat_s`: of silence until `hb`. `requests` in `window_s`: REST, of one address."""

    heartbeat_s: float = 15.0
    requests: int = 90
    window_s: float = 60.0


class BitfinexProtocol(PlainProtocol[BitfinexLimits]):
    """The one host."""

    venue = "bitfinex"

    def accepts(self, path: str) -> bool:
        return path == PATH

    def misbehave(self, kind: Kind) -> Answer:
        return refusal(kind)

    def opened(self, client: Client) -> None:
        server = str(random.Random(client.opened).getrandbits(64))
        client.send_json({"event": "info", "version": 2, "serverId": server, "platform": {"status": 1}})

    def received(self, client: Client, message: str | bytes) -> None:
        try:
            request = dict(orjson.loads(message))
        except (orjson.JSONDecodeError, TypeError, ValueError):
            client.send_json({"event": "error", "msg": "ERR_INVALID", "code": 10000})
            return
        told = {"channel": request.get("channel"), "key": request.get("key")}
        refused = self._is_refused(str(told["key"]))
        if request.get("event") == "unsubscribe":
            self.host.unsubscribe(client, KEY)
            client.send_json({"event": "unsubscribed", "status": "OK", "chanId": CHANNEL, **told})
        elif request.get("event") != "subscribe" or refused or told != {"channel": "status", "key": KEY}:
            client.send_json({"event": "error", **told, "msg": "key: invalid", "code": 10300})
        else:
            client.send_json({"event": "subscribed", "chanId": CHANNEL, **told})
            self.host.subscribe(client, KEY)
            self.on_subscribed(client, KEY)

    def check(self, client: Client, now: float) -> None:
        if KEY in client.topics and now - client.told > self._limits.heartbeat_s and not self.host.is_silent(KEY):
            client.send_json([CHANNEL, "hb"])


def refusal(kind: Kind) -> Answer:
    """Return Bitfinex' answer over a limit, of a blocked address, or when it is down."""
    answers = {
        "http_429": json_answer(["error", 11010, "ratelimit: error"], 429),
        "http_403": Answer(403, b"<html><head><title>403 Forbidden</title></head></html>"),
    }
    return answers.get(kind) or json_answer(["error", 10000, "ERR"], 500)
