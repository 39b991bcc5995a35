"""A connection's life against a local server that goes silent, lies, refuses, or sends garbage."""

import asyncio
import json
from itertools import pairwise
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from collectors.live import session as session_module
from collectors.topics import DEAD_LETTER, LIQUIDATION, TICKER
from collectors.venues.okx import stream as okx
from collectors.venues.venue import Venue
from tests.collectors.local_venue import (
    ARGS,
    TICKER_A,
    acknowledge,
    every_session_is_accounted_for,
    live_feed,
    serve_well,
    server,
    stop,
    tick,
)  # fmt: skip

LIQUIDATION_A = b'{"topic":"allLiquidation.A","type":"snapshot","ts":1,"data":[]}'
OKX = okx.venue()


async def test_frames_are_kept_byte_for_byte_in_order_and_controls_are_not_counted() -> None:
    sent = [
        TICKER_A, LIQUIDATION_A, b'{"topic" :  "tickers.A", "data":{"a":1.0000}}', b"{broken", b"", b"\xff\xfe",
        b"null", b'{"topic":"orderbook.1.A","data":{}}', '{"topic":"tickers.Ä"}'.encode(), b"x" * 3_000_000,
    ]  # fmt: skip

    async def handler(connection: ServerConnection, _number: int) -> None:
        await acknowledge(connection)
        for payload in sent:
            await connection.send(payload, text=payload != b"\xff\xfe")
            await connection.send('{"success":true,"ret_msg":"pong","req_id":"","op":"ping"}')
        await connection.wait_closed()

    async with server(handler) as url, live_feed(url) as (live, sink):
        with every_session_is_accounted_for(sink):
            await sink.until(lambda: len(sink.data) == len(sent))
            live.stop()
            await sink.until(lambda: sink.told("stopped"))
    assert [frame.payload for frame in sink.data] == sent
    assert [frame.topic for frame in sink.data[:3]] == [TICKER, LIQUIDATION, TICKER]
    assert {(f.channel, f.symbol) for f in sink.data if f.topic == DEAD_LETTER} == {("?", "*")}
    assert all(a.recv_ns <= b.recv_ns for a, b in pairwise(sink.data))


async def test_a_feed_that_acknowledges_and_stays_silent_is_found() -> None:
    async def handler(connection: ServerConnection, number: int) -> None:
        if number > 1:
            await serve_well(connection, number)
        await acknowledge(connection)
        while True:  # the wrong channel ticks: an acknowledgement and liquidations are no sign of life
            await connection.send(LIQUIDATION_A, text=True)
            await asyncio.sleep(0.05)

    async with server(handler) as url, live_feed(url, silent_s=0.5) as (live, sink):
        with every_session_is_accounted_for(sink):
            await sink.until(lambda: sink.told("resumed"))
            await stop(live, sink)
    assert sink.told("silent")[0]["reason"].startswith("no tickers for 0.")
    assert sink.told("silent")[0]["frames"] > 0


async def test_a_half_open_connection_is_found() -> None:
    over = asyncio.Event()

    async def handler(connection: ServerConnection, number: int) -> None:
        if number > 1:
            await serve_well(connection, number)
        await acknowledge(connection)
        connection.transport.pause_reading()  # neither pings nor a close are answered any more
        await over.wait()

    async with server(handler, close_timeout=0.1) as url, live_feed(url, keepalive_s=0.3) as (live, sink):
        await sink.until(lambda: sink.told("resumed"))
        assert "keepalive" in sink.told("disconnected")[0]["reason"]
        over.set()
        await stop(live, sink)


async def test_a_venue_that_does_not_answer_its_own_ping_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collectors.live.pulse.ANSWER_S", 0.2)
    pings: list[Any] = []

    async def handler(connection: ServerConnection, _number: int) -> None:
        pings.append(await connection.recv())
        await connection.wait_closed()

    quick = OKX.heartbeat and OKX.heartbeat._replace(every_s=0.2)
    venue = Venue(**(vars(OKX) | {"heartbeat": quick}))
    async with server(handler) as url, live_feed(url, venue, args=()) as (_, sink):
        await sink.until(lambda: sink.told("silent"))
    assert pings[0] == "ping"
    assert sink.told("silent")[0]["reason"].startswith("no answer to a ping")


@pytest.mark.parametrize("lie", ["", '{"success":true,"req_id":"999","op":"subscribe"}', '{"result":null,"id":1}'])
async def test_a_request_that_is_not_acknowledged_ends_the_session(lie: str) -> None:
    async def handler(connection: ServerConnection, number: int) -> None:
        if number > 1:
            await serve_well(connection, number)
        await connection.recv()
        if lie:
            await connection.send(lie)
        await tick(connection)

    async with server(handler) as url, live_feed(url, ack_timeout_s=0.5) as (live, sink):
        await sink.until(lambda: sink.told("resumed"))
        assert sink.told("disconnected")[0]["reason"].endswith("no answer to a subscription for 0 s")
        await stop(live, sink)


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
    async with server(handler) as url, live_feed(url, args=args) as (_, sink):
        await sink.until(lambda: sink.told("subscribed"))
        assert sink.told("refused")[0]["detail"]["arguments"] == ["tickers.BAD"]
        assert sink.told("subscribed")[-1]["detail"]["arguments"] == 3


async def test_a_frame_that_is_too_big_ends_the_session_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "LARGEST_MESSAGE", 10_000)

    async def handler(connection: ServerConnection, number: int) -> None:
        if number > 1:
            await serve_well(connection, number)
        await acknowledge(connection)
        await connection.send(TICKER_A, text=True)
        await connection.send("x" * 20_000)
        await connection.wait_closed()

    async with server(handler) as url, live_feed(url) as (live, sink):
        with every_session_is_accounted_for(sink):
            await sink.until(lambda: sink.told("resumed"))
            await stop(live, sink)
    assert "1009" in sink.told("disconnected")[0]["reason"]
    assert "10000" in sink.told("disconnected")[0]["reason"]
