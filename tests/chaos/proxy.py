"""A TCP relay on loopback that can be cut, held, slowed and left half open: the network between two parts."""

import asyncio
import fcntl
import socket
import struct
import termios
import time
from contextlib import suppress

from tests.chaos.sent import Marks, Passed, Sent

CHUNK = 64 * 1024
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close at once, with a reset


def _unread(end: socket.socket) -> int:
    """Return the bytes that were written to a socket and have not reached the other side."""
    with suppress(OSError):
        return int(struct.unpack("i", fcntl.ioctl(end, termios.TIOCOUTQ, b"\0" * 4))[0])
    return 0


class Line:
    """One connection through a proxy. `frozen`: half open, nothing passes any more and nobody is told."""

    def __init__(self, near: socket.socket, far: socket.socket, marks: Marks | None, number: int) -> None:
        self.near, self.far = near, far
        self.marks = marks
        self.number = number
        self.frozen = False

    def close(self, reset: bool = False) -> None:
        """Close both ends; with `reset` at once, and what is on its way is lost."""
        for end in (self.near, self.far):
            with suppress(OSError):
                if reset:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                end.close()


class Proxy:
    """Listens on `port` of 127.0.0.1 and relays to the port `target`. `sent` gets what passes to the near end
    of liquidations of `venue`; None where this is no venue."""

    def __init__(self, name: str, target: int, sent: Sent | None = None, venue: str = "") -> None:
        self.name = name
        self.venue = venue
        self.port = 0
        self._target = target
        self._sent = sent
        self._lines: dict[Line, asyncio.Task[None]] = {}
        self._open = asyncio.Event()
        self._open.set()
        self._refusing = 0
        self._pauses = 0
        self._bytes_per_s = 0.0
        self._listening: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None

    async def start(self, port: int = 0) -> None:
        """Listen; port 0 takes any that is free."""
        self._listening = socket.create_server(("127.0.0.1", port), backlog=128)
        self._listening.setblocking(False)
        self.port = self._listening.getsockname()[1]
        self._accepting = asyncio.create_task(self._accept())

    async def stop(self) -> None:
        """Close everything."""
        tasks = [*self._lines.values(), *([self._accepting] if self._accepting else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._listening is not None:
            self._listening.close()

    @property
    def lines(self) -> int:
        """Connections that are open."""
        return len(self._lines)

    def cut(self) -> int:
        """Reset every connection; return how many."""
        lines = list(self._lines)
        for line in lines:
            self._lines[line].cancel()
        return len(lines)

    async def half_open(self, seconds: float) -> int:
        """Let nothing pass on the connections of now, and reset them after a time; new ones work. Return how many."""
        lines = list(self._lines)
        for line in lines:
            line.frozen = True
        try:
            await asyncio.sleep(seconds)
        finally:
            for line in lines:
                if task := self._lines.get(line):
                    task.cancel()
        return len(lines)

    async def pause(self, seconds: float) -> int:
        """Let nothing pass for a time, then everything."""
        self._pauses += 1
        self._open.clear()
        try:
            await asyncio.sleep(seconds)
        finally:
            self._pauses -= 1
            if not self._pauses:
                self._open.set()
        return len(self._lines)

    async def refuse(self, seconds: float) -> int:
        """Reset every connection and each new one for a time."""
        self._refusing += 1
        hit = self.cut()
        try:
            await asyncio.sleep(seconds)
        finally:
            self._refusing -= 1
        return hit

    async def slow(self, seconds: float, bytes_per_s: float) -> int:
        """Let so many bytes a second pass, of each connection and direction, for a time."""
        self._bytes_per_s = bytes_per_s
        try:
            await asyncio.sleep(seconds)
        finally:
            self._bytes_per_s = 0.0
        return len(self._lines)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        assert self._listening is not None
        while True:
            near, _ = await loop.sock_accept(self._listening)
            far = socket.socket()
            far.setblocking(False)
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line = Line(near, far, None, 0)
            if self._refusing:
                line.close(reset=True)
                continue
            self._lines[line] = asyncio.create_task(self._relay(line))

    async def _relay(self, line: Line) -> None:
        reset = True
        pumps: list[asyncio.Task[None]] = []
        try:
            await asyncio.get_running_loop().sock_connect(line.far, ("127.0.0.1", self._target))
            if self._sent is not None:
                line.number = len(self._sent.connections) + 1
                line.marks = self._sent.connect(self.name, self.venue)
            pumps = [
                asyncio.create_task(self._pump(line, *way)) for way in ((line.near, line.far), (line.far, line.near))
            ]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_EXCEPTION)
            reset = any(pump.done() and not pump.cancelled() and pump.exception() for pump in pumps)
        except OSError:
            pass
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            if reset and self._sent is not None:
                self._sent.tear(line.number, _unread(line.near))
            line.close(reset)
            del self._lines[line]

    async def _pump(self, line: Line, source: socket.socket, sink: socket.socket) -> None:
        loop, marks = asyncio.get_running_loop(), line.marks if source is line.far else None
        while data := await loop.sock_recv(source, CHUNK):
            await self._open.wait()
            if self._bytes_per_s:
                await asyncio.sleep(len(data) / self._bytes_per_s)
            if line.frozen:
                await asyncio.Event().wait()
            if marks is None:
                await loop.sock_sendall(sink, data)
            else:
                await self._write(line, marks, sink, data)
        if marks is not None and (rest := marks.rest()):
            await loop.sock_sendall(sink, rest)
        sink.shutdown(socket.SHUT_WR)

    async def _write(self, line: Line, marks: Marks, sink: socket.socket, data: bytes) -> None:
        """Pass bytes to the near end; frames count as written to us once the kernel of our side has them all."""
        assert self._sent is not None
        data, frames = marks.feed(data)
        try:
            await asyncio.get_running_loop().sock_sendall(sink, data)
        except BaseException:
            self._sent.torn.update(frames)  # the first of them may have arrived
            raise
        now = time.time_ns()
        self._sent.passed.extend(Passed(now, line.number, frame) for frame in frames)
