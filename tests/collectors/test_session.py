"""A connection's life against a local server that drops it, goes silent, lies, refuses, or sends garbage."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from http import HTTPStatus
from itertools import pairwise
from typing import Any

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from collectors import feed as feed_module
from collectors import session as session_module
from collectors.budget import Bucket
from collectors.feed import LiveFeed
from collectors.settings import CollectorSettings
from collectors.topics import DEAD_LETTER, LIQUIDATION, TICKER
from collectors.venues import bybit, okx
from collectors.venues.venue import Feed, Rate, Venue
from tests.collectors.sink import Frames

TICKER_A = b'{"topic":"tickers.A","type":"delta","ts":1,"data":{"symbol":"A","markPrice":"1"}}'
LIQUIDATION_A = b'{"topic":"allLiquidation.A","type":"snapshot","ts":1,"data":[]}'
ARGS = ("allLiquidation.A", "tickers.A")
BYBIT, OKX = bybit.venue(), okx.venue()
Handler = Callable[[ServerConnection, int], Awaitable[None]]


@asynccontextmanager
async def _server(handler: Handler, **options: Any) -> AsyncIterator[str]:
    """Serve on loopback; the handler gets each connection and its number from 1."""
    count = 0

    async def numbered(connection: ServerConnection) -> None:
        nonlocal count
        count += 1
        with suppress(ConnectionClosed):
            await handler(connection, count)

    async with serve(numbered, "127.0.0.1", 0, max_size=None, **options) as server:
        yield f"ws://127.0.0.1:{_port(server)}"


def _port(server: Server) -> int:
    return int(next(iter(server.sockets)).getsockname()[1])


async def _ack(connection: ServerConnection) -> list[str]:
    """Take the next request, acknowledge it, and return its arguments."""
    async for message in connection:
        request = json.loads(message)
        if request["op"] != "ping":
            await connection.send(json.dumps({"success": True, "req_id": request["req_id"], "op": request["op"]}))
            return list(request["args"])
    raise AssertionError("the client left")


async def _tick(connection: ServerConnection) -> None:
    """Send a ticker now and then for as long as the connection lasts."""
    while True:
        await connection.send(TICKER_A, text=True)
        await asyncio.sleep(0.05)


async def _acknowledge_all(connection: ServerConnection) -> None:
    while True:
        await _ack(connection)


async def _serve_well(connection: ServerConnection, _number: int) -> None:
    await _ack(connection)
    answering = asyncio.create_task(_acknowledge_all(connection))
    try:
        await _tick(connection)
    finally:
        answering.cancel()


def _settings(**changes: Any) -> CollectorSettings:
    quick = {"silent_s": 5.0, "first_delay_s": 0.02, "ack_timeout_s": 5.0, "close_timeout_s": 1.0}
    return CollectorSettings(**(quick | changes))


@asynccontextmanager
async def _live(url: str, venue: Venue = BYBIT, args: tuple[str, ...] = ARGS, **changes: Any) -> AsyncIterator[Any]:
    """Run a live feed; yields it with the frames it publishes."""
    sink = Frames()
    live = LiveFeed(venue, Feed("linear", url, args), sink, _settings(**changes), Bucket(Rate(10_000, 1.0)))
    running = asyncio.create_task(live.run())
    try:
        yield live, sink
    finally:
        live.stop()
        async with asyncio.timeout(20):
            await running


@contextmanager
def _every_session_is_accounted_for(sink: Frames) -> Iterator[None]:
    """After the block each session's frames are numbered from 1 without gap and its last event tells how many."""
    yield
    for session in {event["session"] for event in sink.events}:
        numbers = [frame.seq for frame in sink.data if frame.session == session]
        last = [event for event in sink.events if event["session"] == session][-1]
        assert numbers == list(range(1, len(numbers) + 1))
        assert last["event"] in ("disconnected", "stopped")
        assert last["frames"] == len(numbers)


