"""Asks a service on this machine over HTTP with as little work of its own as can be: it shares the processor with it."""

import asyncio
import itertools
import time
from collections.abc import Sequence


class Asker:
    """One connection that is kept open."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, path: str) -> float:
        """Ask, read the answer, return how many seconds that took. Raises RuntimeError for any answer but 200."""
        began = time.perf_counter()
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self.port, limit=2**20)
        reader, writer = self._streams
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAccept: application/json\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length:")[2].partition("\r\n")[0])
        await reader.readexactly(length)
        if " 200 " not in head.partition("\r\n")[0]:
            raise RuntimeError(f"{path}: {head.partition(chr(13))[0]}")
        return time.perf_counter() - began

    async def reached(self, path: str) -> None:
        """Ask until there is an answer."""
        while True:
            try:
                await self.ask(path)
                return
            except (OSError, RuntimeError, asyncio.IncompleteReadError):
                self._streams = None
                await asyncio.sleep(0.2)


async def at_once(port: int, paths: Sequence[str]) -> dict[str, float]:
    """Ask for all paths at the same time, as a browser does, over six connections; return the seconds of each."""
    waiting, times = list(paths), dict[str, float]()

    async def one() -> None:
        asker = Asker(port)
        while waiting:
            path = waiting.pop(0)
            times[path] = await asker.ask(path)

    await asyncio.gather(*(one() for _ in range(6)))
    return times


async def at_times(port: int, paths: Sequence[str], rate: float, seconds: float, askers: int) -> list[float]:
    """Ask for the paths in turn, `rate` a second over some connections; return the seconds from when each was due.

    A request whose time is not reached when `seconds` are over is not made.
    """
    began, numbers, times = time.perf_counter(), itertools.count(), list[float]()

    async def one() -> None:
        asker = Asker(port)
        while True:
            number = next(numbers)
            due = began + number / rate if rate < 10**6 else time.perf_counter()
            if due - began >= seconds:
                return
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            await asker.ask(paths[number % len(paths)])
            times.append(time.perf_counter() - due)

    await asyncio.gather(*(one() for _ in range(askers)))
    return times
