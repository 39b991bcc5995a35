"""Logs of Kafka made anew, cut, or emptied by retention: nothing is doubled, nothing that is there is skipped, all is told."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete
from aiokafka.errors import KafkaError

from collectors import broker
from collectors.cluster import administering
from collectors.embedded import is_alive, kafka_folder
from collectors.envelope import RawFrame
from collectors.kafka import ensure_topics
from collectors.topics import LIQUIDATION, TICKER, TOPICS
from pipelines.derive.coverage.cover import cover_to_the_end
from pipelines.errors import LogChangedError
from pipelines.ingest.consume import source
from pipelines.ingest.run import Ingest, Totals
from pipelines.ingest.whence import OVERTAKEN
from pipelines.settings import IngestSettings
from tests.pipelines.test_ingest import drain, follow, publish, rows
from tests.pipelines.venue_frames import START_MS, Session, bybit_liquidation, bybit_ticker
from warehouse import lake

Delete = Callable[[list[str]], Awaitable[None]]
TABLES = ("liquidations", "raw_frames", "mark_prices", "funding_rates", "open_interest", "dead_letters")
FULL = {
    "fundingRate": "0.0001",
    "nextFundingTime": str(START_MS + 3_600_000),
    "openInterest": "5",
    "openInterestValue": "9",
}


def told(name: str, number: int) -> list[RawFrame]:
    """Return frames of one session, each with one liquidation that no other session has."""
    session, own = Session("bybit", name), sum(name.encode())
    return [
        session.frame("allLiquidation", "BTCUSDT", bybit_liquidation(START_MS + n, ("Buy", f"{own}", "100")), START_MS,
                      LIQUIDATION)
        for n in range(number)
    ]  # fmt: skip


def tickers(name: str, number: int) -> list[RawFrame]:
    session = Session("bybit", name)
    return [
        session.frame(
            "tickers", f"COIN{n}USDT",
            bybit_ticker(START_MS, "snapshot", 1, f"COIN{n}USDT", markPrice="1", **FULL), START_MS, TICKER,
        )
        for n in range(number)
    ]  # fmt: skip


def counts(world: Path) -> dict[str, int]:
    """Return each table's rows, and of liquidations how many differ."""
    found = {name: rows(world, f"SELECT count(*) FROM {name}")[0][0] for name in TABLES}
    different = "SELECT count(DISTINCT (session, seq)) FROM raw_frames"
    assert found["raw_frames"] == rows(world, different)[0][0], "a frame is stored twice"
    return found


def changes(world: Path) -> list[tuple[str, Any]]:
    """Return what was told of logs: the topic, and how many records were lost for good."""
    query = "SELECT kafka_topic, (detail ->> 'lost')::BIGINT, reason FROM collector_events WHERE event = 'log_changed'"
    return [(topic, lost) for topic, lost, _ in rows(world, f"{query} ORDER BY ALL")]


async def anew(kafka: dict[str, Any], delete_topics: Delete) -> None:
    await delete_topics([topic.name for topic in TOPICS])
    await ensure_topics(kafka, TOPICS)


@asynccontextmanager
async def following(kafka: dict[str, Any], world: Path) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    """Run an ingest for the block; what is given waits until so many records have been committed."""
    stop, committed = asyncio.Event(), asyncio.Condition()
    settings = IngestSettings(data=world, grid_s=1, commit_interval_s=0.05)

    async def wake() -> None:
        async with committed:
            committed.notify_all()

    tasks = set()

    def heard(_: Totals) -> None:
        tasks.add(asyncio.ensure_future(wake()))

    ingest = Ingest(settings, heard)
    running = asyncio.create_task(ingest.run(kafka, follow=True, stop=stop))

    async def until(records: int) -> None:
        async with asyncio.timeout(120), committed:
            await committed.wait_for(lambda: running.done() or ingest.totals.records >= records)
        assert not running.done(), running

    try:
        yield until
    finally:
        stop.set()
        await running


async def until_stored(world: Path, frames: int) -> None:
    """Wait until another process has stored so many frames."""
    async with asyncio.timeout(120):
        while (await asyncio.to_thread(rows, world, "SELECT count(*) FROM raw_frames"))[0][0] < frames:
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("number", [3, 60])
async def test_a_topic_made_anew_between_two_runs_is_read_whole(
    fresh_kafka: dict[str, Any], fresh_world: Path, delete_topics: Delete, number: int
) -> None:
    await publish(fresh_kafka, told("linear-1-a", 30))
    await drain(fresh_kafka, fresh_world)
    await anew(fresh_kafka, delete_topics)
    await publish(fresh_kafka, told("linear-2-b", number))
    for _ in range(2):
        await drain(fresh_kafka, fresh_world)
        assert (counts(fresh_world)["liquidations"], counts(fresh_world)["raw_frames"]) == (30 + number, 30 + number)
        assert changes(fresh_world) == [(LIQUIDATION, None)]