async def test_frames_are_kept_byte_for_byte_in_order_and_controls_are_not_counted() -> None:
    sent = [
        TICKER_A, LIQUIDATION_A, b'{"topic" :  "tickers.A", "data":{"a":1.0000}}', b"{broken", b"", b"\xff\xfe",
        b"null", b'{"topic":"orderbook.1.A","data":{}}', '{"topic":"tickers.Ä"}'.encode(), b"x" * 3_000_000,
    ]  # fmt: skip

    async def handler(connection: ServerConnection, _number: int) -> None:
        await _ack(connection)
        for payload in sent:
            await connection.send(payload, text=payload != b"\xff\xfe")
            await connection.send('{"success":true,"ret_msg":"pong","req_id":"","op":"ping"}')
        await connection.wait_closed()

    async with _server(handler) as url, _live(url) as (live, sink):
        with _every_session_is_accounted_for(sink):
            await sink.until(lambda: len(sink.data) == len(sent))
            live.stop()
            await sink.until(lambda: sink.told("stopped"))
    assert [frame.payload for frame in sink.data] == sent
    assert [frame.topic for frame in sink.data[:3]] == [TICKER, LIQUIDATION, TICKER]
    assert {(f.channel, f.symbol) for f in sink.data if f.topic == DEAD_LETTER} == {("?", "*")}
    assert all(a.recv_ns <= b.recv_ns for a, b in pairwise(sink.data))


async def test_a_dropped_connection_is_opened_again_as_a_new_session() -> None:
    async def handler(connection: ServerConnection, number: int) -> None:
        if number == 1:
            await _ack(connection)
            await connection.send(TICKER_A, text=True)
            connection.transport.abort()
        else:
            await _serve_well(connection, number)

    async with _server(handler) as url, _live(url) as (live, sink):
        with _every_session_is_accounted_for(sink):
            await sink.until(lambda: sink.told("resumed"))
            (lost,), (resumed,) = sink.told("disconnected"), sink.told("resumed")
            assert lost["reason"].startswith("connection lost")
            assert resumed["detail"]["after"] == lost["session"] != resumed["session"]
            await _stop(live, sink)


async def _stop(live: LiveFeed, sink: Frames) -> None:
    """Stop, and wait until each session has told its end."""
    live.stop()
    await sink.until(lambda: set(_last_events(sink).values()) <= {"stopped", "disconnected"})


def _last_events(sink: Frames) -> dict[str, str]:
    return {event["session"]: event["event"] for event in sink.events}


async def test_a_feed_that_acknowledges_and_stays_silent_is_found() -> None:
    async def handler(connection: ServerConnection, number: int) -> None:
        if number > 1:
            await _serve_well(connection, number)
        await _ack(connection)
        while True:  # the wrong channel ticks: an acknowledgement and liquidations are no sign of life
            await connection.send(LIQUIDATION_A, text=True)
            await asyncio.sleep(0.05)

    async with _server(handler) as url, _live(url, silent_s=0.5) as (live, sink):
        with _every_session_is_accounted_for(sink):
            await sink.until(lambda: sink.told("resumed"))
            await _stop(live, sink)
    assert sink.told("silent")[0]["reason"].startswith("no tickers for 0.")
    assert sink.told("silent")[0]["frames"] > 0


async def test_a_half_open_connection_is_found() -> None:
    over = asyncio.Event()

    async def handler(connection: ServerConnection, number: int) -> None:
        if number > 1:
            await _serve_well(connection, number)
        await _ack(connection)
        connection.transport.pause_reading()  # neither pings nor a close are answered any more
        await over.wait()

    async with _server(handler, close_timeout=0.1) as url, _live(url, keepalive_s=0.3) as (live, sink):
        await sink.until(lambda: sink.told("resumed"))
        assert "keepalive" in sink.told("disconnected")[0]["reason"]
        over.set()
        await _stop(live, sink)


async def test_a_venue_that_does_not_answer_its_own_ping_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collectors.pulse.ANSWER_S", 0.2)
    pings: list[Any] = []

    async def handler(connection: ServerConnection, _number: int) -> None:
        pings.append(await connection.recv())
        await connection.wait_closed()

    quick = OKX.heartbeat and OKX.heartbeat._replace(every_s=0.2)
    venue = Venue(**(vars(OKX) | {"heartbeat": quick}))
    async with _server(handler) as url, _live(url, venue, args=()) as (_, sink):
        await sink.until(lambda: sink.told("silent"))
    assert pings[0] == "ping"
    assert sink.told("silent")[0]["reason"].startswith("no answer to a ping")


