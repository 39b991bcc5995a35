"""HTX's sockets of notifications: topics and replies, all packed in gzip. Facts: exchanges/htx.md §1.

The three markets are three paths of one host; a subscription is kept as `<path>|<topic>`.
"""

import gzip
import time
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import orjson

from collectors.simulator.faults import Faults, Kind
from collectors.simulator.host import Answer, Client, framed, json_answer
from collectors.simulator.plain import PlainProtocol

PATHS = {"linear": "/linear-swap-notification", "swap": "/swap-notification", "delivery": "/notification"}
KINDS = ("liquidation_orders", "funding_rate", "contract_info")


class HtxLimits(msgspec.Struct, frozen=True):
    """A ping each `ping_s`; cut after `unanswered` of them. `funding_ms`: pace. `requests` in `window_s`: REST."""

    ping_s: float = 5.0
    unanswered: int = 5
    funding_ms: int = 3000
    requests: int = 240
    window_s: float = 3.0


class HtxProtocol(PlainProtocol[HtxLimits]):
    """The one host. `known`: the codes that are listed, `*` too; None accepts any (frames are played from files)."""

    venue = "htx"

    def __init__(
        self, known: set[str] | None, rest: Callable[[str, dict[str, str]], Answer], faults: Faults, limits: HtxLimits
    ) -> None:
        super().__init__(known, rest, faults, limits)
        self.first: Callable[[str], Iterable[bytes]] = lambda _: ()
        """What a subscription begins with."""

    def accepts(self, path: str) -> bool:
        return path in PATHS.values()

    def misbehave(self, kind: Kind) -> Answer:
        return refusal(kind)

    def publish(self, topic: str, payload: bytes) -> int:
        """Send a payload, packed, to who listens to the topic or to its kind of all codes; return to how many."""
        heard = [each for each in dict.fromkeys((_of_all(topic), topic)) if each in self.host.topics]
        packed = gzip.compress(payload, 1) if heard else b""
        return sum(self.host.publish(each, packed, binary=True) for each in heard)

    def opened(self, client: Client) -> None:
        client.data["unanswered"] = "0"

    def received(self, client: Client, message: str | bytes) -> None:
        try:
            request = orjson.loads(message)
            op = request["op"]
        except (orjson.JSONDecodeError, LookupError, TypeError):
            _send(client, {"op": "error", "err-code": 2003, "err-msg": "invalid request"})
            return
        if op == "pong":
            client.data["unanswered"] = "0"
        else:
            self._operate(client, op, request)

    def check(self, client: Client, now: float) -> None:
        if now - client.pinged < self._limits.ping_s:
            return
        client.pinged = now
        unanswered = int(client.data["unanswered"])
        if unanswered >= self._limits.unanswered:
            _send(client, {"op": "close", "ts": int(time.time() * 1000)})
            client.cut()
            return
        client.data["unanswered"] = str(unanswered + 1)
        _send(client, {"op": "ping", "ts": str(int(time.time() * 1000))})

    def _operate(self, client: Client, op: str, request: dict[str, Any]) -> None:
        topic, cid = str(request.get("topic", "")), request.get("cid", "")
        kept, reply = f"{client.path}|{topic}", {"op": op, "cid": cid, "topic": topic, "ts": int(time.time() * 1000)}
        refused = self._is_refused(topic)
        if op not in ("sub", "unsub") or refused or not self._exists(topic):
            _send(client, reply | {"err-code": 2011, "err-msg": "topic is not found"})
        elif op == "sub" and not client.topics.keys().isdisjoint((kept, _of_all(kept))):
            _send(client, reply | {"err-code": 2014, "err-msg": "already subscribed"})
        else:
            self._switch(client, kept, op == "sub")
            _send(client, reply | {"err-code": 0})
            for payload in self.first(kept) if op == "sub" else ():
                client.write(framed(gzip.compress(payload, 1), binary=True))

    def _exists(self, topic: str) -> bool:
        public, _, rest = topic.partition(".")
        code, _, kind = rest.rpartition(".")
        return public == "public" and kind in KINDS and (self._known is None or code in self._known)


def _of_all(topic: str) -> str:
    """Return the topic that brings the same of every code."""
    path, _, told = topic.partition("|")
    return f"{path}|public.*.{told.rpartition('.')[2]}"


def _send(client: Client, message: object) -> None:
    client.write(framed(gzip.compress(orjson.dumps(message), 1), binary=True))


def answered(data: object, status: int = 200) -> Answer:
    """Return an answer with data."""
    return json_answer({"status": "ok", "data": data, "ts": int(time.time() * 1000)}, status)


def refusal(kind: Kind) -> Answer:
    """Return HTX's answer over a limit, of a blocked address, or when it is down."""
    told = {"status": "error", "err_code": 1032, "err_msg": "The number of visits exceeds the limit", "ts": 0}
    answers = {
        "http_429": json_answer(told, 429),
        "http_403": Answer(403, b"<html><head><title>403 Forbidden</title></head></html>"),
    }
    return answers.get(kind) or json_answer(told | {"err_code": 1000, "err_msg": "System busy"}, 500)
