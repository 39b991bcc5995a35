"""A real Kafka that is away, frozen, killed or not there yet: what was received is stored in the end, once, in order."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from collectors.broker import start, stop
from collectors.delivery.publisher import MIB, Publisher
from collectors.delivery.recorder import Recorder
from collectors.delivery.spool import Spool
from collectors.embedded import running
from collectors.envelope import RawFrame
from collectors.kafka import ensure_topics
from collectors.settings import CollectorSettings
from collectors.simulator import Simulator
from collectors.topics import EVENTS, LIQUIDATION, TICKER, TOPICS
from collectors.venues.venue import Frame
from tests.collectors.test_publisher import stored

NAME = Frame("allLiquidation", "BTCUSDT", LIQUIDATION)
SETTINGS = CollectorSettings(linger_ms=0, buffer_mib=1, flush_timeout_s=60)

KILLED = """
import asyncio, sys
from pathlib import Path
from tests.collectors.test_kafka_away import NAME, publisher
from collectors.delivery.recorder import Recorder

async def main():
    async with publisher(Path(sys.argv[1]), sys.argv[2]) as to:
        recorder = Recorder("bybit", "linear", "ws", to)
        while True:
            for _ in range(100):
                recorder.frame(b"x" * 500, NAME, recorder.frames)
            while to.pending:
                await asyncio.sleep(0.001)
            print(recorder.session, recorder.frames, flush=True)

asyncio.run(main())
"""


def publisher(world: Path, bootstrap: str) -> Publisher:
    return Publisher(lambda: {"bootstrap_servers": bootstrap}, SETTINGS, spool=Spool(world / "spool", 256 * MIB))


@contextmanager
def own_broker(world: Path) -> Iterator[dict[str, Any]]:
    try:
        yield {"bootstrap_servers": start(world).bootstrap}
    finally:
        stop(world)


def in_order(frames: list[RawFrame]) -> bool:
    """Say whether every frame's number is the first of its partition or above all before it, but for repetitions."""
    highest: dict[int, int] = {}
    seen: set[tuple[int, int]] = set()
    for frame in frames:
        at = (frame.partition, frame.seq)
        if at not in seen and frame.seq < highest.get(frame.partition, 0):
            return False
        seen.add(at)
        highest[frame.partition] = max(highest.get(frame.partition, 0), frame.seq)
    return True


async def test_what_is_received_while_kafka_is_away_waits_on_disk_and_is_stored_when_it_is_back(tmp_path: Path) -> None:
    with own_broker(tmp_path) as kafka:
        await ensure_topics(kafka, TOPICS)
        async with publisher(tmp_path, kafka["bootstrap_servers"]) as to:
            recorder = Recorder("bybit", "linear", "ws", to)
            for i in range(500):
                recorder.frame(b"before %d" % i, NAME, i)
            assert await to.flush(60)
            await asyncio.to_thread(stop, tmp_path)
            for _ in range(50):
                for number in range(200):
                    recorder.frame(b"x" * 500, NAME._replace(symbol=f"S{number % 9}"), number)
                while to.pending:
                    await asyncio.sleep(0.001)
            assert to.spool is not None
            assert to.spool.frames == 10_000, "ten times what memory may hold"
            assert await asyncio.to_thread(start, tmp_path)
            recorder.frame(b"after", NAME, 1)
            assert await to.flush(120)
            assert to.spool.bytes == 0
        frames = await stored(kafka, LIQUIDATION)
    assert sorted({frame.seq for frame in frames}) == list(range(1, recorder.frames + 1))
    assert len(frames) == recorder.frames, "nothing twice"
    assert in_order(frames)


async def test_a_frozen_kafka_gets_everything_when_it_thaws_and_numbers_stay_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collectors.delivery.sending.HANGS_S", 1.0)
    with own_broker(tmp_path) as kafka:
        await ensure_topics(kafka, TOPICS)
        broker = running(tmp_path)
        assert broker is not None
        async with publisher(tmp_path, kafka["bootstrap_servers"]) as to:
            recorder = Recorder("bybit", "linear", "ws", to)
            for round_ in range(30):
                if round_ == 5:
                    os.kill(broker.pid, signal.SIGSTOP)
                for number in range(100):
                    recorder.frame(b"x" * 100, NAME._replace(symbol=f"S{number % 9}"), number)
                await asyncio.sleep(0.1)
            os.kill(broker.pid, signal.SIGCONT)
            assert await to.flush(120)
        frames = await stored(kafka, LIQUIDATION)
    assert {frame.seq for frame in frames} == set(range(1, recorder.frames + 1))
    assert in_order(frames)


