"""How ingest reads on and when it commits, on logs in memory: at the set time, when enough waits, and never past a change."""

import asyncio
from collections.abc import Collection
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError, KafkaError

from collectors.envelope import RawFrame
from collectors.topics import LIQUIDATION, TICKER
from pipelines.errors import LogChangedError
from pipelines.ingest import reading
from pipelines.ingest.batch import Batch
from pipelines.ingest.consume import Slice
from pipelines.ingest.incarnation import Partition
from pipelines.ingest.merge import Merge
from pipelines.ingest.reading import Reading
from pipelines.ingest.ready import Ready
from pipelines.settings import IngestSettings
from tests.pipelines.logs import ALL, GRID_S, Kafka
from tests.pipelines.venue_frames import START_MS, Session, bybit_liquidation, bybit_ticker

FAR_S = 1e6


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "AGAIN_S", 0.001)


class Records:
    """The logs as a source. `fails`: what the next calls of `verify` raise."""

    def __init__(self, kafka: Kafka) -> None:
        self.kafka = kafka
        self.position = dict.fromkeys(ALL, 0)
        self.fails: list[Exception] = []
        self.verified = 0

    async def next(self, most: int, timeout_ms: int, of: Collection[Partition] = ()) -> list[Slice]:
        await asyncio.sleep(0)
        found = []
        for at in of:
            start, end = self.position[at], min(len(self.kafka.logs[at]), self.position[at] + most)
            if start < end:
                found.append(self.kafka.slice(at, start, end))
                self.position[at] = end
        return found

    async def ends(self) -> dict[Partition, int]:
        return {at: len(log) for at, log in self.kafka.logs.items()}

    async def verify(self) -> None:
        self.verified += 1
        if self.fails:
            raise self.fails.pop(0)


class World:
    """An ingest of logs in memory; `commits` has the records of each commit, by topic."""

    def __init__(self, patient: bool = True, commit_interval_s: float = 0.01, **settings: Any) -> None:
        self.kafka = Kafka()
        self.records = Records(self.kafka)
        self.commits: list[dict[str, int]] = []
        self.told = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.stop = asyncio.Event()
        self.changed = asyncio.Event()
        given: Any = {"commit_interval_s": commit_interval_s, "grid_s": GRID_S} | settings
        self.batch = Batch(GRID_S, {}, keep_all_frames=False)
        records: Any = self.records
        own, merge = IngestSettings().model_copy(update=given), Merge(dict.fromkeys(ALL, 0))
        self.reading = Reading(records, self.batch, merge, own, self.commit, self.heard, patient)

    def heard(self, found: list[Slice]) -> None:
        self.told += sum(each.records for each in found)

    async def commit(self, ready: Ready) -> None:
        await self.gate.wait()
        records = {at[0]: span.records for at, span in ready.spans.items()}
        self.commits.append(records)
        self.changed.set()

    @property
    def committed(self) -> int:
        return sum(sum(each.values()) for each in self.commits)

    async def until(self, records: int) -> None:
        async with asyncio.timeout(120):
            while self.committed < records:
                self.changed.clear()
                await self.changed.wait()

    def put(self, count: int) -> None:
        session = Session("bybit", "linear-1-a")
        for n in range(count):
            message = bybit_liquidation(START_MS + n, ("Buy", "1", "100"))
            frame = session.frame("allLiquidation", "BTCUSDT", message, START_MS + n, LIQUIDATION)
            self.kafka.put(frame, START_MS + n)


def ticker(at_ms: int) -> RawFrame:
    return Session("bybit", "linear-1-t").frame(
        "tickers", "BTCUSDT", bybit_ticker(at_ms, "snapshot", 1, markPrice="1"), at_ms, TICKER
    )


async def test_a_drain_reads_to_the_end_commits_everything_and_is_over() -> None:
    world = World()
    world.put(25)
    world.kafka.put(ticker(START_MS + 5), START_MS + 5)
    await world.reading.drain(world.stop)
    await world.reading.settled()
    assert (world.committed, world.told) == (26, 26)
    assert sum(each.get(TICKER, 0) for each in world.commits) == 1, "open buckets too"
    assert world.batch.is_idle


async def test_a_drain_that_is_stopped_leaves_open_buckets_to_be_read_again() -> None:
    world = World()
    world.put(3)
    world.kafka.put(ticker(START_MS), START_MS)
    world.stop.set()
    await world.reading.drain(world.stop)
    await world.reading.settled()
    assert not any(TICKER in each for each in world.commits)


