"""Binance USD-M and COIN-M: routes, subscriptions and replies; each host is one BinanceProtocol.

Facts: exchanges/binance.md §1 to §3.
"""

import time
from collections.abc import Callable
from typing import Any

import msgspec
import orjson

from collectors.simulator.faults import Faults, Kind
from collectors.simulator.host import Answer, Client, Host, Protocol, framed, json_answer

METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")
ALL_LIQUIDATIONS = "!forceOrder@arr"


class BinanceLimits(msgspec.Struct, frozen=True):
    """Seconds and counts; `streams` 1024 in newer documents, 200 in older ones. `weight`: of REST, a minute, over both hosts.
    `slow_s` and `ban_s` are no limits but the Retry-After of the faults http_429 and http_418."""

    messages_per_second: int = 10
    streams: int = 1024
    ping_s: float = 180.0
    pong_s: float = 600.0
    lifetime_s: float = 24 * 3600.0
    weight: int = 2400
    slow_s: int = 2
    ban_s: int = 120


class BinanceProtocol(Protocol):
    """One host. `routed`: USD-M since 2026-04-23, where only /market/... delivers what is simulated here."""

    venue = "binance"
    http_kinds = ("http_429", "http_418", "http_403", "http_500")

    def __init__(
        self, routed: bool, rest: Callable[[str, dict[str, str]], Answer], faults: Faults, limits: BinanceLimits
    ) -> None:
        self.routed = routed
        self._rest = rest
        self._faults = faults
        self.limits = limits
        self.host = Host(self, faults)

    def accepts(self, path: str) -> bool:
        """/ws, /ws/<stream>, /stream, on USD-M also behind /market and /public."""
        parts = self._plain(path).split("/")
        return parts[1:2] in (["ws"], ["stream"])

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        return self._rest(path, query)

    def misbehave(self, kind: Kind) -> Answer:
        return refusal(kind, self.limits)

    def opened(self, client: Client) -> None:
        path = self._plain(client.path)
        client.combined = path.startswith("/stream")
        names = client.query.get("streams", "") if client.combined else path.removeprefix("/ws").removeprefix("/")
        for name in filter(None, names.split("/")):
            self._subscribe(client, name)

    def received(self, client: Client, message: str | bytes) -> None:
        if client.burst_of(1.0) > self.limits.messages_per_second:
            client.close(1008, "Too many requests")
            return
        reply = self._reply(client, message)
        if reply is not None:
            client.send_json(reply)

    def check(self, client: Client, now: float) -> None:
        if now - client.opened > self.limits.lifetime_s:
            client.close(1001, "")
        elif now - client.ponged > self.limits.pong_s + self.limits.ping_s:
            client.close(1008, "Pong timeout")
        elif now - client.pinged >= self.limits.ping_s:
            client.ping()

    def publish(self, stream: str, payload: bytes) -> int:
        """Send a payload to who listens to the stream, wrapped for those that asked for it; return to how many."""
        listeners = self.host.listeners(stream)
        if not listeners or self.host.is_silent(stream):
            return 0
        raw, wrapped = framed(payload), framed(b'{"stream":"%b","data":%b}' % (stream.encode(), payload))
        return sum(client.write(wrapped if client.combined else raw) for client in listeners if self._delivers(client))

    def _reply(self, client: Client, message: str | bytes) -> dict[str, Any] | None:
        try:
            request = orjson.loads(message)
        except orjson.JSONDecodeError:
            return _error(3, "Invalid JSON: expected value at line 1 column 1")
        if not isinstance(request, dict) or "method" not in request:
            return _error(2, "Invalid request: missing field `method` at line 1 column 2")
        request_id, method, params = request.get("id"), request["method"], request.get("params", [])
        if request_id is not None and (
            not isinstance(request_id, int) or isinstance(request_id, bool) or request_id < 0
        ):
            return _error(2, "Invalid request: request ID must be an unsigned integer")
        if method not in METHODS:
            expected = ", ".join(f"`{known}`" for known in METHODS)
            return _error(2, f"Invalid request: unknown variant `{method}`, expected one of {expected}", request_id)
        if not isinstance(params, list):
            return _error(2, "Invalid request: params must be an array", request_id)
        return self._obey(client, method, params, request_id)

    def _obey(self, client: Client, method: str, params: list[Any], request_id: int | None) -> dict[str, Any]:
        if method == "LIST_SUBSCRIPTIONS":
            return {"result": list(client.topics), "id": request_id}
        if method.endswith("_PROPERTY"):
            return _property(client, method, params, request_id)
        if not all(isinstance(name, str) for name in params):
            return _error(1, "Invalid value type: expected String", request_id)
        if method == "UNSUBSCRIBE":
            for name in params:
                self.host.unsubscribe(client, name)
            return {"result": None, "id": request_id}
        refused = [n for n in params if self._faults.take(time.monotonic(), ("refuse_topic",), self.venue, n)]
        if refused:
            return _error(2, f"Invalid request: stream {refused[0]} is refused", request_id)
        if len({*client.topics, *params}) > self.limits.streams:
            return _error(4, "Too many subscriptions", request_id)
        for name in params:
            self._subscribe(client, name)
        return {"result": None, "id": request_id}

    def _subscribe(self, client: Client, name: str) -> None:
        self.host.subscribe(client, name)

    def _delivers(self, client: Client) -> bool:
        return not self.routed or client.path.startswith("/market/")

    def _plain(self, path: str) -> str:
        for route in ("/market", "/public"):
            if self.routed and path.startswith(route + "/"):
                return path.removeprefix(route)
        return path


def refusal(kind: Kind, limits: BinanceLimits) -> Answer:
    """Return Binance's answer to too many requests, to a banned address, and its firewall's."""
    until = int(time.time() * 1000) + limits.ban_s * 1000
    address, advice = "IP(127.0.0.1)", "Please use the websocket for live updates"
    texts: dict[str, Answer] = {
        "http_429": json_answer(
            {"code": -1003, "msg": f"Too many requests; current limit of {address} is 2400 requests per minute. "
             f"{advice} to avoid polling the API."}, 429, (("Retry-After", str(limits.slow_s)),)),
        "http_418": json_answer(
            {"code": -1003, "msg": f"Way too many requests; {address} banned until {until}. {advice} to avoid bans."},
            418, (("Retry-After", str(limits.ban_s)),)),
        "http_403": Answer(403, b"<html><head><title>403 Forbidden</title></head></html>"),
    }  # fmt: skip
    return texts.get(kind) or json_answer(
        {"code": -1000, "msg": "An unknown error occurred while processing the request."}, 500
    )


def _property(client: Client, method: str, params: list[Any], request_id: int | None) -> dict[str, Any]:
    if not params or not isinstance(params[0], str):
        return _error(2, "Invalid request: property name must be a string", request_id)
    if params[0] != "combined":
        return _error(0, "Unknown property", request_id)
    if method == "GET_PROPERTY":
        return {"result": client.combined, "id": request_id}
    if len(params) != 2:
        return _error(2, "Invalid request: too many parameters", request_id)
    if not isinstance(params[1], bool):
        return _error(1, "Invalid value type: expected Boolean", request_id)
    client.combined = params[1]
    return {"result": None, "id": request_id}


def _error(code: int, text: str, request_id: int | None = None) -> dict[str, Any]:
    error: dict[str, Any] = {"error": {"code": code, "msg": text}}
    return error if request_id is None else error | {"id": request_id}