@pytest.mark.parametrize("number", [10, 90])
async def test_a_topic_made_anew_under_a_running_ingest_is_read_whole(
    fresh_kafka: dict[str, Any], fresh_world: Path, delete_topics: Delete, number: int
) -> None:
    """Also where the new log is at once longer than the old one was read, so that no offset is out of range."""
    async with following(fresh_kafka, fresh_world) as until:
        await publish(fresh_kafka, told("linear-1-a", 40))
        await until(40)
        await anew(fresh_kafka, delete_topics)
        await publish(fresh_kafka, told("linear-2-b", number))
        await until(40 + number)
    assert (counts(fresh_world)["liquidations"], counts(fresh_world)["raw_frames"]) == (40 + number, 40 + number)
    assert changes(fresh_world) == [(LIQUIDATION, None)]


async def test_what_retention_took_before_it_was_read_is_told_and_the_rest_is_stored(
    fresh_kafka: dict[str, Any], fresh_world: Path
) -> None:
    frames = told("linear-1-a", 40)
    await publish(fresh_kafka, frames[:10])
    await drain(fresh_kafka, fresh_world)
    await publish(fresh_kafka, frames[10:])
    (partition,) = {each for (each,) in rows(fresh_world, "SELECT DISTINCT kafka_partition FROM raw_frames")}
    async with administering(fresh_kafka) as admin:
        await admin.delete_records({TopicPartition(LIQUIDATION, partition): RecordsToDelete(before_offset=25)})
    for _ in range(2):
        await drain(fresh_kafka, fresh_world)
        stored = rows(fresh_world, "SELECT seq FROM raw_frames ORDER BY seq")
        assert [seq for (seq,) in stored] == [*range(1, 11), *range(26, 41)]
        assert changes(fresh_world) == [(LIQUIDATION, 15)]


async def test_what_retention_took_from_under_a_running_ingest_is_named_in_feed_gaps_and_nothing_else_is_lost(
    fresh_kafka: dict[str, Any], fresh_world: Path
) -> None:
    """Ingest is held up while the broker deletes what it has yet to read."""
    now_ms = time.time_ns() // 10**6
    session = Session("bybit", "linear-18f00-aa01")
    frames = [
        session.frame("allLiquidation", "BTCUSDT", bybit_liquidation(now_ms, ("Buy", f"{n}", "100")), now_ms, LIQUIDATION)
        for n in range(1, 41)
    ]  # fmt: skip
    told = {"channels": [{"channel": "allLiquidation", "topic": LIQUIDATION, "arguments": 1}]}
    await publish(fresh_kafka, [session.event(0, "subscribed", **told), *frames[:10]])
    process = await follow(fresh_world, fresh_kafka["bootstrap_servers"])
    await until_stored(fresh_world, 10)
    process.send_signal(signal.SIGSTOP)
    await publish(fresh_kafka, frames[10:11])  # what it had asked for when it stopped, if anything
    await publish(fresh_kafka, frames[11:])
    (partition,) = {each for (each,) in rows(fresh_world, "SELECT DISTINCT kafka_partition FROM raw_frames")}
    async with administering(fresh_kafka) as admin:
        await admin.delete_records({TopicPartition(LIQUIDATION, partition): RecordsToDelete(before_offset=25)})
    process.send_signal(signal.SIGCONT)
    await publish(fresh_kafka, [session.event(40, "stopped")])
    await until_stored(fresh_world, 25)
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0
    await drain(fresh_kafka, fresh_world)

    stored = [seq for (seq,) in rows(fresh_world, "SELECT seq FROM raw_frames ORDER BY seq")]
    lost = sorted(set(range(1, 41)) - set(stored))
    assert lost[-14:] == list(range(12, 26))
    assert set(lost) <= {11, *lost[-14:]}
    assert stored == sorted(set(range(1, 41)) - set(lost))
    assert counts(fresh_world)["liquidations"] == len(stored)
    assert changes(fresh_world) == [(LIQUIDATION, len(lost))]
    assert rows(fresh_world, "SELECT frames, missing, whole FROM frames_accounted") == [(len(stored), len(lost), False)]
    with lake.open(fresh_world, read_only=False) as warehouse:
        cover_to_the_end(warehouse, datetime.now(UTC).replace(tzinfo=None))
    gaps = rows(
        fresh_world, "SELECT venue, channel, reason, missing_s > 0 FROM feed_gaps WHERE topic = 'raw.liquidation'"
    )
    why = f"Kafka: {LIQUIDATION}[{partition}]: {OVERTAKEN} by {len(lost)} records, which were never read"
    assert [(venue, channel, reason.partition(";")[0], missing) for venue, channel, reason, missing in gaps] == [
        ("bybit", "allLiquidation", why, True)
    ]


