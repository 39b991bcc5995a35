"""/ws-replay: a venue's WebSocket as it was: a client subscribes as it would there, and gets the frames of a stretch of time.

As the archive's local server has it: `?exchange=…&from=…&to=…`, and what is sent within two seconds of the first connection
says which channels. Connections with the same `session` begin together, and get their frames in one order of time. It ends with
code 1000; what cannot be replayed with 1008 and the reason.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect

from pipelines.serve.archive.feeds import Frame, frames
from pipelines.serve.archive.replay import Replay, checked, stretch
from pipelines.serve.given import bad, only
from pipelines.serve.problems import ProblemError
from pipelines.serve.service import Service

KNOWN = ("exchange", "from", "to", "session")
SUBSCRIBE_S = 2.0
MOST = 20
"""So many connections at a time."""
REASON_BYTES = 120
_DONE, _REFUSED, _BUSY = 1000, 1008, 1013


class Client:
    """One connection. `wanted`: symbols by channel, empty: all of them, as far as it has subscribed by now."""

    def __init__(self, socket: WebSocket, replay: Replay) -> None:
        self.socket, self.replay = socket, replay
        self.wanted: dict[str, frozenset[str]] = {}
        self.is_gone = asyncio.Event()

    async def listen(self) -> None:
        """Take subscriptions until the client goes."""
        while (message := await self.socket.receive())["type"] == "websocket.receive":
            self._asked(message.get("text") or "")  # bytes ask for nothing at any venue here
        self.is_gone.set()

    def _asked(self, text: str) -> None:
        with suppress(orjson.JSONDecodeError):
            message = orjson.loads(text)
            for channel, symbol in self.replay.exchange.venue.asked_for(message) if isinstance(message, dict) else ():
                name = channel.partition("@")[0]
                others = self.wanted.get(name)
                is_all = symbol == "*" or others == frozenset()
                self.wanted[name] = frozenset() if is_all else (others or frozenset()) | {symbol.upper()}

    async def frames(self, service: Service) -> AsyncIterator[Frame]:
        """Yield the frames that are asked for, some minutes read at a time. Raises ProblemError."""
        since, replay = self.replay.since, self.replay._replace(filters=self.wanted)
        while since < replay.until:
            part = replay.part(since)
            found = await service.readers.read(
                lambda lake, part=part: frames(lake, replay.exchange, part, service.most_bytes)  # type: ignore[misc]
            )
            for each in found:
                if each.payload is not None:
                    yield each
            since = part.until

    async def send(self, payload: bytes) -> None:
        """Send a frame as it came, unless the client is gone."""
        if not self.is_gone.is_set():
            try:
                await self.socket.send_text(payload.decode())
            except (WebSocketDisconnect, RuntimeError):
                self.is_gone.set()

    async def close(self, code: int, reason: str) -> None:
        """End the connection, unless the client has."""
        if not self.is_gone.is_set():
            with suppress(RuntimeError, WebSocketDisconnect):
                await self.socket.close(code, reason)


class Session:
    """Clients that are replayed to together, those that came within SUBSCRIBE_S of the first."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._clients: list[Client] = []
        self._began = time.monotonic()
        self._running: asyncio.Task[None] | None = None

    async def join(self, client: Client) -> None:
        """Replay to the client, and to the others; returns once all is sent. Raises ProblemError."""
        if time.monotonic() - self._began >= SUBSCRIBE_S:
            raise bad("this session has begun; connect within two seconds of its first connection")
        self._clients.append(client)
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        await asyncio.shield(self._running)
        if not client.wanted:
            raise bad("nothing was subscribed to within two seconds")

    @property
    def is_over(self) -> bool:
        """Whether all is sent, or nobody came."""
        return self._running.done() if self._running else time.monotonic() - self._began > SUBSCRIBE_S

    async def _run(self) -> None:
        await asyncio.sleep(SUBSCRIBE_S)
        sources = {client: client.frames(self._service) for client in self._clients if client.wanted}
        waiting = {client: frame for client, source in sources.items() if (frame := await anext(source, None))}
        while waiting:
            client = min(waiting, key=lambda each: waiting[each].ts)
            await client.send(waiting.pop(client).payload or b"")
            if not client.is_gone.is_set() and (frame := await anext(sources[client], None)):
                waiting[client] = frame


class Sessions:
    """Those that run, by the name that clients give them."""

    def __init__(self) -> None:
        self._named: dict[str, Session] = {}
        self._clients = 0

    async def replay(self, service: Service, socket: WebSocket) -> None:
        """Serve one connection until all is sent or it is gone."""
        await socket.accept()
        if self._clients >= MOST:
            await socket.close(_BUSY, f"{MOST} are replayed to already")
            return
        self._clients += 1
        try:
            await self._replay(service, socket)
        finally:
            self._clients -= 1

    async def _replay(self, service: Service, socket: WebSocket) -> None:
        try:
            given = only(socket.query_params.multi_items(), KNOWN)
            client = Client(socket, stretch(given))
            await checked(service, client.replay)
        except ProblemError as problem:
            await socket.close(_REFUSED, _short(problem.detail))
            return
        session = self._session(service, given.get("session", ""))
        listening, sending = asyncio.create_task(client.listen()), asyncio.create_task(session.join(client))
        try:
            await asyncio.wait([listening, sending], return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                error = sending.exception()
                await client.close(*((_REFUSED, _short(str(error))) if error else (_DONE, "")))
        finally:
            listening.cancel()
            sending.cancel()

    def _session(self, service: Service, name: str) -> Session:
        self._named = {known: session for known, session in self._named.items() if not session.is_over}
        return self._named.setdefault(name, Session(service)) if name else Session(service)


def _short(reason: str) -> str:
    return reason.encode()[:REASON_BYTES].decode(errors="ignore")


async def sockets(socket: WebSocket) -> None:
    """Answer /ws-replay."""
    sessions: Sessions = socket.app.state.sessions
    await sessions.replay(socket.app.state.service, socket)
