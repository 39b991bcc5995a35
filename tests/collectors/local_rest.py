"""A local HTTP server in a venue's place, and a poller that asks it."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from collectors.polls.poller import Poller
from collectors.settings import CollectorSettings
from collectors.venues.binance import stream as binance
from collectors.venues.venue import Venue
from tests.collectors.sink import Frames

OI = b'{"symbol":"%s",  "openInterest":"1.50", "time":1}'


class Request(NamedTuple):
    path: str
    params: dict[str, str]
    at: float


class Reply(NamedTuple):
    body: bytes
    status: int = 200
    headers: dict[str, str] = {}  # noqa: RUF012 never changed
    after_s: float = 0.0


Answering = Callable[[Request], Reply]


class Server(ThreadingHTTPServer):
    request_queue_size = 128  # a connection that finds the queue full tries again after a second


@contextmanager
def server(answering: Answering) -> Iterator[tuple[str, list[Request]]]:
    seen: list[Request] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            request = Request(parts.path, dict(parse_qsl(parts.query)), time.monotonic())
            seen.append(request)
            reply = answering(request)
            time.sleep(reply.after_s)
            (self.send_response_only if "Date" in reply.headers else self.send_response)(reply.status)
            for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *args: Any) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign] # clients that gave up are part of the tests
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@asynccontextmanager
async def polling(venue: Venue, **changes: Any) -> AsyncIterator[tuple[Frames, dict[str, list[str]]]]:
    sink, listed = Frames(), dict[str, list[str]]()

    def keep(group: str, items: Any) -> None:
        listed[group] = [item.symbol for item in items]

    poller = Poller(venue, sink, CollectorSettings(**changes), keep)
    running = asyncio.create_task(poller.run())
    try:
        yield sink, listed
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        numbers = [frame.seq for frame in sink.data]
        assert numbers == list(range(1, len(numbers) + 1))
        assert (sink.events[-1]["event"], sink.events[-1]["frames"]) == ("stopped", len(numbers))


def binance_at(url: str) -> Venue:
    return binance.venue(binance.Hosts(um_rest=url, cm_rest=url))


def info(*symbols: str) -> bytes:
    return json.dumps(
        {"symbols": [{"symbol": s, "status": "TRADING", "contractType": "PERPETUAL"} for s in symbols]}
    ).encode()


def exchange(request: Request) -> Reply:
    if request.path.endswith("exchangeInfo"):
        return Reply(info("AUSDT", "BUSDT", "CUSDT", "DUSDT") if "fapi" in request.path else info("AUSD_PERP"))
    if request.path.endswith("openInterest"):
        return Reply(OI % request.params["symbol"].encode(), headers={"X-MBX-USED-WEIGHT-1M": "7"})
    return Reply(b"[]")
