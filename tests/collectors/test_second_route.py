"""A second socket beside one whose liquidations are silent, and a rollover that fails while the old line dies."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from collectors.live import feed as feed_module
from collectors.live import second as second_module
from collectors.live.ears import Ear, Ears
from collectors.live.feed import LiveFeed
from collectors.live.second import Route
from collectors.polls.budget import Bucket
from collectors.venues.binance import stream as binance
from collectors.venues.venue import Feed, Rate
from tests.collectors.local_venue import (
    ARGS,
    BYBIT,
    TICKER_A,
    acknowledge,
    acknowledge_all,
    every_session_is_accounted_for,
    live_feed,
    serve_well,
    server,
    settings,
    stop,
    tick,
)  # fmt: skip
from tests.collectors.sink import Frames

LIQUIDATION_A = b'{"topic":"allLiquidation.A","type":"snapshot","ts":1,"data":[]}'
CHANNEL = "allLiquidation"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(second_module, "LISTEN_S", 0.02)
    monkeypatch.setattr(feed_module, "LISTEN_S", 0.02)
    monkeypatch.setattr(second_module, "PROOF_S", 0.1)
    return


class _Suspicious(Ears):
    """Ears by which a feed is suspect once a test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.suspects = False

    def open(self, venue: str, now: float) -> Ear:
        ear = super().open(venue, now)
        ear.is_suspect = lambda now, below: self.suspects  # type: ignore[method-assign]
        return ear


@asynccontextmanager
async def _feed(url: str, *routes: str, args: tuple[str, ...] = ARGS, **changes: Any) -> AsyncIterator[Any]:
    sink, ears = Frames(), _Suspicious()
    feed = Feed("linear", url, args, routes=routes)
    live = LiveFeed(BYBIT, feed, sink, settings(**changes), Bucket(Rate(10_000, 1.0)), ears)
    running = asyncio.create_task(live.run())
    try:
        yield live, sink, ears
    finally:
        live.stop()
        async with asyncio.timeout(60):
            await running


async def _liquidate(connection: ServerConnection) -> None:
    while True:
        await connection.send(LIQUIDATION_A, text=True)
        await asyncio.sleep(0.02)


async def _deaf(connection: ServerConnection, number: int) -> None:
    """Tick, and bring no liquidation."""
    await serve_well(connection, number)


async def _lively(connection: ServerConnection, number: int) -> None:
    """Tick, and bring liquidations."""
    bringing: asyncio.Task[None] | None = None
    await acknowledge(connection)
    answering = asyncio.create_task(acknowledge_all(connection))
    bringing = asyncio.create_task(_liquidate(connection))
    try:
        await tick(connection)
    finally:
        answering.cancel()
        bringing.cancel()


async def test_where_a_second_route_brings_liquidations_the_first_is_given_up_and_both_are_recorded() -> None:
    async with server(_deaf) as url, server(_lively) as other, _feed(url, other) as (live, sink, ears):
        with every_session_is_accounted_for(sink):
            await sink.until(lambda: sink.told("subscribed") and sink.data)
            ears.suspects = True
            await sink.until(lambda: sink.told("second_route"))
            ears.suspects = False
            await sink.until(lambda: sink.told("rolled_over"))
            await sink.until(lambda: CHANNEL in live.heard)
            await stop(live, sink)
    first, second = (event["session"] for event in sink.told("connected"))
    (suspect,), (opened,), (silent,) = sink.told("suspect"), sink.told("second_route"), sink.told("silent")
    (again,) = sink.told("heard_again")
    assert (suspect["session"], opened["session"], silent["session"], again["session"]) == (
        first,
        second,
        first,
        second,
    )
    assert suspect["detail"]["channel"] == silent["detail"]["channel"] == CHANNEL
    assert opened["detail"]["url"] == other
    assert 0 < silent["detail"]["ago_s"] < 60
    assert {frame.session for frame in sink.data if frame.channel == CHANNEL} == {second}
    order = [event["event"] for event in sink.events]
    assert order.index("second_route") < order.index("silent") < order.index("rolled_over")


async def test_a_channel_that_is_heard_again_keeps_its_first_socket() -> None:
    brings = asyncio.Event()

    async def handler(connection: ServerConnection, number: int) -> None:
        if number == 1:
            await acknowledge(connection)
            answering = asyncio.create_task(acknowledge_all(connection))
            ticking = asyncio.create_task(tick(connection))
            try:
                await brings.wait()
                await _liquidate(connection)
            finally:
                answering.cancel()
                ticking.cancel()
        await _deaf(connection, number)

    async with server(handler) as url, _feed(url) as (live, sink, ears):
        with every_session_is_accounted_for(sink):
            await sink.until(lambda: sink.told("subscribed"))
            ears.suspects = True
            await sink.until(lambda: sink.told("second_route"))
            ears.suspects = False
            brings.set()
            await sink.until(lambda: sink.told("stopped"))
            await stop(live, sink)
    first, second = (event["session"] for event in sink.told("connected"))
    assert [event["session"] for event in sink.told("heard_again")] == [first]
    assert sink.told("stopped")[0]["session"] == second
    assert sink.told("silent") == []