@pytest.mark.parametrize("bound", [{"batch_frames": 10}, {"batch_bytes": 1000}])
async def test_what_is_enough_for_a_commit_is_committed_before_its_time(
    bound: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By frames or by bytes; what is left waits for its time, or for the end."""
    monkeypatch.setattr(reading, "AT_A_TIME", 5)
    world = World(commit_interval_s=FAR_S, **bound)
    world.put(1)
    following = asyncio.create_task(world.reading.follow(world.stop))
    await asyncio.sleep(0)
    world.put(30)
    await world.until(20)
    world.stop.set()
    await following
    await world.reading.settled()
    assert world.committed >= 20


async def test_nothing_is_committed_before_its_time_where_little_waits() -> None:
    world = World(commit_interval_s=FAR_S)
    world.put(5)
    for _ in range(20):
        await world.reading._read()
        await world.reading._offer(due=False)
    assert (world.told, world.commits, world.records.verified) == (5, [], 0)
    await world.reading._offer(due=True)
    await world.reading.settled()
    assert world.committed > 0


async def test_while_a_commit_is_under_way_reading_goes_on_and_no_second_one_begins() -> None:
    world = World()
    world.put(5)
    world.gate.clear()
    following = asyncio.create_task(world.reading.follow(world.stop))
    while not world.records.verified:
        await asyncio.sleep(0.001)
    world.put(5)
    while world.told < 10:
        await asyncio.sleep(0.001)
    assert (world.records.verified, world.commits) == (1, [])
    world.gate.set()
    await world.until(9)  # the last millisecond is not over
    world.stop.set()
    await following
    await world.reading.settled()


async def test_after_a_commit_little_waits_for_its_time() -> None:
    world = World(commit_interval_s=FAR_S)
    world.put(5)
    following = asyncio.create_task(world.reading.follow(world.stop))
    await world.until(4)
    before, offers = len(world.commits), world.records.verified
    world.put(5)
    while world.told < 10:
        await asyncio.sleep(0.001)
    for _ in range(100):
        await asyncio.sleep(0)
    assert (len(world.commits), world.records.verified) == (before, offers)
    world.stop.set()
    await following
    await world.reading.settled()
    assert world.committed > 4, "the rest at the end"


async def test_a_batch_that_is_full_while_a_commit_is_under_way_is_waited_with_and_nothing_more_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "AT_A_TIME", 5)
    world = World(batch_frames=5)
    world.put(8)
    world.gate.clear()
    following = asyncio.create_task(world.reading.follow(world.stop))
    while not world.records.verified:
        await asyncio.sleep(0.001)
    for at in range(2):
        world.put(8)
        while world.told < 8 * (at + 2) and not world.reading._full:
            await asyncio.sleep(0.001)
    asyncio.get_running_loop().call_later(0.05, world.gate.set)
    await world.until(20)
    world.stop.set()
    await following
    await world.reading.settled()


async def test_a_kafka_that_does_not_answer_is_waited_for_by_who_follows_and_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    world.put(5)
    world.records.fails = [KafkaConnectionError("away"), KafkaConnectionError("away"), KafkaConnectionError("away")]
    following = asyncio.create_task(world.reading.follow(world.stop))
    await world.until(4)
    world.stop.set()
    await following
    await world.reading.settled()
    told = [message for message in caplog.messages if message.startswith("kafka state=")]
    assert [message.split()[1] for message in told] == ["state=silent", "state=answers"]


async def test_a_kafka_that_does_not_answer_ends_a_drain() -> None:
    world = World(patient=False)
    world.put(5)
    world.records.fails = [KafkaConnectionError("away")] * 5
    with pytest.raises(KafkaError):
        await world.reading.drain(world.stop)
    assert world.commits == []


@pytest.mark.parametrize("patient", [True, False])
async def test_nothing_is_committed_of_a_log_that_has_changed(patient: bool) -> None:
    world = World(patient=patient)
    world.put(5)
    world.records.fails = [LogChangedError("it is another one now")]
    with pytest.raises(LogChangedError):
        await world.reading.follow(world.stop)
    await world.reading.settled()
    assert world.commits == []


async def test_a_commit_that_fails_ends_the_reading_with_its_error() -> None:
    world = World()
    world.put(5)

    async def fails(ready: Ready) -> None:
        raise ZeroDivisionError("a bug")

    world.reading._commit = fails
    with pytest.raises(ZeroDivisionError):
        await world.reading.follow(world.stop)
