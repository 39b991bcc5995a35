"""The whole service against the simulated venues and a real Kafka: nothing lost, whatever happens to a part."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from collectors.service import Collector
from collectors.settings import CollectorSettings
from collectors.simulator import Simulator
from collectors.topics import EVENTS, TOPICS
from collectors.venues.known import USUAL, VENUES
from collectors.venues.venue import Listed, Page, Venue
from tests.collectors.sink import Frames
from tests.collectors.test_publisher import stored

FRAMES = [topic.name for topic in TOPICS if topic.name != EVENTS]
QUICK = CollectorSettings(first_delay_s=0.05, poll_scale=0.05)
STREAMED = QUICK.model_copy(update={"klines": "stream"})


@pytest.fixture
async def simulator(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Simulator]:
    async with Simulator(coins=["BTC", "ETH"]) as running:
        for name, value in running.env().items():
            monkeypatch.setenv(name, value)
        yield running


@asynccontextmanager
async def _collecting(*venues: Venue, settings: CollectorSettings = QUICK) -> AsyncIterator[Frames]:
    sink = Frames()
    collectors = [Collector(venue, sink, settings) for venue in venues]
    running = [asyncio.create_task(collector.run()) for collector in collectors]
    try:
        yield sink
    finally:
        for collector in collectors:
            collector.stop()
        async with asyncio.timeout(60):
            await asyncio.gather(*running)


async def _ended(process: asyncio.subprocess.Process) -> tuple[int, str]:
    async with asyncio.timeout(60):
        _, errors = await process.communicate()
    return process.returncode or 0, errors.decode()


async def test_after_sigterm_kafka_holds_every_frame_that_the_last_events_count(
    fresh_kafka: dict[str, Any], simulator: Simulator
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from collectors.cli import app; app()", *USUAL,
        env=os.environ | {"LIQ_KAFKA_BOOTSTRAP": fresh_kafka["bootstrap_servers"], "LIQ_COLLECT_POLL_SCALE": "0.05"},
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    seen: set[tuple[str, str]] = set()
    async with asyncio.timeout(60):
        while len(seen) < 11:
            seen = {(frame.venue, frame.channel) for frame in await stored(fresh_kafka, *FRAMES)}
    process.send_signal(signal.SIGTERM)
    code, log = await _ended(process)
    assert code == 0, log
    frames = await stored(fresh_kafka, *FRAMES)
    last = {event["session"]: event for event in map(_value, await stored(fresh_kafka, EVENTS))}
    assert {event["event"] for event in last.values()} == {"stopped"}
    assert {frame.session for frame in frames} <= last.keys()
    for session, event in last.items():
        assert sorted(f.seq for f in frames if f.session == session) == list(range(1, event["frames"] + 1))
    assert {frame.venue for frame in frames} == set(USUAL)


def _value(frame: Any) -> dict[str, Any]:
    return dict(json.loads(frame.payload))


async def test_each_venue_brings_liquidations_funding_open_interest_and_mark_price(simulator: Simulator) -> None:
    wanted = {
        ("binance", "forceOrder"), ("binance", "markPrice"), ("binance", "um_openInterest"),
        ("binance", "cm_openInterest"), ("binance", "um_fundingInfo"), ("binance", "um_klines@1m"),
        ("bybit", "allLiquidation"), ("bybit", "tickers"), ("bybit", "kline@1"),
        ("okx", "liquidation-orders"), ("okx", "funding-rate"), ("okx", "open-interest"), ("okx", "mark-price"),
        ("okx", "index-tickers"), ("okx", "candles@1m"),
    }  # fmt: skip
    async with _collecting(*(VENUES[name]() for name in USUAL)) as sink:
        await sink.until(lambda: wanted <= {(frame.venue, frame.channel) for frame in sink.data})
    assert not sink.told("refused")
    assert not sink.told("poll_failed")
    assert not [frame for frame in sink.data if frame.channel == "?"]


async def test_a_venue_that_is_away_does_not_stop_the_others(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LIQ_BYBIT_WS", "LIQ_BYBIT_REST"):
        monkeypatch.setenv(name, simulator.env()[name].split(":")[0] + "://127.0.0.1:9")
    async with _collecting(*(VENUES[name]() for name in USUAL)) as sink:
        await sink.until(lambda: [event for event in sink.told("poll_stopped") if event["venue"] == "bybit"])
        before = len(sink.data)
        await sink.until(lambda: {frame.venue for frame in sink.data[before:]} == {"binance", "okx"})
    assert not [frame for frame in sink.data if frame.venue == "bybit"]


async def test_a_part_that_dies_is_started_again_and_told(simulator: Simulator) -> None:
    bybit = VENUES["bybit"]()
    deaths = 2

    def dying(payload: bytes) -> Any:
        nonlocal deaths
        if deaths and b"tickers.BTCUSDT" in payload:
            deaths -= 1
            raise ZeroDivisionError("a bug")
        return bybit.classify(payload)

    async with _collecting(Venue(**(vars(bybit) | {"classify": dying})), VENUES["binance"]()) as sink:
        await sink.until(lambda: any(f.channel == "tickers" and f.symbol == "BTCUSDT" for f in sink.data))
    told = [event for event in sink.told("disconnected") if "died and is started again" in event["reason"]]
    assert len(told) == 2
    assert "a bug" in told[0]["reason"]


async def test_a_symbol_listed_later_is_subscribed_and_a_delisted_one_is_not_any_more(simulator: Simulator) -> None:
    bybit = VENUES["bybit"]()
    hidden = {"ETHUSDT"}

    def page(body: bytes) -> Page:
        listed, following = bybit.page(body)
        return Page(tuple(item for item in listed if item.symbol not in hidden), following)

    polls = tuple(poll._replace(every_s=10.0) for poll in bybit.polls if poll.lists or "ratio" in poll.channel)
    async with _collecting(Venue(**(vars(bybit) | {"page": page, "polls": polls})), settings=STREAMED) as sink:
        await sink.until(lambda: any(frame.symbol == "BTCUSDT" for frame in sink.data))
        assert not [frame for frame in sink.data if frame.symbol == "ETHUSDT"]
        hidden.clear()
        channels = {"tickers", "kline.1", "account-ratio@5min"}
        await sink.until(lambda: channels <= {frame.channel for frame in sink.data if frame.symbol == "ETHUSDT"})
        hidden.add("BTCUSDT")
        await sink.until(lambda: _quiet_since(sink, "BTCUSDT") > 300)
    sessions = {session.split("-")[1] for session in {f.session for f in sink.data if f.symbol == "ETHUSDT"}}
    assert sessions == {"linear", "rest"}
    assert len({f.session for f in sink.data}) == 5, "two sockets a category and the polls, without a reconnect"


def _quiet_since(sink: Frames, symbol: str) -> int:
    """Return how many frames arrived since the last of `symbol`."""
    return next((i for i, frame in enumerate(reversed(sink.data)) if frame.symbol == symbol), len(sink.data))


async def test_an_empty_listing_opens_no_socket_and_a_full_one_moves_nothing() -> None:
    collector = Collector(VENUES["bybit"](), Frames(), STREAMED)
    collector._listing["linear"] = ()
    collector._arrange()
    assert not collector._live
    collector._listing["linear"] = tuple(Listed(f"COIN{i:04d}USDT") for i in range(900))
    collector._arrange()
    assert sorted(collector._live) == ["linear", "linear-2", "linear-3", "linear-kline", "linear-kline-2"]
    collector.stop()
    await collector.run()
