"""A host that is asked by POST, as a venue's is whose requests are all of one address: HTTP alone, no WebSocket."""

import asyncio
import time
from contextlib import suppress
from http import HTTPStatus

from collectors.simulator.host import Answer, Asked, Host

LONGEST_S = 30.0


class PostHost(Host):
    """Serves a protocol whose `answer` gets a request's body as the query's `body`."""

    async def start(self, port: int = 0) -> None:
        """Listen; port 0 takes any free one. Raises OSError where the port is taken."""
        self._listening = await asyncio.start_server(self._asked, "127.0.0.1", port)
        self.port = self._listening.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port."""
        self._listening.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._listening.wait_closed(), 1.0)

    async def _asked(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, ValueError, asyncio.IncompleteReadError, TimeoutError):
            async with asyncio.timeout(LONGEST_S):
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                writer.write(_written(self._answered(head[0].split(" ")[1], body.decode())))
                await writer.drain()
        writer.close()

    def _answered(self, path: str, body: str) -> Answer:
        now = time.monotonic()
        kind = self.faults.take(now, self.protocol.http_kinds, self.protocol.venue, path)
        answer = self.protocol.misbehave(kind) if kind else self.protocol.answer(path, {"body": body})
        self.asked.append(Asked(now, path, answer.status))
        self.statuses[answer.status] += 1
        return answer


def _written(answer: Answer) -> bytes:
    own = [f"{name}: {value}" for name, value in answer.headers]
    lines = [
        f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}", "Content-Type: application/json",
        f"Content-Length: {len(answer.body)}", "Connection: close", *own, "", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode() + answer.body
