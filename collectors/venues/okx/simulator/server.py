"""OKX v5 public and business: channels and replies. Facts: exchanges/okx.md §1 to §5.

A subscription is kept as `<channel>:<instType, or instId>`.
"""

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import orjson

from collectors.simulator.contracts import Contract
from collectors.simulator.faults import Faults, Kind
from collectors.simulator.host import Answer, Client, Host, Protocol, json_answer

PUBLIC, BUSINESS = "/ws/v5/public", "/ws/v5/business"
BY_TYPE = ("liquidation-orders", "instruments")
BY_ID = ("funding-rate", "open-interest", "mark-price", "index-tickers")
INST_TYPES = ("SWAP", "FUTURES", "MARGIN", "OPTION")


class OkxLimits(msgspec.Struct, frozen=True):
    """Operations an hour a connection, idle seconds, and the pace of pushes in ms (funding: 30 to 90 s)."""

    operations_per_hour: int = 480
    idle_s: float = 30.0
    mark_ms: int = 200
    index_ms: int = 500
    candle_ms: int = 1000
    open_interest_ms: int = 3000
    funding_ms: tuple[int, int] = (30_000, 90_000)


class OkxProtocol(Protocol):
    """The one host. `known`: which subscriptions exist; None accepts any (frames are played from files)."""

    venue = "okx"
    http_kinds = ("http_50011", "http_429", "http_403", "http_500")
    max_message_bytes = 64 * 1024

    def __init__(
        self, known: set[str] | None, rest: Callable[[str, dict[str, str]], Answer], faults: Faults, limits: OkxLimits
    ) -> None:
        self._known = known
        self._rest = rest
        self._faults = faults
        self.limits = limits
        self.host = Host(self, faults)
        self.on_subscribed: Callable[[Client, str, str], None] = lambda _client, _topic, _id: None

    def accepts(self, path: str) -> bool:
        return path in (PUBLIC, BUSINESS)

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        return self._rest(path, query)

    def misbehave(self, kind: Kind) -> Answer:
        return refusal(kind)

    def opened(self, client: Client) -> None:
        client.data["connId"] = uuid.uuid4().hex[:8]

    def received(self, client: Client, message: str | bytes) -> None:
        if message == "ping":
            client.send(b"pong")
            return
        text = message if isinstance(message, str) else message.decode(errors="replace")
        try:
            request = orjson.loads(text)
        except orjson.JSONDecodeError:
            request = None
        if (
            not isinstance(request, dict)
            or not isinstance(request.get("op"), str)
            or not isinstance(request.get("args"), list)
        ):
            self._fail(client, "", "60012", f"Invalid request: {text[:500]}")
            return
        request_id, op = str(request.get("id", "")), request["op"]
        if op not in ("subscribe", "unsubscribe"):
            self._fail(client, request_id, "60019", f"Invalid op: {op}")
        elif client.burst_of(3600.0) > self.limits.operations_per_hour:
            self._fail(client, request_id, "60014", "Requests too frequent")
        else:
            for arg in request["args"]:
                self._operate(client, op, request_id, arg)

    def check(self, client: Client, now: float) -> None:
        if now - max(client.heard, client.told) > self.limits.idle_s:
            client.close(4004, "No data received in 30s")

    def notice(self, client: Client) -> bool:
        """Announce that the connection will close for an upgrade."""
        text = "The connection will soon be closed for a service upgrade. Please reconnect."
        return client.send_json({"event": "notice", "code": "64008", "msg": text, "connId": client.data["connId"]})

    def _operate(self, client: Client, op: str, request_id: str, arg: Any) -> None:
        if not isinstance(arg, dict) or not isinstance(arg.get("channel"), str):
            self._fail(client, request_id, "60013", "Invalid args")
            return
        channel, kept = arg["channel"], _kept(arg)
        topic = f"{channel}:{kept.get('instType') if channel in BY_TYPE else kept.get('instId')}"
        if error := self._error_of(client, channel, arg, topic):
            self._fail(client, request_id, *error)
            return
        (self.host.subscribe if op == "subscribe" else self.host.unsubscribe)(client, topic)
        head = {"id": request_id} if request_id else {}
        client.send_json(head | {"event": op, "arg": kept, "connId": client.data["connId"]})
        if op == "subscribe":
            self.on_subscribed(client, topic, request_id)

    def _error_of(self, client: Client, channel: str, arg: dict[str, Any], topic: str) -> tuple[str, str] | None:
        if "uly" in arg and channel in BY_TYPE:
            return "64000", "Subscription parameter uly is unavailable anymore, please replace uly with instFamily."
        candles = "candle" in channel
        if candles and client.path == PUBLIC:
            return "64001", "This channel has been migrated to the '/business' URL. Please subscribe using the new URL."
        if not candles and client.path == BUSINESS:
            return (
                "64002",
                'This channel is not supported by "/business" URL. Please use "/public" URL(for public channels).',
            )
        refused = self._faults.take(time.monotonic(), ("refuse_topic",), self.venue, topic)
        if refused or (self._known is not None and topic not in self._known):
            names = ",".join(f"{name}:{value}" for name, value in arg.items())
            return "60018", (
                f"Wrong URL or {names} doesn't exist. "
                "Please use the correct URL, channel and parameters referring to API document."
            )
        return None

    def _fail(self, client: Client, request_id: str, code: str, text: str) -> None:
        head = {"id": request_id} if request_id else {}
        client.send_json(head | {"event": "error", "code": code, "msg": text, "connId": client.data["connId"]})


def known_topics(contracts: list[Contract]) -> set[str]:
    """Return every subscription that exists for these contracts."""
    return {topic for topic, _ in state_topics(contracts)} | {
        f"{channel}:{kind}" for channel in BY_TYPE for kind in INST_TYPES
    }


def refusal(kind: Kind) -> Answer:
    """Return OKX's answer over a limit (HTTP 200 or 429, code 50011), or when it is down."""
    text = "Rate limit reached. Please refer to API documentation and throttle requests accordingly."
    answers: dict[str, Answer] = {
        "http_50011": json_answer({"code": "50011", "data": [], "msg": text}),
        "http_429": json_answer({"code": "50011", "data": [], "msg": "Too Many Requests"}, 429),
        "http_403": Answer(403, b"<html><head><title>403 Forbidden</title></head></html>"),
    }
    return answers.get(kind) or json_answer({"code": "50026", "data": [], "msg": "System error. Try again later."}, 500)


def state_topics(contracts: list[Contract]) -> Iterator[tuple[str, Contract]]:
    """Yield every subscription to the state of one of these contracts, and the contract."""
    for contract in contracts:
        yield f"mark-price:{contract.symbol}", contract
        yield f"open-interest:{contract.symbol}", contract
        yield f"index-tickers:{contract.index}", contract
        yield f"candle1m:{contract.symbol}", contract
        if contract.interval_ms:
            yield f"funding-rate:{contract.symbol}", contract


def _kept(arg: dict[str, Any]) -> dict[str, Any]:
    """Return the argument as acknowledged: instId and instFamily beside an instType are dropped in silence."""
    if arg["channel"] in BY_TYPE and "instType" in arg:
        return {name: value for name, value in arg.items() if name not in ("instId", "instFamily")}
    return arg
