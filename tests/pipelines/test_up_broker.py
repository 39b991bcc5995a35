"""The embedded Kafka as a part of `liq up`: started again when it dies, stopped only where it is ours."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from collectors.broker import start, stop
from collectors.embedded import running
from pipelines.up.broker import Broker


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Path]:
    """A world whose broker is gone after the test."""
    (tmp_path / "logs").mkdir()
    yield tmp_path
    await asyncio.to_thread(stop, tmp_path)


async def test_a_broker_that_dies_is_started_again_at_the_same_address_with_the_same_data(world: Path) -> None:
    told: list[str] = []
    broker = Broker(world, {"LIQ_DATA": str(world)}, told.append)
    await broker.start()
    first = running(world)
    assert first is not None
    os.kill(first.pid, signal.SIGKILL)
    async with asyncio.timeout(120):
        while not any(line.startswith("Kafka answers again") for line in told):
            await asyncio.sleep(0.1)
    again = running(world)
    assert again is not None
    assert (again.bootstrap, again.cluster_id) == (first.bootstrap, first.cluster_id)
    assert again.pid != first.pid
    assert broker.restarts == 1
    assert told[0].startswith("Kafka ended and is started again in 0.5 s")
    await broker.stop()
    assert running(world) is None


async def test_a_broker_of_somebody_else_is_left_running_and_one_of_an_earlier_up_is_not(world: Path) -> None:
    told: list[str] = []
    env = {"LIQ_DATA": str(world)}
    pid = (await asyncio.to_thread(start, world)).pid
    others = Broker(world, env, told.append)
    await others.start()
    await others.stop()
    assert others.ours is False
    assert told == [f"Kafka (process {pid}) was started by somebody else, and is left running at the end"]
    assert running(world) is not None

    earlier = Broker(world, env, told.append, ours_before=pid)
    await earlier.start()
    await earlier.stop()
    assert running(world) is None


async def test_a_broker_that_cannot_be_started_is_told_of_and_tried_again(world: Path) -> None:
    told: list[str] = []
    env = {"LIQ_DATA": str(world)}
    broker = Broker(world, env, told.append)
    await broker.start()
    env["LIQ_KAFKA_JARS"] = str(world)  # a folder without any
    found = running(world)
    assert found is not None
    os.kill(found.pid, signal.SIGKILL)
    async with asyncio.timeout(120):
        while not any(line.startswith("Kafka cannot be started, tried again in") for line in told):
            await asyncio.sleep(0.1)
        del env["LIQ_KAFKA_JARS"]
        while not any(line.startswith("Kafka answers again") for line in told):
            await asyncio.sleep(0.1)
    await broker.stop()
