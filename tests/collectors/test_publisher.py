"""Frames to a real Kafka: acknowledged, whole, in order, and held back while it is away."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from collectors.altering import alter_topics
from collectors.cluster import administering
from collectors.delivery.publisher import Publisher
from collectors.delivery.recorder import Recorder
from collectors.delivery.spool import Spool
from collectors.envelope import RawFrame, from_record
from collectors.moment import steady_ns
from collectors.settings import CollectorSettings
from collectors.topics import DEAD_LETTER, EVENTS, LIQUIDATION, TICKER
from collectors.venues.venue import Frame


async def stored(kafka: dict[str, Any], *names: str) -> list[RawFrame]:
    """Return every frame that lies in the topics now, in the order of their partitions."""
    consumer = AIOKafkaConsumer(**kafka, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    try:
        frames: list[RawFrame] = []
        for name in names:
            for partition in sorted(await _partitions(consumer, name)):
                frames += await _read(consumer, TopicPartition(name, partition))
        return frames
    finally:
        await consumer.stop()


async def _partitions(consumer: AIOKafkaConsumer, name: str) -> set[int]:
    await consumer._client._wait_on_metadata(name)
    return set(consumer.partitions_for_topic(name) or ())


async def _read(consumer: AIOKafkaConsumer, partition: TopicPartition) -> list[RawFrame]:
    end = (await consumer.end_offsets([partition]))[partition]
    consumer.assign([partition])
    frames: list[RawFrame] = []
    while await consumer.position(partition) < end:
        record = await consumer.getone()
        frames.append(
            from_record(
                record.key,
                record.value,
                record.headers,
                record.topic,
                record.partition,
                record.offset,
                record.timestamp,
            )
        )
    return frames


async def test_what_is_published_lies_in_kafka_whole_and_once(fresh_kafka: dict[str, Any]) -> None:
    payloads = [b"%d" % i * (1 + i % 700) for i in range(5_000)]
    async with Publisher(lambda: fresh_kafka, CollectorSettings()) as publisher:
        recorder = Recorder("bybit", "linear", "ws", publisher)
        for i, payload in enumerate(payloads):
            recorder.frame(payload, Frame("allLiquidation", f"S{i % 50}", LIQUIDATION), time.time_ns())
        recorder.event("disconnected", "end")
        assert await publisher.flush(60)
        assert publisher.acknowledged == {LIQUIDATION: 5_000, EVENTS: 1}
        assert publisher.pending == publisher.pool.bytes == 0
    frames = await stored(fresh_kafka, LIQUIDATION)
    assert {frame.seq: frame.payload for frame in frames} == dict(enumerate(payloads, 1))
    assert len(frames) == 5_000
    (event,) = await stored(fresh_kafka, EVENTS)
    assert event.seq == 5_000
    assert b'"frames":5000' in event.payload


async def test_frames_of_one_key_keep_their_order(fresh_kafka: dict[str, Any]) -> None:
    async with Publisher(lambda: fresh_kafka, CollectorSettings(linger_ms=0)) as publisher:
        recorder = Recorder("bybit", "linear", "ws", publisher)
        for i in range(3_000):
            recorder.frame(b"x", Frame("tickers", f"S{i % 7}", TICKER), i)
            if i % 500 == 0:
                await asyncio.sleep(0.01)
    frames = await stored(fresh_kafka, TICKER)
    for symbol in {frame.symbol for frame in frames}:
        numbers = [frame.seq for frame in frames if frame.symbol == symbol]
        assert numbers == sorted(numbers)
        assert len({frame.partition for frame in frames if frame.symbol == symbol}) == 1


@pytest.mark.parametrize("compression", ["none", "lz4", "zstd"])
async def test_a_frame_of_31_mib_is_stored(fresh_kafka: dict[str, Any], compression: str) -> None:
    payload = bytes(range(256)) * (31 * 4096)
    async with Publisher(lambda: fresh_kafka, CollectorSettings(compression=compression, buffer_mib=1)) as publisher:
        recorder = Recorder("binance", "um", "ws", publisher)
        recorder.frame(b"before", Frame("markPrice", "*", TICKER), 1)
        recorder.frame(payload, Frame("markPrice", "*", TICKER), 2)
        assert not publisher.takes(TICKER)
        recorder.frame(b"after", Frame("markPrice", "*", TICKER), 3)
        await asyncio.wait_for(publisher.room(TICKER), 60)
    assert [frame.payload for frame in await stored(fresh_kafka, TICKER)] == [b"before", payload, b"after"]


async def test_a_frame_kafka_will_not_take_is_told_and_the_others_are_stored(fresh_kafka: dict[str, Any]) -> None:
    async with Publisher(lambda: fresh_kafka, CollectorSettings(compression="none")) as publisher:
        recorder = Recorder("binance", "um", "ws", publisher)
        for i in range(20):
            recorder.frame(b"small %d" % i, None, i)
        recorder.frame(b"x" * (33 * 1024 * 1024), None, 20)  # beyond the topic's max.message.bytes
        for i in range(20):
            recorder.frame(b"later %d" % i, None, i)
        assert await publisher.flush(60)
        assert publisher.refused == 1
    frames = await stored(fresh_kafka, DEAD_LETTER)
    assert sorted(frame.seq for frame in frames) == [*range(1, 21), *range(22, 42)]
    (event,) = await stored(fresh_kafka, EVENTS)
    assert b"Kafka refused a frame of 34603008 bytes" in event.payload
    assert b'"event":"dropped"' in event.payload
    assert b'"runs":[[21,21]]' in event.payload


TWO_HOURS_NS = 2 * 3600 * 1_000_000_000


def _two_hours_ahead() -> int:
    return time.time_ns() + TWO_HOURS_NS


async def test_a_collector_two_hours_ahead_loses_nothing_and_knows_it(fresh_kafka: dict[str, Any]) -> None:
    async with Publisher(lambda: fresh_kafka, CollectorSettings(), _two_hours_ahead) as publisher:
        await _publish(publisher, _two_hours_ahead)
        assert publisher.offset.is_wrong
        assert abs((publisher.offset.ns or 0) - TWO_HOURS_NS) < 30_000_000_000
    await _assert_whole(fresh_kafka)


@pytest.mark.parametrize("set_by_s", [3600, -3600])
async def test_a_clock_that_is_set_while_frames_wait_does_not_move_them(
    fresh_kafka: dict[str, Any], tmp_path: Path, set_by_s: int
) -> None:
    def as_set() -> int:
        return time.time_ns() + set_by_s * 10**9

    spool, own = Spool(tmp_path, 1 << 20), ("o-1", "a", "live")
    on_disk = RawFrame("okx", "c", "s", "ws", time.time_ns(), *own, 1, b"on disk", TICKER, steady_ns=steady_ns())
    async with Publisher(lambda: fresh_kafka, CollectorSettings(), as_set, spool) as publisher:
        recorder = Recorder("bybit", "linear", "ws", publisher)
        recorder.frame(b"in memory", Frame("allLiquidation", "A", LIQUIDATION), time.time_ns())
        recorder.event("subscribed")
        spool.append(TICKER, [on_disk])
        publisher.lanes[TICKER].filled.set()
        assert await publisher.flush(60)
    now_ns = time.time_ns()
    for frame in await stored(fresh_kafka, LIQUIDATION, EVENTS, TICKER):
        assert now_ns - 60 * 10**9 < frame.at_ns <= now_ns, frame


PROBE = b"is it refused yet?"


async def test_a_topic_that_keeps_our_time_takes_frames_of_a_clock_ahead_too(
    fresh_kafka: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    async with administering(fresh_kafka) as admin:
        own = {"message.timestamp.type": "CreateTime", "message.timestamp.after.max.ms": "3600000"}
        assert not await alter_topics(admin, {LIQUIDATION: own})
    async with Publisher(lambda: fresh_kafka, CollectorSettings(), _two_hours_ahead) as publisher:
        recorder = Recorder("bybit", "linear", "ws", publisher)
        async with asyncio.timeout(60):
            while "InvalidTimestampError: " not in caplog.text:  # a broker takes a moment to go by the new setting
                recorder.frame(PROBE, Frame("allLiquidation", "S", LIQUIDATION), _two_hours_ahead())
                assert await publisher.flush(60)
        await _publish(publisher, _two_hours_ahead)
    async with Publisher(lambda: fresh_kafka, CollectorSettings()) as publisher:
        await _publish(publisher, time.time_ns)
    await _assert_whole(fresh_kafka, times=2)


async def _publish(publisher: Publisher, clock: Callable[[], int]) -> None:
    recorder = Recorder("bybit", "linear", "ws", publisher)
    for i in range(300):
        recorder.frame(b"%d" % i, Frame("allLiquidation", f"S{i % 9}", LIQUIDATION), clock())
    assert await publisher.flush(60)


async def _assert_whole(kafka: dict[str, Any], times: int = 1) -> None:
    frames = await stored(kafka, LIQUIDATION)
    payloads = sorted(frame.payload for frame in frames if frame.payload != PROBE)
    assert payloads == sorted([b"%d" % i for i in range(300)] * times)