@pytest.mark.parametrize("lie", ["", '{"success":true,"req_id":"999","op":"subscribe"}', '{"result":null,"id":1}'])
async def test_a_request_that_is_not_acknowledged_ends_the_session(lie: str) -> None:
    async def handler(connection: ServerConnection, number: int) -> None:
        if number > 1:
            await _serve_well(connection, number)
        await connection.recv()
        if lie:
            await connection.send(lie)
        await _tick(connection)

    async with _server(handler) as url, _live(url, ack_timeout_s=0.5) as (live, sink):
        await sink.until(lambda: sink.told("resumed"))
        assert sink.told("disconnected")[0]["reason"].endswith("no answer to a subscription for 0 s")
        await _stop(live, sink)


async def test_a_refused_topic_is_told_and_the_others_are_subscribed() -> None:
    async def handler(connection: ServerConnection, _number: int) -> None:
        async for message in connection:
            request = json.loads(message)
            good = "tickers.BAD" not in request.get("args", ())
            await connection.send(
                json.dumps({"success": good, "ret_msg": "no", "req_id": request["req_id"], "op": "s"})
            )
            if good:
                await connection.send(TICKER_A, text=True)

    args = (*ARGS, "tickers.BAD", "tickers.B")
    async with _server(handler) as url, _live(url, args=args) as (_, sink):
        await sink.until(lambda: sink.told("subscribed"))
        assert sink.told("refused")[0]["detail"]["arguments"] == ["tickers.BAD"]
        assert sink.told("subscribed")[-1]["detail"]["arguments"] == 3


async def test_symbols_listed_later_are_subscribed_on_the_open_connection() -> None:
    asked: list[str] = []

    async def handler(connection: ServerConnection, _number: int) -> None:
        ticking = asyncio.create_task(_tick(connection))
        try:
            while True:
                asked.extend(await _ack(connection))
        finally:
            ticking.cancel()

    async with _server(handler) as url, _live(url) as (live, sink):
        await sink.until(lambda: sink.told("subscribed"))
        live.want(Feed("linear", url, (*ARGS, "tickers.NEW")))
        await sink.until(lambda: "tickers.NEW" in asked)
        live.want(Feed("linear", url, ARGS))
        await sink.until(lambda: asked.count("tickers.NEW") == 2)
    assert len({event["session"] for event in sink.events}) == 1


async def test_a_rollover_overlaps_and_both_sessions_publish() -> None:
    opened: list[ServerConnection] = []
    subscribed_when_closed: list[int] = []

    async def handler(connection: ServerConnection, number: int) -> None:
        await _ack(connection)
        opened.append(connection)
        answering = asyncio.create_task(_acknowledge_all(connection))
        try:
            await _tick(connection)
        finally:
            answering.cancel()
            subscribed_when_closed.append(len(opened) - number)

    async with _server(handler) as url, _live(url, lifetime_s=0.8) as (live, sink):
        with _every_session_is_accounted_for(sink):
            await sink.until(lambda: len(sink.told("rolled_over")) == 2)
            await _stop(live, sink)
    assert subscribed_when_closed[0] >= 1, "the next was subscribed before the first was closed"
    first, second = (event["session"] for event in sink.told("rolled_over"))
    times = {s: [f.recv_ns for f in sink.data if f.session == s] for s in (first, second)}
    assert times[first][-1] > times[second][0], "both published for a while"


async def test_the_old_session_goes_on_when_its_successor_brings_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "TAKE_OVER_S", 0.5)
    monkeypatch.setattr(feed_module, "NEXT_ATTEMPT_S", 0.1)

    async def handler(connection: ServerConnection, number: int) -> None:
        if number == 2:
            await _ack(connection)
            await connection.wait_closed()
        await _serve_well(connection, number)

    async with _server(handler) as url, _live(url, lifetime_s=0.8) as (live, sink):
        with _every_session_is_accounted_for(sink):
            await sink.until(lambda: sink.told("rolled_over"))
            await _stop(live, sink)
    rolled = sink.told("rolled_over")[0]["session"]
    assert rolled == sink.told("connected")[0]["session"], "the first lived until the third brought data"
    assert sink.told("stopped")[0]["frames"] == 0, "the second was given up"


async def test_an_announced_close_is_rolled_over_before_it_happens() -> None:
    notice = '{"event":"notice","code":"64008","msg":"The connection will soon be closed for a service upgrade."}'

    async def handler(connection: ServerConnection, number: int) -> None:
        request = json.loads(await connection.recv())
        for arg in request["args"]:
            await connection.send(json.dumps({"id": request["id"], "event": "subscribe", "arg": arg}))
            await connection.send(json.dumps({"arg": arg, "data": []}))
        if number == 1:
            await connection.send(notice)
        await connection.wait_closed()

    async with _server(handler) as url, _live(url, OKX, args=("mark-price:A",)) as (live, sink):
        await sink.until(lambda: sink.told("rolled_over"))
        assert sink.told("notice")[0]["reason"].startswith("64008")
        await sink.until(lambda: sink.told("disconnected"))
        await _stop(live, sink)