async def test_frames_that_are_sent_again_are_stored_once_in_every_table(
    fresh_kafka: dict[str, Any], fresh_world: Path
) -> None:
    frames = [*told("linear-1-a", 30), *tickers("linear-1-t", 30)]
    await publish(fresh_kafka, frames)
    await drain(fresh_kafka, fresh_world)
    before = counts(fresh_world)
    assert before["mark_prices"] == before["liquidations"] == 30
    await publish(fresh_kafka, frames[10:])
    await drain(fresh_kafka, fresh_world)
    assert counts(fresh_world) == before
    assert rows(fresh_world, "SELECT sum(missing), sum(duplicates), sum(received_again) FROM frames_accounted") == [
        (0, 0, 50)
    ]


def power_loss(world: Path, pid: int, cut: int = 40) -> None:
    """Kill the broker, and take the last bytes of every log away, as what had not reached the disk."""
    os.kill(pid, signal.SIGKILL)
    while is_alive(pid, kafka_folder(world)):
        time.sleep(0.01)
    for log in (kafka_folder(world) / "data").glob("*.*-*/*.log"):
        if size := log.stat().st_size:
            os.truncate(log, max(0, size - cut))


async def test_logs_that_lost_their_tail_with_the_brokers_power_are_read_on_without_doubling_or_skipping(
    tmp_path: Path,
) -> None:
    started = await asyncio.to_thread(broker.start, tmp_path / "kafka")
    kafka = {"bootstrap_servers": started.bootstrap}
    try:
        await ensure_topics(kafka, TOPICS)
        for part in (told("linear-1-a", 20), tickers("linear-1-t", 20), told("linear-3-c", 10)):
            await publish(kafka, part)
        await drain(kafka, tmp_path)
        before = counts(tmp_path)
        power_loss(tmp_path / "kafka", started.pid)
        started = await asyncio.to_thread(broker.start, tmp_path / "kafka")
        for _ in range(3):
            await drain(kafka, tmp_path)
            assert counts(tmp_path) == before
        lost = changes(tmp_path)
        assert {topic for topic, _ in lost} == {LIQUIDATION, TICKER}

        power_loss(tmp_path / "kafka", started.pid)
        started = await asyncio.to_thread(broker.start, tmp_path / "kafka")
        await publish(kafka, [*told("linear-2-b", 70), *tickers("linear-2-t", 70)])  # past where the log was cut
        await drain(kafka, tmp_path)
        await _follows_a_power_loss(kafka, tmp_path, started.pid, counts(tmp_path))
        assert counts(tmp_path)["raw_frames"] == before["raw_frames"] + 70 + 25 + 80
    finally:
        await asyncio.to_thread(broker.stop, tmp_path / "kafka")


async def _follows_a_power_loss(kafka: dict[str, Any], world: Path, pid: int, before: dict[str, int]) -> None:
    """The same under a running ingest, with more sent at once than was lost."""
    assert before["raw_frames"] == 30 + 70
    async with following(kafka, world) as until:
        await publish(kafka, told("linear-4-d", 25))
        await until(25)
        power_loss(world / "kafka", pid)
        await asyncio.to_thread(broker.start, world / "kafka")
        await publish(kafka, told("linear-5-e", 80))
        await until(25 + 80)
    await drain(kafka, world)


async def test_a_leader_that_is_gone_is_noticed_when_the_ends_are_asked_of_it(fresh_kafka: dict[str, Any]) -> None:
    async with source(fresh_kafka) as records:
        now = await records.standings()
        records._standings = {at: each._replace(leader=99) for at, each in now.items()}
        with pytest.raises(KafkaError, match="99"):  # it leads still, so it is waited for
            await records.ends()
        records._standings = {at: each._replace(leader=99, epoch=each.epoch - 1) for at, each in now.items()}
        with pytest.raises(LogChangedError, match="has another leader"):
            await records.ends()
