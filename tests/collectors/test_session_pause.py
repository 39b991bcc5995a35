"""A session whose frames find no room: it waits, then reads on, so that the line lives and what is lost has a name."""

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from collectors.delivery import intake
from collectors.delivery.intake import Intake
from collectors.delivery.recorder import Recorder
from collectors.live import session as session_module
from collectors.topics import LIQUIDATION, TICKER
from collectors.venues.venue import Frame
from tests.collectors.local_venue import (
    TICKER_A,
    acknowledge,
    acknowledge_all,
    every_session_is_accounted_for,
    live_feed,
    server,
    stop,
)
from tests.collectors.sink import Frames

LIQUIDATION_A = b'{"topic":"allLiquidation.A","type":"snapshot","ts":1,"data":[]}'


async def test_a_short_wait_loses_nothing_is_no_silence_and_counts_from_the_last_frame() -> None:
    sent = 0

    async def handler(connection: ServerConnection, _number: int) -> None:
        nonlocal sent
        await acknowledge(connection)
        while sent < 20_000:
            await connection.send(b'{"topic":"tickers.A","n":%d,"pad":"%s"}' % (sent, b"x" * 1000), text=True)
            sent += 1
        await connection.wait_closed()

    async with server(handler) as url, live_feed(url, silent_s=0.4) as (live, sink):
        with every_session_is_accounted_for(sink):
            await sink.until(lambda: sink.data)
            sink.full = {TICKER}
            await sink.until(lambda: sink.told("paused"))
            held = sink.data[-1]
            await asyncio.sleep(1.0)  # longer than the silence that is allowed
            assert sink.data[-1] is held
            sink.empty()
            await sink.until(lambda: len(sink.data) == 20_000)
            await sink.until(lambda: sink.told("silent"))  # judged again, now that there is nothing more
            await stop(live, sink)
    assert sink.told("silent")[0]["frames"] == 20_000
    numbers = [json.loads(frame.payload)["n"] for frame in sink.data]
    assert numbers == list(range(20_000)), "nothing was lost while reading waited"
    (paused,), (resumed,) = sink.told("paused"), sink.told("resumed")
    assert paused["reason"] == "Kafka did not take frames"
    assert paused["detail"] == {"since_ns": held.recv_ns, "topics": [TICKER]}
    assert resumed["detail"]["since_ns"] == held.recv_ns
    assert resumed["detail"]["waited_s"] >= 1.0


async def _ticking(connection: ServerConnection, _number: int) -> None:
    """Send tickers and liquidations by turns, as fast as they are read, and answer what is asked."""
    await acknowledge(connection)
    answering = asyncio.create_task(acknowledge_all(connection))
    try:
        while True:
            for payload in (TICKER_A, TICKER_A, LIQUIDATION_A):
                await connection.send(payload, text=True)
            await asyncio.sleep(0.002)
    finally:
        answering.cancel()


def _given_up(sink: Frames, session: str) -> list[int]:
    told = [each["detail"] for each in sink.told("dropped") if each["session"] == session]
    assert {each["topic"] for each in told} <= {TICKER}
    assert all(each["first_seq"] == each["runs"][0][0] and each["last_seq"] == each["runs"][-1][1] for each in told)
    numbers = [n for each in told for first, last in each["runs"] for n in range(first, last + 1)]
    assert len(numbers) == sum(each["frames"] for each in told)
    return numbers


async def test_a_long_wait_keeps_the_line_alive_and_names_what_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "PATIENCE_S", 0.05)
    impatient: Any = {"ping_interval": 0.2, "ping_timeout": 2.0}  # the venue hangs up on who does not answer
    async with server(_ticking, **impatient) as url, live_feed(url, keepalive_s=0.5, silent_s=20.0) as (live, sink):
        await sink.until(lambda: len(sink.data) > 100)
        first = sink.data[0].session
        sink.full = {TICKER}
        await sink.until(lambda: sink.told("paused"))
        await asyncio.sleep(4.0)  # many pings of both sides
        kept = [frame for frame in sink.data if frame.topic == LIQUIDATION]
        assert not sink.told("disconnected")
        sink.empty()
        await sink.until(lambda: sink.told("resumed"))
        await sink.until(lambda: sink.told("rolled_over"))
        await stop(live, sink)
    assert len(kept) > 100, "there was room for these all the time"
    numbers = [frame.seq for frame in sink.data if frame.session == first]
    gone = _given_up(sink, first)
    ended = next(each for each in sink.told("disconnected") if each["session"] == first)
    assert sorted(numbers + gone) == list(range(1, ended["frames"] + 1)), "kept or named, each once"
    assert len(gone) > 100
    assert len(sink.told("paused")) == len(sink.told("resumed")) == 1


async def test_a_session_that_ends_in_a_pause_has_named_what_it_gave_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "PATIENCE_S", 0.01)
    async with server(_ticking) as url, live_feed(url) as (live, sink):
        await sink.until(lambda: sink.data)
        sink.full = {TICKER}
        await sink.until(lambda: sink.told("paused") and sink.data[-1].seq > 300)
        await stop(live, sink)
    (ended,) = sink.told("stopped")
    numbers = [frame.seq for frame in sink.data]
    assert sorted(numbers + _given_up(sink, ended["session"])) == list(range(1, ended["frames"] + 1))


async def test_a_session_says_that_it_lives_and_how_many_frames_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "ALIVE_S", 0.05)
    async with server(_ticking) as url, live_feed(url) as (live, sink):
        await sink.until(lambda: len(sink.told("alive")) >= 3)
        await stop(live, sink)
    counts = [each["frames"] for each in sink.told("alive")]
    assert counts == sorted(counts)
    assert counts[-1] > 0


async def test_a_session_whose_frames_were_given_up_later_is_replaced() -> None:
    async with server(_ticking) as url, live_feed(url) as (live, sink):
        await sink.until(lambda: sink.data)
        sink.gapped = {sink.data[0].session}
        await sink.until(lambda: sink.told("rolled_over"))
        await stop(live, sink)
    assert sink.told("rolled_over")[0]["session"] in sink.gapped


async def test_only_who_waits_ends_a_short_wait() -> None:
    sink = Frames()
    session = Intake(Recorder("bybit", "linear", "ws", sink), sink, lambda: None, lambda: None)
    sink.full = {TICKER}
    taking = asyncio.create_task(session.take(TICKER_A, Frame("tickers", "A", TICKER), 1))
    await sink.until(lambda: sink.told("paused"))
    sink.full.clear()
    assert not session.look()
    assert not sink.told("resumed")
    sink.empty()
    await taking
    assert len(sink.told("resumed")) == len(sink.data) == 1
