"""What one venue asks of a connection and others do not: pings that it wants answered, packed messages, headers."""

import asyncio
import gzip
from dataclasses import replace

import pytest
from websockets.asyncio.server import ServerConnection

from collectors.live.feed import LiveFeed
from collectors.polls.budget import Bucket
from collectors.topics import DEAD_LETTER, MAX_FRAME_BYTES
from collectors.venues.packed import gunzip
from collectors.venues.venue import PINGS, Control, Feed, Frame, Liveness, Rate
from tests.collectors.local_venue import ARGS, BYBIT, TICKER_A, acknowledge, live_feed, server, settings
from tests.collectors.sink import Frames


def classify(payload: bytes) -> Frame | Control | None:
    """Read Bybit's messages, and pings that are answered with what is behind the blank."""
    if payload.startswith(b"ping "):
        return Control("ping", detail=f"pong {payload[5:].decode()}")
    return BYBIT.classify(payload)


PINGING = replace(BYBIT, classify=classify, liveness=Liveness(PINGS, "", silent_s=5.0))


async def test_a_ping_of_the_venues_own_is_answered_with_what_it_says() -> None:
    answers: asyncio.Queue[str | bytes] = asyncio.Queue()

    async def handler(connection: ServerConnection, _number: int) -> None:
        await acknowledge(connection)
        for number in range(3):
            await connection.send(f"ping {number}")
            await answers.put(await connection.recv())
        await connection.wait_closed()

    async with server(handler) as url, live_feed(url, PINGING) as (_, sink):
        found = [await asyncio.wait_for(answers.get(), 20) for _ in range(3)]
    assert found == ["pong 0", "pong 1", "pong 2"]
    assert sink.data == []


@pytest.mark.parametrize("silent_s", [0.5])
async def test_a_socket_that_brings_no_ping_where_it_must_is_replaced(silent_s: float) -> None:
    async def handler(connection: ServerConnection, _number: int) -> None:
        await acknowledge(connection)
        while True:
            await connection.send(TICKER_A)
            await asyncio.sleep(0.05)

    async with server(handler) as url, live_feed(url, PINGING, silent_s=silent_s) as (_, sink):
        await sink.until(lambda: sink.told("silent"))
    assert "no ping for" in sink.told("silent")[0]["reason"]


async def test_the_first_data_may_acknowledge_a_subscription_and_is_kept() -> None:
    def by_data(payload: bytes) -> Frame | Control | None:
        name = BYBIT.classify(payload)
        return name._replace(acks=f"tickers.{name.symbol}") if isinstance(name, Frame) else name

    async def handler(connection: ServerConnection, _number: int) -> None:
        await connection.recv()
        await connection.send(TICKER_A)
        await connection.wait_closed()

    async with server(handler) as url, live_feed(url, replace(BYBIT, classify=by_data), args=ARGS[1:]) as (_, sink):
        await sink.until(lambda: sink.told("subscribed"))
    assert [frame.payload for frame in sink.data] == [TICKER_A]
    assert sink.told("refused") == []


async def test_what_is_packed_is_unpacked_and_what_is_not_stays_as_it_came() -> None:
    packed = gzip.compress(TICKER_A)
    sent = [packed, TICKER_A, packed[:-9], packed + b"more"]

    async def handler(connection: ServerConnection, _number: int) -> None:
        await acknowledge(connection)
        for payload in sent:
            await connection.send(payload)
        await connection.wait_closed()

    async with server(handler) as url, live_feed(url, replace(BYBIT, unpack=gunzip)) as (_, sink):
        await sink.until(lambda: len(sink.data) == len(sent))
    assert [frame.payload for frame in sink.data] == [TICKER_A, TICKER_A, packed[:-9], packed + b"more"]
    assert [frame.topic == DEAD_LETTER for frame in sink.data] == [False, False, True, True]


def test_a_message_that_unpacks_to_more_than_a_frame_stays_packed() -> None:
    bomb = gzip.compress(bytes(MAX_FRAME_BYTES + 1))
    assert gunzip(bomb) == bomb


async def test_the_handshake_has_the_feeds_headers() -> None:
    seen: list[str | None] = []

    async def handler(connection: ServerConnection, _number: int) -> None:
        seen.append(connection.request.headers.get("X-Decimals") if connection.request else None)
        await acknowledge(connection)
        await connection.send(TICKER_A)
        await connection.wait_closed()

    async with server(handler) as url:
        sink = Frames()
        feed = Feed("linear", url, ARGS, headers=(("X-Decimals", "1"),))
        live = LiveFeed(BYBIT, feed, sink, settings(), Bucket(Rate(100, 1.0)))
        running = asyncio.create_task(live.run())
        await sink.until(lambda: bool(sink.data))
        live.stop()
        await asyncio.wait_for(running, 30)
    assert seen == ["1"]
