"""The service against simulated venues that fail on demand: told as an event, mended, and every frame accounted for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import pytest

from collectors.service import Collector
from collectors.settings import CollectorSettings
from collectors.simulator import Simulator
from collectors.venues.known import USUAL, VENUES
from tests.collectors.local_venue import every_session_is_accounted_for
from tests.collectors.sink import Frames

CHANNEL = {"binance": "markPrice", "bybit": "tickers", "okx": "mark-price"}
QUICK = {"first_delay_s": 0.05, "poll_scale": 0.01, "silent_s": 4.0, "keepalive_s": 1.0}
PATIENT = {"keepalive_s": 60.0, "silent_s": 60.0}
"""Where the line is to last, however slow the machine."""

venues = pytest.mark.parametrize("venue", list(USUAL))


@asynccontextmanager
async def _collecting(
    venue: str, monkeypatch: pytest.MonkeyPatch, klines: Literal["poll", "stream"] = "poll", **paces: float
) -> AsyncIterator[tuple[Simulator, Frames]]:
    """Collect a simulated venue, from when its ticking channel brings data; then see that nothing is unaccounted for."""
    async with Simulator(coins=["BTC", "ETH"]) as simulator:
        for name, value in simulator.env().items():
            monkeypatch.setenv(name, value)
        sink = Frames()
        collector = Collector(VENUES[venue](), sink, CollectorSettings(klines=klines, **(QUICK | paces)))
        running = asyncio.create_task(collector.run())
        with every_session_is_accounted_for(sink):
            try:
                await sink.until(lambda: [frame for frame in sink.data if frame.channel == CHANNEL[venue]])
                yield simulator, sink
            finally:
                collector.stop()
                await asyncio.wait_for(running, 60)


@venues
@pytest.mark.parametrize("kind", ["drop", "half_open", "silent"])
async def test_a_feed_that_fails_comes_back_as_a_new_session(
    venue: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _collecting(venue, monkeypatch) as (simulator, sink):
        until = {"seconds": 6.0} if kind == "silent" else {}
        simulator.fault(kind, venue, **until)
        await sink.until(lambda: sink.told("resumed"))
        lost, resumed = sink.told("disconnected")[0], sink.told("resumed")[0]
        assert lost["reason"]
        assert resumed["session"] != lost["session"]
        assert bool(sink.told("silent")) == (kind == "silent")


@pytest.mark.parametrize(("venue", "channel"), [("binance", "kline_1m"), ("bybit", "kline.1"), ("okx", "candle1m")])
async def test_klines_that_fall_silent_are_found_by_themselves(
    venue: str, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _collecting(venue, monkeypatch, "stream") as (simulator, sink):
        await sink.until(lambda: [frame for frame in sink.data if frame.channel == channel])
        simulator.fault("silent", venue, channel=channel, seconds=5.0)
        await sink.until(lambda: sink.told("silent"))
        after = len(sink.data)
        await sink.until(lambda: [frame for frame in sink.data[after:] if frame.channel == channel])
    assert {event["reason"].rpartition(" for ")[0] for event in sink.told("silent")} == {f"no {channel}"}


@venues
async def test_garbage_goes_to_the_dead_letters_with_its_bytes_and_the_feed_goes_on(
    venue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _collecting(venue, monkeypatch, **PATIENT) as (simulator, sink):
        simulator.fault("garbage", venue, count=7)
        await sink.until(lambda: len([frame for frame in sink.data if frame.channel == "?"]) >= 7)
        after = len(sink.data)
        await sink.until(lambda: [frame for frame in sink.data[after:] if frame.channel == CHANNEL[venue]])
    assert {frame.topic for frame in sink.data if frame.channel == "?"} == {"dead.letter"}
    assert b"[1,2," in {frame.payload for frame in sink.data if frame.channel == "?"}
    assert not sink.told("disconnected")


@venues
async def test_a_frame_of_20_mib_is_kept_whole(venue: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with _collecting(venue, monkeypatch, **PATIENT) as (simulator, sink):
        simulator.fault("big_frame", venue, count=1)
        await sink.until(lambda: [frame for frame in sink.data if len(frame.payload) >= 20 * 1024 * 1024])
    assert not sink.told("disconnected")


@pytest.mark.parametrize("venue", ["bybit", "okx"])
async def test_a_topic_that_is_refused_is_told_and_the_others_are_subscribed(
    venue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _collecting(venue, monkeypatch) as (simulator, sink):
        simulator.fault("refuse_topic", venue, channel=CHANNEL[venue] + ("." if venue == "bybit" else ""), seconds=60)
        simulator.fault("drop", venue)
        await sink.until(lambda: sink.told("refused") and sink.told("subscribed"))
        after = len(sink.data)
        await sink.until(lambda: len(sink.data) > after)
    assert all(CHANNEL[venue] in arg for event in sink.told("refused") for arg in event["detail"]["arguments"])


@pytest.mark.parametrize(
    ("venue", "kind"),
    [("binance", "http_429"), ("binance", "http_418"), ("bybit", "http_10006"), ("okx", "http_50011")],
)
async def test_a_rate_limit_stops_the_polls_and_is_told(venue: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with _collecting(venue, monkeypatch) as (simulator, sink):
        simulator.fault(kind, venue, count=1)
        await sink.until(lambda: sink.told("poll_stopped"))
    assert sink.told("poll_stopped")[0]["detail"]["stop_s"] > 0
