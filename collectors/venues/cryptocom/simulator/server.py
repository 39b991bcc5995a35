"""Crypto.com's socket: channels, heartbeats, replies. Facts: exchanges/crypto-com.md."""

import time
from itertools import count

import msgspec
import orjson

from collectors.simulator.faults import Kind
from collectors.simulator.host import Answer, Client, json_answer
from collectors.simulator.plain import PlainProtocol

PATH = "/exchange/v1/market"
_ids = count(1)


class CryptocomLimits(msgspec.Struct, frozen=True):
    """`opening_s`: before that a client must not ask. A heartbeat each `beat_s`, to be answered in `answer_s`.

    `state_ms`: pace. `requests` in `window_s`: REST.
    """

    opening_s: float = 0.9
    beat_s: float = 30.0
    answer_s: float = 5.0
    state_ms: int = 1000
    requests: int = 100
    window_s: float = 1.0


class CryptocomProtocol(PlainProtocol[CryptocomLimits]):
    """The one host. `known`: the channels that exist; None accepts any (frames are played from files)."""

    venue = "cryptocom"

    def accepts(self, path: str) -> bool:
        return path == PATH

    def misbehave(self, kind: Kind) -> Answer:
        return refusal(kind)

    def opened(self, client: Client) -> None:
        client.data["waits"] = ""

    def received(self, client: Client, message: str | bytes) -> None:
        try:
            request = dict(orjson.loads(message))
            id, method = int(request["id"]), str(request["method"])
            channels = [str(each) for each in (request.get("params") or {}).get("channels", ())]
        except (orjson.JSONDecodeError, LookupError, TypeError, ValueError):
            client.send_json({"id": -1, "code": 40003, "message": "Invalid request"})
            return
        if method == "public/respond-heartbeat":
            client.data["waits"] = "" if client.data["waits"] == str(id) else client.data["waits"]
            return
        is_early = time.monotonic() - client.opened < self._limits.opening_s
        unknown = [each for each in channels if not self._exists(each) or self._is_refused(each)]
        if is_early or unknown or method not in ("subscribe", "unsubscribe"):
            client.send_json({"id": id, "method": method, "code": 40003, "message": "Unknown symbol"})
            return
        for each in channels:
            self._switch(client, each, method == "subscribe")
        client.send_json({"id": id, "method": method, "code": 0})

    def check(self, client: Client, now: float) -> None:
        if client.data["waits"] and now - client.pinged > self._limits.answer_s:
            client.cut()
        elif now - client.pinged > self._limits.beat_s:
            client.pinged, id = now, next(_ids)
            client.data["waits"] = str(id)
            client.send_json({"id": id, "method": "public/heartbeat", "code": 0})

    def _exists(self, channel: str) -> bool:
        return self._known is None or channel in self._known


def answered(data: object) -> Answer:
    """Return an answer with data."""
    return json_answer({"id": -1, "method": "", "code": 0, "result": {"data": data}})


def refusal(kind: Kind) -> Answer:
    """Return Crypto.com's answer over a limit, of a blocked address, or when it is down."""
    answers = {
        "http_429": json_answer({"id": -1, "code": 42901, "message": "Too many requests"}, 429),
        "http_403": Answer(403, b"<html><head><title>403 Forbidden</title></head></html>"),
    }
    return answers.get(kind) or json_answer({"id": -1, "code": 50001, "message": "Internal server error"}, 500)
