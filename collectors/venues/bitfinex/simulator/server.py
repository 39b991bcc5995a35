"""Bitfinex' socket: one channel, its heartbeats, replies. Facts: exchanges/bitfinex.md §1."""

import random
import time

import msgspec
import orjson

from collectors.simulator.faults import Kind
from collectors.simulator.host import Answer, Client, json_answer
from collectors.simulator.plain import PlainProtocol

PATH, KEY = "/ws/2", "liq:global"
CHANNEL = 386_841
"""The number of the one channel; a real one differs with each connection."""
WITH_TIME, WITH_NUMBER = 32_768, 65_536
"""Flags of `conf`: what each frame to a client ends with."""


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
            flags = int(request.get("flags", 0))
        except (orjson.JSONDecodeError, TypeError, ValueError):
            client.send_json({"event": "error", "msg": "ERR_INVALID", "code": 10000})
            return
        told = {"channel": request.get("channel"), "key": request.get("key")}
        if request.get("event") == "conf":
            client.data |= {"flags": str(flags), "number": "0"}
            client.send_json({"event": "conf", "status": "OK", "flags": flags})
            return
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
            tell(client, b'[%d,"hb"]' % CHANNEL)

    def publish(self, topic: str, payload: bytes) -> int:
        """Send a payload to who listens, each with what its flags ask for; return to how many."""
        return 0 if self.host.is_silent(topic) else sum(tell(each, payload) for each in self.host.listeners(topic))


def tell(client: Client, payload: bytes) -> bool:
    """Send a frame of a channel with its number and time (UTC ms) at the end, where the client wants them."""
    flags, more = int(client.data.get("flags", 0)), b""
    if flags & WITH_NUMBER:
        client.data["number"] = str(int(client.data["number"]) + 1)
        more += b"," + client.data["number"].encode()
    if flags & WITH_TIME:
        more += b",%d" % (time.time_ns() // 1_000_000)
    return client.send(payload[:-1] + more + b"]" if more else payload)


def refusal(kind: Kind) -> Answer:
    """Return Bitfinex' answer over a limit, of a blocked address, or when it is down."""
    answers = {
        "http_429": json_answer(["error", 11010, "ratelimit: error"], 429),
        "http_403": Answer(403, b"<html><head><title>403 Forbidden</title></head></html>"),
    }
    return answers.get(kind) or json_answer(["error", 10000, "ERR"], 500)