async def test_a_killed_collector_loses_nothing_that_the_system_had_and_the_next_one_delivers_it(
    fresh_kafka: dict[str, Any], tmp_path: Path
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, str(tmp_path), "127.0.0.1:9", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    for _ in range(20):
        line = await process.stdout.readline()
    process.kill()
    rest, _ = await process.communicate()
    session, kept = (rest.decode().splitlines() or [line.decode()])[-1].split()
    async with publisher(tmp_path, fresh_kafka["bootstrap_servers"]) as to:
        async with asyncio.timeout(60):
            while to.acknowledged[LIQUIDATION] < int(kept):
                await asyncio.sleep(0.01)
        assert await to.flush(60)
    frames = await stored(fresh_kafka, LIQUIDATION)
    assert {frame.session for frame in frames} == {session}
    numbers = [frame.seq for frame in frames]
    assert numbers == list(range(1, len(numbers) + 1)), "each once, in order, its own number"
    assert len(numbers) >= int(kept)
    assert not [event for event in await stored(fresh_kafka, EVENTS) if event.session == session], "no end is invented"
    assert not await asyncio.to_thread(lambda: list((tmp_path / "spool").iterdir()))


@asynccontextmanager
async def _collect(env: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "liq", "collect",
        env=os.environ | {"LIQ_COLLECT_POLL_SCALE": "0.05"} | env, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_collector_collects_before_kafka_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with (
        Simulator(coins=["BTC"]) as simulator,
        _collect(simulator.env() | {"LIQ_DATA": str(tmp_path)}) as process,
    ):
        async with asyncio.timeout(60):
            while not await asyncio.to_thread(_spooled, tmp_path, TICKER):
                await asyncio.sleep(0.05)
        with own_broker(tmp_path) as kafka:
            async with asyncio.timeout(60):
                while await asyncio.to_thread(_spooled, tmp_path, TICKER):
                    await asyncio.sleep(0.05)
            process.send_signal(signal.SIGTERM)
            _, errors = await asyncio.wait_for(process.communicate(), 60)
            assert process.returncode == 0, errors
            frames = await stored(kafka, *(topic.name for topic in TOPICS if topic.name != EVENTS))
            events = [json.loads(frame.payload) for frame in await stored(kafka, EVENTS)]
    log = errors.decode()
    assert log.count("No Kafka: LIQ_KAFKA_BOOTSTRAP is not set and no embedded broker runs") == 1
    assert log.count("Kafka takes frames again") == 1
    ends = {each["session"]: each["frames"] for each in events if each["event"] in ("stopped", "disconnected")}
    assert {frame.session for frame in frames} <= ends.keys()
    for session, count in ends.items():
        assert {frame.seq for frame in frames if frame.session == session} == set(range(1, count + 1))


def _spooled(world: Path, topic: str) -> bool:
    return any(path.stat().st_size > 1000 for path in (world / "spool").glob(f"*/{topic}/*.seg"))


async def test_stopped_while_kafka_is_away_it_ends_at_once_and_says_what_is_on_disk(tmp_path: Path) -> None:
    async with (
        Simulator(coins=["BTC"]) as simulator,
        _collect(simulator.env() | {"LIQ_DATA": str(tmp_path)}) as process,
    ):
        async with asyncio.timeout(60):
            while not await asyncio.to_thread(_spooled, tmp_path, TICKER):
                await asyncio.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        _, errors = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0
    assert b"lost=0" in errors
    assert b"spool=0" not in errors


async def test_a_kafka_that_refuses_the_topics_ends_it_with_the_reason(
    kafka: dict[str, Any], delete_topics: Callable[[list[str]], Awaitable[None]], tmp_path: Path
) -> None:
    await delete_topics([topic.name for topic in TOPICS])
    env = {"LIQ_KAFKA_BOOTSTRAP": kafka["bootstrap_servers"], "LIQ_KAFKA_REPLICATION": "3", "LIQ_DATA": str(tmp_path)}
    async with Simulator(coins=["BTC"]) as simulator, _collect(simulator.env() | env) as process:
        _, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1
    assert b"Kafka refuses to create topic" in errors.splitlines()[-1]
