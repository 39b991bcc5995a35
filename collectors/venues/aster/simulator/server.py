"""Aster's socket: streams, replies. Facts: exchanges/aster.md."""

import msgspec
import orjson

from collectors.simulator.faults import Kind
from collectors.simulator.host import Answer, Client, json_answer
from collectors.simulator.plain import PlainProtocol

PATH = "/ws"
STREAMS = {"!forceOrder@arr", "!markPrice@arr"}


class AsterLimits(msgspec.Struct, frozen=True):
    """A ping frame each `ping_s`. `messages`: of a client in a second. `marks_ms`: pace. `requests` in `window_s`: REST."""

    ping_s: float = 300.0
    messages: int = 10
    marks_ms: int = 1000
    requests: int = 2400
    window_s: float = 60.0


class AsterProtocol(PlainProtocol[AsterLimits]):
    """The one host."""

    venue = "aster"

    def accepts(self, path: str) -> bool:
        return path == PATH

    def misbehave(self, kind: Kind) -> Answer:
        return refusal(kind)

    def opened(self, client: Client) -> None: ...

    def received(self, client: Client, message: str | bytes) -> None:
        if client.burst_of(1.0) > self._limits.messages:
            client.close(1008, "Too many requests")
            return
        try:
            request = dict(orjson.loads(message))
            method, streams = str(request["method"]), [str(each) for each in request["params"]]
        except (orjson.JSONDecodeError, LookupError, TypeError, ValueError):
            client.send_json({"error": {"code": 3, "msg": "Invalid JSON"}})
            return
        refused = [each for each in streams if each not in STREAMS or self._is_refused(each)]
        if refused or method not in ("SUBSCRIBE", "UNSUBSCRIBE"):
            client.send_json({"error": {"code": 2, "msg": "Invalid request"}, "id": request.get("id")})
            return
        for each in streams:
            self._switch(client, each, method == "SUBSCRIBE")
        client.send_json({"result": None, "id": request.get("id")})

    def check(self, client: Client, now: float) -> None:
        if now - client.pinged > self._limits.ping_s:
            client.ping()


def refusal(kind: Kind) -> Answer:
    """Return Aster's answer over a limit, of a blocked address, or when it is down."""
    answers = {
        "http_429": json_answer({"code": -1003, "msg": "Too many requests."}, 429, (("Retry-After", "1"),)),
        "http_403": Answer(403, b"<html><head><title>403 Forbidden</title></head></html>"),
    }
    return answers.get(kind) or json_answer({"code": -1000, "msg": "An unknown error occurred."}, 500)
