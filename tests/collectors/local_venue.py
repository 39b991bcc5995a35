"""A local server in a venue's place, and a live feed that connects to it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from collectors.live.feed import LiveFeed
from collectors.polls.budget import Bucket
from collectors.settings import CollectorSettings
from collectors.venues.bybit import stream as bybit
from collectors.venues.venue import Feed, Rate, Venue
from tests.collectors.sink import Frames

TICKER_A = b'{"topic":"tickers.A","type":"delta","ts":1,"data":{"symbol":"A","markPrice":"1"}}'
ARGS = ("allLiquidation.A", "tickers.A")
BYBIT = bybit.venue()
Handler = Callable[[ServerConnection, int], Awaitable[None]]


@asynccontextmanager
async def server(handler: Handler, **options: Any) -> AsyncIterator[str]:
    """Serve on loopback; the handler gets each connection and its number from 1."""
    count = 0

    async def numbered(connection: ServerConnection) -> None:
        nonlocal count
        count += 1
        with suppress(ConnectionClosed):
            await handler(connection, count)

    async with serve(numbered, "127.0.0.1", 0, max_size=None, **options) as running:
        yield f"ws://127.0.0.1:{_port(running)}"


def _port(server: Server) -> int:
    return int(next(iter(server.sockets)).getsockname()[1])


async def acknowledge(connection: ServerConnection) -> list[str]:
    """Take the next request, acknowledge it, and return its arguments."""
    async for message in connection:
        request = json.loads(message)
        if request["op"] != "ping":
            await connection.send(json.dumps({"success": True, "req_id": request["req_id"], "op": request["op"]}))
            return list(request["args"])
    raise AssertionError("the client left")


async def tick(connection: ServerConnection) -> None:
    """Send a ticker now and then for as long as the connection lasts."""
    while True:
        await connection.send(TICKER_A, text=True)
        await asyncio.sleep(0.05)


async def acknowledge_all(connection: ServerConnection) -> None:
    while True:
        await acknowledge(connection)


async def serve_well(connection: ServerConnection, _number: int) -> None:
    await acknowledge(connection)
    answering = asyncio.create_task(acknowledge_all(connection))
    try:
        await tick(connection)
    finally:
        answering.cancel()


def settings(**changes: Any) -> CollectorSettings:
    quick = {"silent_s": 5.0, "first_delay_s": 0.02, "ack_timeout_s": 5.0, "close_timeout_s": 1.0}
    return CollectorSettings(**(quick | changes))


@asynccontextmanager
async def live_feed(url: str, venue: Venue = BYBIT, args: tuple[str, ...] = ARGS, **changes: Any) -> AsyncIterator[Any]:
    """Run a live feed; yields it with the frames it publishes."""
    sink = Frames()
    live = LiveFeed(venue, Feed("linear", url, args), sink, settings(**changes), Bucket(Rate(10_000, 1.0)))
    running = asyncio.create_task(live.run())
    try:
        yield live, sink
    finally:
        live.stop()
        async with asyncio.timeout(60):
            await running


@contextmanager
def every_session_is_accounted_for(sink: Frames) -> Iterator[None]:
    """After the block each session's frames are numbered from 1 without gap and its last event tells how many."""
    yield
    for session in {event["session"] for event in sink.events}:
        numbers = [frame.seq for frame in sink.data if frame.session == session]
        last = [event for event in sink.events if event["session"] == session][-1]
        assert numbers == list(range(1, len(numbers) + 1))
        assert last["event"] in ("disconnected", "stopped")
        assert last["frames"] == len(numbers)


async def stop(live: LiveFeed, sink: Frames) -> None:
    """Stop, and wait until each session has told its end."""
    live.stop()
    await sink.until(lambda: set(_last_events(sink).values()) <= {"stopped", "disconnected"})


def _last_events(sink: Frames) -> dict[str, str]:
    return {event["session"]: event["event"] for event in sink.events}
