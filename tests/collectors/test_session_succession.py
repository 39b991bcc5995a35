"""What follows a session: reconnect with backoff, rollover with overlap, the stop; and what changes while it lives."""

import asyncio
import json
from http import HTTPStatus
from itertools import pairwise
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from collectors.live import feed as feed_module
from collectors.live.feed import LiveFeed
from collectors.retry import FATAL_DELAY_S
from collectors.venues.okx import stream as okx
from collectors.venues.venue import Feed
from tests.collectors.local_venue import (
    ARGS,
    TICKER_A,
    acknowledge,
    acknowledge_all,
    every_session_is_accounted_for,
    live_feed,
    serve_well,
    server,
    stop,
    tick,
)  # fmt: skip

LIQUIDATION_A = b'{"topic":"allLiquidation.A","type":"snapshot","ts":1,"data":[]}'
OKX = okx.venue()


async def test_a_dropped_connection_is_opened_again_as_a_new_session() -> None:
    async def handler(connection: ServerConnection, number: int) -> None:
        if number == 1:
            await acknowledge(connection)
            await connection.send(TICKER_A, text=True)
            connection.transport.abort()
        else:
            await serve_well(connection, number)

    async with server(handler) as url, live_feed(url) as (live, sink):
        with every_session_is_accounted_for(sink):
            await sink.until(lambda: sink.told("resumed"))
            (lost,), (resumed,) = sink.told("disconnected"), sink.told("resumed")
            assert lost["reason"].startswith("connection lost")
            assert resumed["detail"]["after"] == lost["session"] != resumed["session"]
            await stop(live, sink)


async def test_symbols_listed_later_are_subscribed_on_the_open_connection() -> None:
    asked: list[str] = []

    async def handler(connection: ServerConnection, _number: int) -> None:
        ticking = asyncio.create_task(tick(connection))
        try:
            while True:
                asked.extend(await acknowledge(connection))
        finally:
            ticking.cancel()

    async with server(handler) as url, live_feed(url) as (live, sink):
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
        await acknowledge(connection)
        opened.append(connection)
        answering = asyncio.create_task(acknowledge_all(connection))
        try:
            await tick(connection)
        finally:
            answering.cancel()
            subscribed_when_closed.append(len(opened) - number)

    async with server(handler) as url, live_feed(url, lifetime_s=0.8) as (live, sink):
        with every_session_is_accounted_for(sink):
            await sink.until(lambda: len(sink.told("rolled_over")) == 2)
            await stop(live, sink)
    assert subscribed_when_closed[0] >= 1, "the next was subscribed before the first was closed"
    first, second = (event["session"] for event in sink.told("rolled_over"))
    times = {s: [f.recv_ns for f in sink.data if f.session == s] for s in (first, second)}
    assert times[first][-1] > times[second][0], "both published for a while"


async def test_the_old_session_goes_on_when_its_successor_brings_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "TAKE_OVER_S", 0.5)
    monkeypatch.setattr(feed_module, "NEXT_ATTEMPT_S", 0.1)

    async def handler(connection: ServerConnection, number: int) -> None:
        if number == 2:
            await acknowledge(connection)
            await connection.wait_closed()
        await serve_well(connection, number)

    async with server(handler) as url, live_feed(url, lifetime_s=0.8) as (live, sink):
        with every_session_is_accounted_for(sink):
            await sink.until(lambda: sink.told("rolled_over"))
            await stop(live, sink)
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

    async with server(handler) as url, live_feed(url, OKX, args=("mark-price:A",)) as (live, sink):
        await sink.until(lambda: sink.told("rolled_over"))
        assert sink.told("notice")[0]["reason"].startswith("64008")
        await sink.until(lambda: sink.told("disconnected"))
        await stop(live, sink)


async def test_stopping_unsubscribes_and_keeps_what_is_still_on_its_way() -> None:
    left: list[str] = []

    async def handler(connection: ServerConnection, _number: int) -> None:
        await acknowledge(connection)
        await connection.send(TICKER_A, text=True)
        left.extend(json.loads(await connection.recv())["args"])
        for _ in range(500):
            await connection.send(LIQUIDATION_A, text=True)
        await connection.wait_closed()

    async with server(handler) as url, live_feed(url) as (live, sink):
        with every_session_is_accounted_for(sink):
            await sink.until(lambda: sink.data and sink.told("subscribed"))
            await stop(live, sink)
    assert sorted(left) == sorted(ARGS)
    assert sink.told("stopped")[0]["frames"] == len(sink.data)


async def test_a_venue_that_cannot_be_reached_is_tried_with_growing_delays() -> None:
    refused: list[float] = []

    def refuse(connection: ServerConnection, _request: Any) -> Any:
        refused.append(asyncio.get_running_loop().time())
        return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "later\n") if len(refused) < 6 else None

    async with server(serve_well, process_request=refuse) as url, live_feed(url, first_delay_s=0.1) as (live, sink):
        with every_session_is_accounted_for(sink):
            await sink.until(lambda: sink.told("resumed"))
            await stop(live, sink)
    waits = [b - a for a, b in pairwise(refused)]
    limits = [0.1 * 2**i for i in range(len(waits))]
    assert all(wait >= limit / 2 for wait, limit in zip(waits, limits, strict=True))
    assert "HTTP 503" in sink.told("disconnected")[0]["reason"]


async def test_a_fatal_refusal_is_not_hammered(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    pause = LiveFeed._pause

    async def told(self: LiveFeed, seconds: float) -> None:
        pauses.append(seconds)
        await pause(self, seconds)

    def refuse(connection: ServerConnection, _request: Any) -> Any:
        return connection.respond(HTTPStatus.NOT_FOUND, "no such path\n")

    monkeypatch.setattr(LiveFeed, "_pause", told)
    async with server(serve_well, process_request=refuse) as url, live_feed(url) as (_, sink):
        await sink.until(lambda: sink.told("disconnected"))
    assert pauses == [FATAL_DELAY_S]
    assert "HTTP 404" in sink.told("disconnected")[0]["reason"]
