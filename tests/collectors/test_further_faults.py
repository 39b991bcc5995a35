"""The venues that are not among the usual ones, all at once, with lines that break, garbage, and refusals by REST."""

import asyncio

import pytest

from collectors import topics
from collectors.matrix import pushed_channels
from collectors.service import Collector
from collectors.settings import CollectorSettings
from collectors.simulator import Phases, Simulator
from collectors.venues.known import RECORDS
from collectors.venues.simulated import SIMULATED
from tests.collectors.sink import Frames

FURTHER = [name for name, record in RECORDS.items() if not record.is_usual]
PUSHING = {name: pushed_channels(RECORDS[name]) for name in FURTHER}
QUICK = CollectorSettings(poll_scale=0.05, first_delay_s=0.05)


def brought(name: str, sink: Frames) -> int:
    """Return how many frames of liquidations were pushed; of a venue that pushes none, of any data, pushed or else polled."""
    told = PUSHING[name] & {*RECORDS[name].collects.get("liquidations", ())}
    of_these = [frame for frame in sink.data if not told or frame.topic == topics.LIQUIDATION]
    return sum((frame.transport == "ws") == bool(PUSHING[name]) for frame in of_these)


async def test_each_comes_back_after_a_cut_and_takes_garbage_and_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Simulator(coins=["BTC", "ETH"], phases=Phases(calm_s=600, trickle=300), venues=FURTHER) as simulator:
        for name, value in simulator.env().items():
            monkeypatch.setenv(name, value)
        sinks = {name: Frames() for name in FURTHER}
        collectors = [Collector(RECORDS[name].venue(), sinks[name], QUICK) for name in FURTHER]
        running = [asyncio.create_task(collector.run()) for collector in collectors]
        for name, sink in sinks.items():
            await sink.until(lambda sink=sink, name=name: brought(name, sink))
            blocked = () if PUSHING[name] else ("http_403",)  # it stops all polls for five minutes
            for kind in [kind for kind in SIMULATED[name].refusals if kind not in blocked]:
                simulator.fault(kind, name, count=1)
            simulator.fault("garbage", name, count=4)
            simulator.fault("drop", name)
        before = {name: brought(name, sink) for name, sink in sinks.items()}
        for name, sink in sinks.items():
            if PUSHING[name]:
                await sink.until(lambda sink=sink: sink.told("resumed"))
            await sink.until(lambda sink=sink, name=name: brought(name, sink) > before[name] + 3)
            await sink.until(lambda sink=sink: sink.told("poll_failed"))
        for collector in collectors:
            collector.stop()
        await asyncio.gather(*running)
    for name, sink in sinks.items():
        assert sink.told("refused") == [], name
        lived = {"connected", "subscribed", "disconnected", "resumed"} if PUSHING[name] else {"started", "poll_failed"}
        assert {event["event"] for event in sink.events} >= lived, name
        known = {frame.channel for frame in sink.data if frame.topic == topics.DEAD_LETTER}
        assert known <= {"?"}, name