async def test_where_neither_brings_anything_the_first_goes_on_and_the_next_route_is_tried_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(second_module, "TRY_S", 0.3)
    async with server(_deaf) as url, server(_deaf) as other, server(_deaf) as third, _feed(url, other, third) as fed:
        live, sink, ears = fed
        await sink.until(lambda: sink.told("subscribed"))
        ears.suspects = True
        await sink.until(lambda: len(sink.told("second_route")) == 3)
        ears.suspects = False
        await stop(live, sink)
    assert [event["detail"]["url"] for event in sink.told("second_route")] == [other, third, other]
    first = sink.told("connected")[0]["session"]
    assert all(event["session"] != first for event in sink.told("stopped")[:2])


async def test_where_the_first_dies_meanwhile_the_second_goes_on() -> None:
    dies = asyncio.Event()

    async def handler(connection: ServerConnection, number: int) -> None:
        if number == 1:
            await acknowledge(connection)
            await connection.send(TICKER_A, text=True)
            await dies.wait()
            connection.transport.abort()
        await _deaf(connection, number)

    async with server(handler) as url, _feed(url) as (live, sink, ears):
        await sink.until(lambda: sink.told("subscribed"))
        ears.suspects = True
        await sink.until(lambda: sink.told("second_route"))
        ears.suspects = False
        dies.set()
        await sink.until(lambda: sink.told("disconnected"))
        second = sink.told("connected")[1]["session"]
        count = len(sink.data)
        await sink.until(lambda: len(sink.data) > count)
        assert sink.data[-1].session == second
        await stop(live, sink)
    assert len(sink.told("connected")) == 2


async def test_a_feed_without_liquidations_is_never_suspect() -> None:
    async with server(serve_well) as url, _feed(url, args=("tickers.A",)) as (live, sink, ears):
        ears.suspects = True
        await sink.until(lambda: len(sink.data) > 20)
        await stop(live, sink)
    assert sink.told("suspect") == []


async def test_a_route_that_never_brings_its_data_is_left_for_another() -> None:
    async def refuse(connection: ServerConnection, _number: int) -> None:
        connection.transport.abort()

    async with server(refuse) as url, server(serve_well) as other, _feed(url, other) as (live, sink, _):
        await sink.until(lambda: sink.data)
        await stop(live, sink)
    assert sink.told("connected")[-1]["detail"]["url"] == other


def test_the_routes_of_a_feed_are_tried_in_turn_beside_the_one_in_use() -> None:
    route = Route(("a", "b", "c"))
    assert [route.other() for _ in range(3)] == ["b", "c", "b"]
    route.url = "b"
    assert {route.other(), route.other()} == {"a", "c"}
    assert Route(("a",)).other() == "a"


def test_binance_has_a_second_host_for_its_liquidations() -> None:
    hosts = binance.Hosts(um_ws="wss://one.example", cm_ws="wss://two.example")
    um = next(feed for feed in binance.venue(hosts).feeds({}) if feed.name == "um")
    assert (um.url, *um.routes) == (
        "wss://one.example/market/ws", "wss://two.example/ws", "wss://one.example/market/stream"
    )  # fmt: skip


async def test_while_a_rollover_is_tried_again_later_the_old_line_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "TAKE_OVER_S", 0.3)
    monkeypatch.setattr(feed_module, "NEXT_ATTEMPT_S", 45.0)
    dies = asyncio.Event()

    async def handler(connection: ServerConnection, number: int) -> None:
        await acknowledge(connection)
        if number == 1:
            ticking = asyncio.create_task(tick(connection))
            await dies.wait()
            ticking.cancel()
            connection.transport.abort()
        elif number == 2:
            await connection.wait_closed()
        else:
            await tick(connection)

    async with server(handler) as url, live_feed(url, lifetime_s=0.8) as (live, sink):
        await sink.until(lambda: sink.told("stopped"))  # the second was given up
        died = time.monotonic()
        dies.set()
        await sink.until(lambda: len(sink.told("connected")) == 3)
        assert time.monotonic() - died < 30, "it was noticed long before the next attempt was due"
        await sink.until(lambda: sink.told("resumed"))
        await stop(live, sink)


async def test_a_line_that_dies_while_its_successor_is_awaited_leaves_it_the_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feed_module, "TAKE_OVER_S", 45.0)
    opened = asyncio.Event()

    async def handler(connection: ServerConnection, number: int) -> None:
        await acknowledge(connection)
        if number == 1:
            ticking = asyncio.create_task(tick(connection))
            await opened.wait()
            ticking.cancel()
            connection.transport.abort()
        opened.set()
        if number == 2:
            await connection.close()
        await tick(connection)

    async with server(handler) as url, live_feed(url, lifetime_s=0.8) as (live, sink):
        await sink.until(lambda: len(sink.told("connected")) >= 3)
        await stop(live, sink)


async def test_a_venue_that_reads_nothing_any_more_is_noticed_while_something_is_sent_to_it() -> None:
    gone = asyncio.Event()

    async def handler(connection: ServerConnection, number: int) -> None:
        if number == 1:
            connection.transport.pause_reading()
            await gone.wait()
            connection.transport.abort()
        await serve_well(connection, number)

    args = tuple(f"tickers.{'X' * 5000}{number}" for number in range(2000))
    async with server(handler) as url, live_feed(url, args=args, ack_timeout_s=1.0) as (live, sink):
        try:
            await sink.until(lambda: sink.told("disconnected"))
        finally:
            gone.set()
        assert "keepalive" not in sink.told("disconnected")[0]["reason"], "what watches was held up by what it sends"
        await stop(live, sink)