async def test_a_frame_that_is_too_big_ends_the_session_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "LARGEST_MESSAGE", 10_000)

    async def handler(connection: ServerConnection, number: int) -> None:
        if number > 1:
            await _serve_well(connection, number)
        await _ack(connection)
        await connection.send(TICKER_A, text=True)
        await connection.send("x" * 20_000)
        await connection.wait_closed()

    async with _server(handler) as url, _live(url) as (live, sink):
        with _every_session_is_accounted_for(sink):
            await sink.until(lambda: sink.told("resumed"))
            await _stop(live, sink)
    assert "1009" in sink.told("disconnected")[0]["reason"]
    assert "10000" in sink.told("disconnected")[0]["reason"]


async def test_stopping_unsubscribes_and_keeps_what_is_still_on_its_way() -> None:
    left: list[str] = []

    async def handler(connection: ServerConnection, _number: int) -> None:
        await _ack(connection)
        await connection.send(TICKER_A, text=True)
        left.extend(json.loads(await connection.recv())["args"])
        for _ in range(500):
            await connection.send(LIQUIDATION_A, text=True)
        await connection.wait_closed()

    async with _server(handler) as url, _live(url) as (live, sink):
        with _every_session_is_accounted_for(sink):
            await sink.until(lambda: sink.data and sink.told("subscribed"))
            await _stop(live, sink)
    assert sorted(left) == sorted(ARGS)
    assert sink.told("stopped")[0]["frames"] == len(sink.data)


async def test_reading_waits_while_the_sink_is_full_and_that_is_not_silence() -> None:
    sent = 0

    async def handler(connection: ServerConnection, _number: int) -> None:
        nonlocal sent
        await _ack(connection)
        while sent < 20_000:
            await connection.send(b'{"topic":"tickers.A","n":%d,"pad":"%s"}' % (sent, b"x" * 1000), text=True)
            sent += 1
        await connection.wait_closed()

    async with _server(handler) as url, _live(url, silent_s=0.4) as (live, sink):
        with _every_session_is_accounted_for(sink):
            await sink.until(lambda: sink.data)
            sink.full = True
            await sink.until(lambda: sink.told("notice"))
            held = len(sink.data)
            await asyncio.sleep(1.0)  # longer than the silence that is allowed
            assert len(sink.data) == held
            sink.empty()
            await sink.until(lambda: len(sink.data) == 20_000)
            await _stop(live, sink)
    assert not sink.told("silent") or sink.told("silent")[0]["frames"] == 20_000
    numbers = [json.loads(frame.payload)["n"] for frame in sink.data]
    assert numbers == list(range(20_000)), "nothing was lost while reading waited"


async def test_a_venue_that_cannot_be_reached_is_tried_with_growing_delays() -> None:
    refused: list[float] = []

    def refuse(connection: ServerConnection, _request: Any) -> Any:
        refused.append(asyncio.get_running_loop().time())
        return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "later\n") if len(refused) < 6 else None

    async with _server(_serve_well, process_request=refuse) as url, _live(url, first_delay_s=0.1) as (live, sink):
        with _every_session_is_accounted_for(sink):
            await sink.until(lambda: sink.told("resumed"))
            await _stop(live, sink)
    waits = [b - a for a, b in pairwise(refused)]
    limits = [0.1 * 2**i for i in range(len(waits))]
    assert all(wait >= limit / 2 for wait, limit in zip(waits, limits, strict=True))
    assert "HTTP 503" in sink.told("disconnected")[0]["reason"]


async def test_a_fatal_refusal_is_not_hammered(monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = 0

    def refuse(connection: ServerConnection, _request: Any) -> Any:
        nonlocal attempts
        attempts += 1
        return connection.respond(HTTPStatus.NOT_FOUND, "no such path\n")

    async with _server(_serve_well, process_request=refuse) as url, _live(url) as (_, sink):
        await sink.until(lambda: sink.told("disconnected"))
        await asyncio.sleep(0.5)  # many times the first delay
    assert attempts == 1
