"""The collector process's own session: a sign at the start and the end, and a clock that is wrong."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from collectors.delivery import process
from collectors.delivery.clock import Offset
from collectors.delivery.process import Process
from collectors.delivery.recorder import Recorder
from tests.collectors.sink import Frames


async def test_the_process_says_that_it_lives_and_when_its_clock_is_wrong_and_right(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process, "LOOK_S", 0.001)
    sink = Frames()
    publisher: Any = SimpleNamespace(
        recorder=Recorder("", "collector", "rest", sink), offset=Offset(), pool=SimpleNamespace(bytes=12), spool=None
    )
    running = asyncio.create_task(Process(publisher).run())
    await sink.until(lambda: sink.told("alive"))
    (first,) = sink.told("alive")
    assert (first["venue"], first["transport"], first["frames"]) == ("", "rest", 0)
    assert first["session"].startswith("collector-")
    assert first["detail"]["clock_offset_ms"] is None
    assert first["detail"]["waiting_bytes"] == 12
    publisher.offset.saw(7_200_000_000_000, 0, 7_200_000_000_000, 0)
    await sink.until(lambda: sink.told("clock"))
    publisher.offset.saw(0, 0, 0, 1)
    await sink.until(lambda: len(sink.told("clock")) == 2)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    wrong, right = sink.told("clock")
    assert wrong["reason"] == "this machine's clock is 7200.0 s ahead of Kafka's"
    assert wrong["detail"]["clock_offset_ms"] == 7_199_999
    assert right["reason"] == "the clock is right again"
    assert sink.events[-1]["event"] == "stopped"
