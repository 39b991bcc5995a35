"""OKX v5 public and business: channels, replies and pushes. Facts: exchanges/okx.md §1 to §5.

A subscription is kept as `<channel>:<instType, or instId>`.
"""

import random
import time
import uuid
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import orjson

from collectors.simulator.contracts import Contract
from collectors.simulator.faults import Faults, Kind
from collectors.simulator.history import MINUTE_MS
from collectors.simulator.host import Answer, Client, Host, Protocol, json_answer
from collectors.simulator.liquidation import Liquidation
from collectors.simulator.market import Market
from collectors.simulator.throttles import Late
from collectors.simulator.truth import Shown, Truth
from collectors.venues.okx.simulator import frames

PUBLIC, BUSINESS = "/ws/v5/public", "/ws/v5/business"
BY_TYPE = ("liquidation-orders", "instruments")
BY_ID = ("funding-rate", "open-interest", "mark-price", "index-tickers")
INST_TYPES = ("SWAP", "FUTURES", "MARGIN", "OPTION")
REPEATED = 3


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

    def notice(self, client: Client) -> None:
        """Announce that the connection will close for an upgrade."""
        text = "The connection will soon be closed for a service upgrade. Please reconnect."
        client.send_json({"event": "notice", "code": "64008", "msg": text, "connId": client.data["connId"]})

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


class OkxFeed:
    """Pushes the market. Some liquidations come late; who subscribes to them first gets the last few again."""

    def __init__(self, market: Market, protocol: OkxProtocol, truth: Truth, seed: int) -> None:
        self._market = market
        self._protocol = protocol
        self._truth = truth
        self._late = Late()
        self._random = random.Random(f"{seed}/okx")
        self._last: dict[str, deque[tuple[Liquidation, Shown]]] = defaultdict(lambda: deque(maxlen=REPEATED))
        self._due: dict[str, int] = {}
        self._shown: dict[str, str] = {}
        contracts = [c for c in market.contracts if c.venue == "okx"]
        self._topics = dict(_state_topics(contracts))
        protocol.on_subscribed = self._greet

    @property
    def pending(self) -> int:
        """Liquidations that happened and are not shown yet."""
        return self._late.pending

    def offer(self, liquidation: Liquidation) -> None:
        """Take a liquidation of this venue; three in a hundred are shown 2 to 15 s late."""
        delay = (
            self._random.randrange(2000, 15_000) if self._random.random() < 0.03 else self._random.randrange(40, 400)
        )
        self._late.offer(liquidation, delay)

    def push(self, now: int) -> None:
        """Publish what is due at `now`, market time in ms."""
        by_type: dict[str, list[Liquidation]] = {}
        for one in self._late.due(now):
            by_type.setdefault(one.contract.market, []).append(one)
        for inst_type, liquidations in by_type.items():
            self._push_liquidations(inst_type, liquidations, now)
        for topic in self._protocol.host.topics.keys() & self._topics.keys():
            if now >= self._due.get(topic, 0):
                self._push_state(topic, now)

    def _push_liquidations(self, inst_type: str, liquidations: list[Liquidation], now: int) -> None:
        topic = f"liquidation-orders:{inst_type}"
        payload = _frame(
            {"channel": "liquidation-orders", "instType": inst_type}, frames.liquidation_orders(liquidations)
        )
        heard = self._truth.wrote("okx", "liquidation-orders", self._protocol.host.publish(topic, payload))
        for one in liquidations:
            shown = self._truth.show(one, now)
            shown.receivers = heard
            self._last[inst_type].append((one, shown))

    def _push_state(self, topic: str, now: int) -> None:
        channel, _, name = topic.partition(":")
        pace = self._protocol.limits
        paces = {
            "mark-price": pace.mark_ms, "index-tickers": pace.index_ms, "open-interest": pace.open_interest_ms,
            "candle1m": pace.candle_ms,
        }  # fmt: skip
        every = paces.get(channel) or self._random.randrange(*pace.funding_ms)
        self._due[topic] = now + every - (now % every if channel == "candle1m" else 0)
        data = self._state(topic, now)
        changed = _essence(data)
        if self._shown.get(topic) == changed:
            return
        heard = self._protocol.host.publish(topic, _frame({"channel": channel, "instId": name}, [data]))
        if self._truth.wrote("okx", _counted(channel), heard):
            self._shown[topic] = changed

    def _state(self, topic: str, now: int) -> Any:
        channel, contract = topic.partition(":")[0], self._topics[topic]
        quote = self._market.quotes[contract]
        if channel == "funding-rate":
            return frames.funding_rate(contract, self._market)
        if channel == "open-interest":
            return frames.open_interest(contract, quote, now)
        if channel == "mark-price":
            return frames.mark_price(contract, quote, now)
        if channel == "index-tickers":
            return frames.index_ticker(contract, quote, self._market.history, now)
        last = now - now % self._protocol.limits.candle_ms - 1
        return frames.candle(contract, self._market, last - last % MINUTE_MS, MINUTE_MS, "trade")

    def _greet(self, client: Client, topic: str, request_id: str) -> None:
        channel, _, name = topic.partition(":")
        if self._protocol.host.is_silent(topic):
            return
        if topic in self._topics:
            data = self._state(topic, self._market.now)
            sent = client.send(_frame({"channel": channel, "instId": name}, [data]))
            self._truth.wrote("okx", _counted(channel), sent)
        elif channel == "liquidation-orders" and self._last[name]:
            self._repeat(client, name, request_id)

    def _repeat(self, client: Client, inst_type: str, request_id: str) -> None:
        head = {"id": request_id} if request_id else {}
        arg = {"channel": "liquidation-orders", "instType": inst_type}
        sent = client.send(_frame(arg, frames.liquidation_orders([one for one, _ in self._last[inst_type]]), head))
        self._truth.wrote("okx", "liquidation-orders", sent)
        for _, shown in self._last[inst_type]:
            shown.receivers += sent


def known_topics(contracts: list[Contract]) -> set[str]:
    """Return every subscription that exists for these contracts."""
    return {topic for topic, _ in _state_topics(contracts)} | {
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


def _state_topics(contracts: list[Contract]) -> Iterator[tuple[str, Contract]]:
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


def _frame(arg: dict[str, str], data: list[Any], head: dict[str, str] | None = None) -> bytes:
    return orjson.dumps((head or {}) | {"arg": arg, "data": data})


def _essence(data: Any) -> str:
    return str({name: value for name, value in data.items() if name != "ts"} if isinstance(data, dict) else data)


def _counted(channel: str) -> str:
    return "candle1m" if channel.startswith("candle") else channel
