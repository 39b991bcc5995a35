"""What venues say when they are asked too much, from the simulator: heeded to the second, told in order, never a storm."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from collectors.service import Collector
from collectors.settings import CollectorSettings
from collectors.simulator import Limits, Simulator
from collectors.venues.binance.simulator import BinanceLimits
from collectors.venues.known import VENUES
from tests.collectors.sink import Frames

QUICK = CollectorSettings(poll_scale=0.01, first_delay_s=0.05)
ON_THEIR_WAY_S = 0.8
TOLD_LATER_S = 0.02
"""The stop runs from just before it is told."""
LIMITS = Limits(binance=BinanceLimits(slow_s=3, ban_s=4))
HOSTS = {"binance": ("um", "cm"), "bybit": ("bybit",), "okx": ("okx",)}


@asynccontextmanager
async def _collecting(
    venue: str, monkeypatch: pytest.MonkeyPatch, services: int = 1
) -> AsyncIterator[tuple[Simulator, list[Frames]]]:
    async with Simulator(coins=["BTC", "ETH", "SOL"], limits=LIMITS) as simulator:
        for name, value in simulator.env().items():
            monkeypatch.setenv(name, value)
        sinks = [Frames() for _ in range(services)]
        collectors = [Collector(VENUES[venue](), sink, QUICK) for sink in sinks]
        running = [asyncio.create_task(collector.run()) for collector in collectors]
        try:
            yield simulator, sinks
        finally:
            for collector in collectors:
                collector.stop()
            await asyncio.wait_for(asyncio.gather(*running), 60)


def _polls(sink: Frames) -> list[dict[str, Any]]:
    return [event for event in sink.events if event["event"] in ("poll_stopped", "resumed")]


async def test_a_429_then_a_418_then_recovery_is_obeyed_and_told_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    async with _collecting("binance", monkeypatch) as (simulator, (sink,)):
        await sink.until(lambda: any(frame.channel == "cm_openInterest" for frame in sink.data))
        simulator.fault("http_429", "binance", count=1)
        await sink.until(lambda: len(_polls(sink)) == 1)
        told = time.monotonic()
        await sink.until(lambda: time.monotonic() > told + ON_THEIR_WAY_S)  # the ban is for the one that tries
        simulator.fault("http_418", "binance", count=1)
        await sink.until(lambda: len(_polls(sink)) == 3)
        resumed = len(sink.data)
        await sink.until(lambda: any(frame.channel == "um_openInterest" for frame in sink.data[resumed:]))
        asked = [request for host in HOSTS["binance"] for request in simulator.asked(host)]
    slowed, banned, resumed_event = _polls(sink)
    assert [event["event"] for event in _polls(sink)] == ["poll_stopped", "poll_stopped", "resumed"]
    assert ("HTTP 429" in slowed["reason"], slowed["detail"]["stop_s"]) == (True, 3.0)
    assert ("HTTP 418" in banned["reason"], banned["detail"]["stop_s"]) == (True, 4.0)
    refused = {request.status: request.at for request in asked if request.status in (429, 418)}
    assert [r.at for r in asked if refused[429] + ON_THEIR_WAY_S < r.at < refused[429] + 3.0] == []
    assert [r.at for r in asked if refused[429] < r.at < refused[418]] == [
        r.at for r in asked if refused[429] < r.at <= refused[429] + ON_THEIR_WAY_S
    ], "one request tried whether the stop is over, and met the ban"
    assert [r.at for r in asked if refused[418] < r.at < refused[418] + 4.0] == []
    assert (resumed_event["ts_ns"] - banned["ts_ns"]) / 1e9 >= 4.0
    failed = [event["detail"]["status"] for event in sink.told("poll_failed")]
    assert failed == [429, 418]


@pytest.mark.parametrize(
    ("venue", "kind", "said"),
    [("bybit", "http_10006", "retCode 10006"), ("bybit", "http_403", "HTTP 403"), ("okx", "http_50011", "50011"),
     ("okx", "http_429", "HTTP 429"), ("binance", "http_403", "HTTP 403")],
)  # fmt: skip
async def test_while_a_venue_says_stop_it_is_asked_nothing(
    venue: str, kind: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _collecting(venue, monkeypatch) as (simulator, (sink,)):
        await sink.until(lambda: any(frame.channel.startswith(("instruments", "um_ex")) for frame in sink.data))
        simulator.fault(kind, venue, count=1)
        await sink.until(lambda: sink.told("poll_stopped"))
        (told,) = sink.told("poll_stopped")
        stopped = time.monotonic() - (time.time_ns() - told["ts_ns"]) / 1e9
        assert said in told["reason"]
        assert told["detail"]["stop_s"] >= 0.5
        await sink.until(lambda: time.monotonic() > stopped + 1.5 and sink.data[-1].transport == "ws")
        until = min(time.monotonic(), stopped + told["detail"]["stop_s"])
        asked = [request.at for host in HOSTS[venue] for request in simulator.asked(host)]
        early = [at - stopped for at in asked if stopped + ON_THEIR_WAY_S < at < until - TOLD_LATER_S]
        assert early == []


async def test_two_services_in_one_process_stop_together_and_each_tells_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async with _collecting("binance", monkeypatch, services=2) as (simulator, sinks):
        for sink in sinks:
            await sink.until(lambda sink=sink: any(f.channel == "cm_openInterest" for f in sink.data))
        simulator.fault("http_429", "binance", count=1)
        for sink in sinks:
            await sink.until(
                lambda sink=sink: [event["event"] for event in _polls(sink)] == ["poll_stopped", "resumed"]
            )
        asked = [request for host in HOSTS["binance"] for request in simulator.asked(host)]
    (refused,) = [request.at for request in asked if request.status == 429]
    assert [r.at for r in asked if refused + ON_THEIR_WAY_S < r.at < refused + 3.0] == []
    assert sum(len(sink.told("poll_failed")) for sink in sinks) == 1


async def test_a_venue_that_answers_every_request_with_429_is_asked_once_a_stop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with _collecting("binance", monkeypatch) as (simulator, (sink,)):
        await sink.until(lambda: any(frame.channel == "cm_openInterest" for frame in sink.data))
        simulator.fault("http_429", "binance", seconds=60)
        await sink.until(lambda: len(sink.told("poll_stopped")) == 3)
        refused = [r.at for host in HOSTS["binance"] for r in simulator.asked(host) if r.status == 429]
    first = min(refused)
    assert len([at for at in refused if at > first + ON_THEIR_WAY_S]) == 2
    assert not sink.told("resumed")
