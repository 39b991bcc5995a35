"""One local port that answers HTTP and speaks WebSocket, as one of a venue's base addresses does."""

import asyncio
import contextlib
import logging
import time
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Iterable
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

import orjson
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.protocol import State

from collectors.simulator.faults import Faults, Kind
from collectors.simulator.twists import Twists

CHECK_S = 0.05
SLOW_CONSUMER_BYTES = 64 * 1024 * 1024
_LOG = logging.getLogger("collectors.simulator")
_LOG.setLevel(logging.WARNING)
_TEXT, _BINARY = 0x81, 0x82


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


class Asked(NamedTuple):
    """A GET request that was answered: when (seconds of the monotonic clock), its path, the status."""

    at: float
    path: str
    status: int


class Client:
    """A WebSocket connection from outside. Times are seconds of the monotonic clock.

    `topics` keeps the order of subscribing; `data` holds what a protocol needs to know of it.
    """

    def __init__(self, connection: ServerConnection, path: str, query: dict[str, str]) -> None:
        self.connection = connection
        self.path = path
        self.query = query
        self.topics: dict[str, None] = {}
        self.opened = self.heard = self.told = self.pinged = self.ponged = time.monotonic()
        self.messages: list[float] = []
        self.data: dict[str, str] = {}
        self.frozen = False
        self.combined = False
        self.twists = Twists()

    def send(self, payload: bytes) -> bool:
        """Write a text frame; False where the socket is no longer open."""
        return self.write(framed(payload))

    def write(self, frame: bytes) -> bool:
        """Write frames already encoded; False also where a fault cuts them."""
        if self.connection.state is not State.OPEN or self.frozen:
            return False
        transport = self.connection.transport
        if self.twists:
            twisted = self.twists.take(frame)
            transport.write(twisted.data)
            if twisted.cut:
                transport.close()
            return twisted.whole
        transport.write(frame)
        self.told = time.monotonic()
        if transport.get_write_buffer_size() > SLOW_CONSUMER_BYTES:
            transport.abort()
        return True

    def send_json(self, message: object) -> bool:
        """Write a JSON text frame."""
        return self.send(orjson.dumps(message))

    def close(self, code: int, reason: str) -> None:
        """Close as a venue does, with a code."""
        _keep(asyncio.ensure_future(self.connection.close(code, reason)))

    def ping(self) -> None:
        """Send a ping frame; `ponged` is when its pong came."""
        self.pinged = time.monotonic()
        _keep(asyncio.ensure_future(self._ping()))

    async def _ping(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            await (await self.connection.ping(str(time.time_ns() // 1_000_000)))
            self.ponged = time.monotonic()

    def cut(self) -> None:
        """End the TCP connection without a closing handshake; what was written still arrives."""
        self.connection.transport.close()

    def freeze(self) -> None:
        """Neither read nor write from now on, with TCP up: a half-open line."""
        self.frozen = True
        transport = self.connection.transport
        transport.pause_reading()

    def burst_of(self, seconds: float) -> int:
        """Return how many messages came in the last `seconds`, this one included; remembers no older ones."""
        now = time.monotonic()
        self.messages = [at for at in self.messages if now - at < seconds] + [now]
        return len(self.messages)


class Protocol(ABC):
    """What a venue says on one of its hosts."""

    venue: str
    host: "Host"
    max_message_bytes: int = 1 << 20
    http_kinds: tuple[Kind, ...]

    @abstractmethod
    def accepts(self, path: str) -> bool:
        """Whether there is a WebSocket at this path."""

    @abstractmethod
    def answer(self, path: str, query: dict[str, str]) -> Answer:
        """Answer a GET request."""

    @abstractmethod
    def misbehave(self, kind: Kind) -> Answer:
        """Answer as the venue does when it refuses: `kind` is one of `http_kinds`."""

    @abstractmethod
    def opened(self, client: Client) -> None:
        """A client has connected."""

    @abstractmethod
    def received(self, client: Client, message: str | bytes) -> None:
        """A client has sent a message."""

    @abstractmethod
    def check(self, client: Client, now: float) -> None:
        """Ping, cut or close a client where its time has come; called every 50 ms."""

    def publish(self, topic: str, payload: bytes) -> int:
        """Send a payload to who listens to the topic; return to how many."""
        return self.host.publish(topic, payload)

    def notice(self, _client: Client) -> bool:
        """Announce that the connection will soon close; False where the venue announces nothing."""
        return False


class Host:
    """Serves a Protocol on 127.0.0.1. `topics`: who listens to what. `asked`: the latest GET requests; `statuses`: of all."""

    def __init__(self, protocol: Protocol, faults: Faults) -> None:
        self.protocol = protocol
        self.faults = faults
        self.clients: set[Client] = set()
        self.topics: dict[str, dict[Client, None]] = {}
        self.asked: deque[Asked] = deque(maxlen=10_000)
        self.statuses: Counter[int] = Counter()
        self.port = 0
        self._server: Server | None = None
        self._checker: asyncio.Task[None] | None = None

    async def start(self, port: int = 0) -> None:
        """Listen; port 0 takes any free one. Raises OSError where the port is taken."""
        self._server = await serve(
            self._handle, "127.0.0.1", port, process_request=self._process, compression=None, ping_interval=None,
            max_size=self.protocol.max_message_bytes, server_header=None, logger=_LOG, close_timeout=1,
        )  # fmt: skip
        self.port = next(iter(self._server.sockets)).getsockname()[1]
        self._checker = asyncio.create_task(self._check())

    async def stop(self) -> None:
        """Close every connection and the port."""
        if self._checker is not None:
            self._checker.cancel()
        for client in list(self.clients):
            if client.frozen:
                client.connection.transport.abort()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def subscribe(self, client: Client, topic: str) -> None:
        """Let a client listen to a topic."""
        client.topics[topic] = None
        self.topics.setdefault(topic, {})[client] = None

    def unsubscribe(self, client: Client, topic: str) -> None:
        """Let a client no longer listen."""
        client.topics.pop(topic, None)
        listeners = self.topics.get(topic, {})
        listeners.pop(client, None)
        if not listeners:
            self.topics.pop(topic, None)

    def listeners(self, topic: str) -> Iterable[Client]:
        """Return who listens to a topic."""
        return list(self.topics.get(topic, ()))

    def publish(self, topic: str, payload: bytes, binary: bool = False) -> int:
        """Send a frame to who listens, as text or `binary`; return to how many. Nobody hears a silent topic."""
        listeners = self.topics.get(topic)
        if not listeners or self.is_silent(topic):
            return 0
        frame = framed(payload, binary)
        return sum(client.write(frame) for client in list(listeners))

    def is_silent(self, topic: str) -> bool:
        """Whether a fault keeps this topic from being sent."""
        return self.faults.active(time.monotonic(), "silent", self.protocol.venue, topic)

    def _process(self, _connection: ServerConnection, request: Request) -> Response | None:
        parts = urlsplit(request.path)
        now, venue = time.monotonic(), self.protocol.venue
        if "upgrade" in request.headers.get("Connection", "").lower():
            if not self.protocol.accepts(parts.path):
                return _response(Answer(404, b"Not Found"))
            refused = self.faults.active(now, "drop", venue, "")
            return _response(Answer(503, b"Service Unavailable")) if refused else None
        if kind := self.faults.take(now, self.protocol.http_kinds, venue, parts.path):
            answer = self.protocol.misbehave(kind)
        else:
            answer = self.protocol.answer(parts.path, dict(parse_qsl(parts.query, keep_blank_values=True)))
        self.asked.append(Asked(now, parts.path, answer.status))
        self.statuses[answer.status] += 1
        return _response(answer)

    async def _handle(self, connection: ServerConnection) -> None:
        request = connection.request
        assert request is not None
        parts = urlsplit(request.path)
        client = Client(connection, parts.path, dict(parse_qsl(parts.query)))
        self.clients.add(client)
        try:
            self.protocol.opened(client)
            with contextlib.suppress(ConnectionClosed):
                async for message in connection:
                    client.heard = time.monotonic()
                    self.protocol.received(client, message)
        finally:
            self.clients.discard(client)
            for topic in list(client.topics):
                self.unsubscribe(client, topic)

    async def _check(self) -> None:
        while True:
            now = time.monotonic()
            for client in list(self.clients):
                self.protocol.check(client, now)
            await asyncio.sleep(CHECK_S)


def framed(payload: bytes, binary: bool = False) -> bytes:
    """Return a server's WebSocket frame, encoded once for all who get it."""
    head, length = _BINARY if binary else _TEXT, len(payload)
    if length < 126:
        return bytes((head, length)) + payload
    if length < 1 << 16:
        return bytes((head, 126)) + length.to_bytes(2, "big") + payload
    return bytes((head, 127)) + length.to_bytes(8, "big") + payload


def json_answer(body: object, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """Return an HTTP answer with a JSON body."""
    return Answer(status, orjson.dumps(body), headers)


def _response(answer: Answer) -> Response:
    kind = "application/json; charset=utf-8" if answer.body[:1] in (b"{", b"[") else "text/plain"
    headers = Headers([("Content-Type", kind), ("Content-Length", str(len(answer.body))), ("Connection", "close")])
    for name, value in answer.headers:
        headers[name] = value
    return Response(answer.status, HTTPStatus(answer.status).phrase, headers, answer.body)


_running: set[asyncio.Future[None]] = set()


def _keep(task: asyncio.Future[None]) -> None:
    _running.add(task)
    task.add_done_callback(_running.discard)
