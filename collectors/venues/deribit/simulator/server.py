"""Deribit's socket: channels, replies, heartbeats. Facts: exchanges/deribit.md §1."""

from typing import Any

import msgspec
import orjson

from collectors.simulator.faults import Kind
from collectors.simulator.host import Answer, Client, json_answer
from collectors.simulator.plain import PlainProtocol

PATH = "/ws/api/v2"
KINDS = ("trades", "ticker")
SOONEST_S = 10
"""The shortest pace at which a client may want to be asked."""


class DeribitLimits(msgspec.Struct, frozen=True):
    """`ask_s`: pace at which a client is asked to prove that it lives; cut after twice that without a word. `state_ms`: pace.
    `requests` in `window_s`: REST. `late`: how many of the flags the feed lacks, as the venue gives them an hour later; the
    history host has them all."""

    ask_s: float = 30.0
    state_ms: int = 1000
    requests: int = 50
    window_s: float = 10.0
    late: float = 0.0


class DeribitProtocol(PlainProtocol[DeribitLimits]):
    """One of the two hosts. `known`: the instruments that are listed; None accepts any (frames are played from files)."""

    venue = "deribit"

    def accepts(self, path: str) -> bool:
        return path == PATH

    def misbehave(self, kind: Kind) -> Answer:
        return refusal(kind)

    def opened(self, client: Client) -> None: ...

    def received(self, client: Client, message: str | bytes) -> None:
        try:
            request = dict(orjson.loads(message))
            method, params = str(request["method"]), dict(request.get("params") or {})
        except (orjson.JSONDecodeError, LookupError, TypeError, ValueError):
            client.send_json({"jsonrpc": "2.0", "error": {"code": -32700, "message": "Parse error"}})
            return
        client.send_json({"jsonrpc": "2.0", "id": request.get("id"), **self._reply(client, method, params)})

    def check(self, client: Client, now: float) -> None:
        ask_s = float(client.data.get("ask_s", self._limits.ask_s))
        if now - client.heard > 2 * ask_s:
            client.cut()
        elif now - max(client.heard, client.pinged) > ask_s:
            client.pinged = now
            client.send_json({"jsonrpc": "2.0", "method": "heartbeat", "params": {"type": "test_request"}})

    def _reply(self, client: Client, method: str, params: dict[str, Any]) -> dict[str, Any]:
        if method == "public/test":
            return {"result": {"version": "1.2.26"}}
        if method == "public/set_heartbeat":
            return _paced(client, params.get("interval"))
        if method not in ("public/subscribe", "public/unsubscribe"):
            return {"error": {"code": -32601, "message": "Method not found"}}
        granted = [each for each in map(str, params.get("channels", ())) if self._grants(each)]
        for each in granted:
            self._switch(client, each, method == "public/subscribe")
        return {"result": granted}

    def _grants(self, channel: str) -> bool:
        kind, _, rest = channel.partition(".")
        exists = kind in KINDS and (self._known is None or rest.rpartition(".")[0] in self._known)
        return exists and not self._is_refused(channel)


def _paced(client: Client, interval: object) -> dict[str, Any]:
    """Ask the client at its own pace from now on, seconds."""
    if not isinstance(interval, int | float) or interval < SOONEST_S:
        return {"error": {"code": -32602, "message": "Invalid params"}}
    client.data["ask_s"] = str(interval)
    return {"result": "ok"}


def refusal(kind: Kind) -> Answer:
    """Return Deribit's answer over a limit, of a blocked address, or when it is down."""
    answers = {
        "http_429": json_answer({"jsonrpc": "2.0", "error": {"code": 10028, "message": "too_many_requests"}}, 429),
        "http_403": Answer(403, b"<html><head><title>403 Forbidden</title></head></html>"),
    }
    down = {"jsonrpc": "2.0", "error": {"code": 11094, "message": "internal_server_error"}}
    return answers.get(kind) or json_answer(down, 500)
