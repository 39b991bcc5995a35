"""Delivery, whatever Kafka and the disk do: every frame arrives, in order, or is named. Kafka is played here."""

import asyncio
import errno
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import (
    InvalidTimestampError,
    KafkaConnectionError,
    MessageSizeTooLargeError,
    NotLeaderForPartitionError,
    OutOfOrderSequenceNumber,
    UnknownTopicOrPartitionError,
)

from collectors.delivery import keeper as keeping
from collectors.delivery import publisher as publishing
from collectors.delivery import sending
from collectors.delivery.lane import Chunk, Lane, in_thread
from collectors.delivery.publisher import MIB, Publisher
from collectors.delivery.recorder import Recorder
from collectors.delivery.segment import Segment
from collectors.delivery.spool import Spool
from collectors.envelope import RawFrame
from collectors.errors import BrokerError, NoBrokerError
from collectors.settings import CollectorSettings
from collectors.topics import EVENTS, FUNDING, LIQUIDATION, TICKER
from collectors.venues.venue import Frame
from tests.collectors.fake_kafka import PATIENCE_S, FakeKafka

QUICK = CollectorSettings(linger_ms=0, buffer_mib=1, flush_timeout_s=30)


@pytest.fixture
async def fake(monkeypatch: pytest.MonkeyPatch) -> FakeKafka:
    monkeypatch.setattr(sending, "delays", lambda: iter(lambda: 0.001, None))
    monkeypatch.setattr(keeping, "MOMENT_S", 0.002)
    return FakeKafka(monkeypatch)


def publisher(world: Path | None = None, mib: float = 64, **more: Any) -> Publisher:
    spool = Spool(world / "spool", int(mib * MIB)) if world else None
    return Publisher(dict, more.pop("settings", QUICK), spool=spool, **more)


def recorder(to: Publisher) -> Recorder:
    return Recorder("bybit", "linear", "ws", to)


def put(session: Recorder, count: int, topic: str = LIQUIDATION, size: int = 100) -> None:
    for _ in range(count):
        number = session.frames + 1
        session.frame(b"%d" % number + b" " * size, Frame("c", f"S{number % 7}", topic), number)


async def until(holds: Callable[[], Any]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await asyncio.sleep(0.001)


def files(world: Path) -> list[Path]:
    return list(world.rglob("*.seg"))


def in_order_once(frames: list[RawFrame], count: int) -> bool:
    """Say whether numbers 1 to `count` are there once each, and rise in every partition."""
    numbers: dict[int, list[int]] = {}
    for frame in frames:
        numbers.setdefault(frame.partition, []).append(frame.seq)
    return sorted(frame.seq for frame in frames) == list(range(1, count + 1)) and all(
        each == sorted(each) for each in numbers.values()
    )


@pytest.mark.parametrize(
    "error", [ZeroDivisionError("a bug"), OSError("no route"), OutOfOrderSequenceNumber(), NotLeaderForPartitionError()]
)
async def test_no_exception_of_a_delivery_drops_a_frame(fake: FakeKafka, error: Exception) -> None:
    failures = iter(range(6))

    def sometimes(topic: str, frames: list[RawFrame]) -> None:
        if next(failures, None) is not None:
            raise error

    fake.fails = sometimes
    async with publisher() as to:
        put(recorder(to), 1000)
        assert await to.flush(PATIENCE_S)
        assert (to.pending, to.pool.bytes, to.acknowledged[LIQUIDATION]) == (0, 0, 1000)
    assert in_order_once(fake.stored(LIQUIDATION), 1000)
    assert fake.opened > 1, "a producer that failed is not used again"


async def test_only_what_failed_is_sent_again(fake: FakeKafka) -> None:
    failed: list[int] = []

    def one_partition(topic: str, frames: list[RawFrame]) -> None:
        if frames[0].partition == 2 and len(failed) < 3:
            failed.append(len(frames))
            raise NotLeaderForPartitionError

    fake.fails = one_partition
    async with publisher() as to:
        put(recorder(to), 500)
        assert await to.flush(PATIENCE_S)
    assert failed == [failed[0]] * 3
    assert in_order_once(fake.stored(LIQUIDATION), 500)


async def test_of_a_batch_that_is_too_large_only_the_frame_that_is_goes_and_is_told(fake: FakeKafka) -> None:
    def too_large(topic: str, frames: list[RawFrame]) -> None:
        if any(len(frame.payload) > 5000 for frame in frames):
            raise MessageSizeTooLargeError

    fake.fails = too_large
    async with publisher() as to:
        session = recorder(to)
        put(session, 200)
        put(session, 1, size=6000)
        put(session, 200)
        assert await to.flush(PATIENCE_S)
        assert to.refused == 1
    numbers = sorted(frame.seq for frame in fake.stored(LIQUIDATION))
    assert numbers == [n for n in range(1, 402) if n != 201]
    (told,) = events(fake, "dropped")
    assert told["detail"]["runs"] == [[201, 201]]
    assert told["reason"].startswith("Kafka refused a frame of 6003 bytes")


async def test_a_time_that_kafka_refuses_is_left_out(fake: FakeKafka) -> None:
    first: list[int] = []

    def refuses(topic: str, frames: list[RawFrame]) -> None:
        first.extend(fake.times[:1])
        if topic == LIQUIDATION and any(time != sending.NO_TIMESTAMP for time in fake.times):
            raise InvalidTimestampError

    fake.fails = refuses
    async with publisher() as to:
        put(recorder(to), 100)
        assert await to.flush(PATIENCE_S)
    assert in_order_once(fake.stored(LIQUIDATION), 100)
    assert first[0] >= 0, "else it is the frame's own"


async def test_a_chunk_that_was_given_up_meanwhile_is_not_sent(fake: FakeKafka) -> None:
    async with publisher() as to:
        sender = sending.Sender(to.lanes[TICKER], to.link, to.offset, lambda: 1, lambda *_: None)
        frame = RawFrame("okx", "c", "S", "ws", 1, "one", 1, b"{}", TICKER)
        await sender.send(Chunk([frame], [frame], is_dropped=True))
    assert not fake.stored(TICKER)


async def test_a_lost_connection_is_noticed_before_an_answer_is_late(
    fake: FakeKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "LOOK_S", 0.01)
    fake.hangs = True
    async with publisher() as to:
        put(recorder(to), 10)
        await until(lambda: to.lanes[LIQUIDATION].flying and to.lanes[LIQUIDATION].flying.is_out)
        fake.is_there = fake.hangs = False
        await until(lambda: not to.link.is_there)
        fake.is_there = True
        assert await to.flush(10.0), "sooner than HANGS_S"
    assert in_order_once(fake.stored(LIQUIDATION), 10)


async def test_a_kafka_that_hangs_is_asked_again_and_numbers_never_go_back(
    fake: FakeKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "HANGS_S", 0.02)
    fake.loses_answers = True
    async with publisher() as to:
        put(recorder(to), 50)
        await until(lambda: len(fake.stored(LIQUIDATION)) >= 150)
        fake.loses_answers = False
        assert await to.flush(PATIENCE_S)
    assert fake.opened >= 3
    first: dict[int, list[int]] = {}
    for frame in fake.stored(LIQUIDATION):
        known = first.setdefault(frame.partition, [])
        if frame.seq not in known:
            assert not known or frame.seq > known[-1], "what is new to a partition is above all it had"
            known.append(frame.seq)
    assert sorted(seq for known in first.values() for seq in known) == list(range(1, 51))


async def test_a_kafka_that_is_away_fills_the_disk_not_the_memory_and_gets_all_when_it_is_back(
    fake: FakeKafka, tmp_path: Path
) -> None:
    fake.is_there = False
    async with publisher(tmp_path) as to:
        session = recorder(to)
        for _ in range(100):
            put(session, 100, size=400)  # five times the memory
            await until(lambda: not to.pending)
        assert to.spool is not None
        assert to.takes(TICKER)
        assert to.spool.frames == 10_000
        fake.is_there = True
        put(session, 100)
        assert await to.flush(PATIENCE_S)
        assert (to.spool.bytes, to.acknowledged[LIQUIDATION]) == (0, 10_100)
    assert in_order_once(fake.stored(LIQUIDATION), 10_100)
    assert not list((tmp_path / "spool").iterdir())


async def test_what_was_being_sent_when_kafka_went_is_on_disk_too(fake: FakeKafka, tmp_path: Path) -> None:
    fake.hangs = True
    async with publisher(tmp_path) as to:
        put(recorder(to), 100)
        await until(lambda: not to.pending)
        assert to.spool is not None
        assert to.spool.frames == 100
        again = Spool(tmp_path / "spool", MIB)
        assert again.adopt() == 0, "its process lives"
        fake.hangs = False
        to.link.fail(await to.link.producer(), KafkaConnectionError("lost"))
        assert await to.flush(PATIENCE_S)
    assert in_order_once(fake.stored(LIQUIDATION), 100)


async def test_what_kafka_takes_at_once_never_touches_the_disk(fake: FakeKafka, tmp_path: Path) -> None:
    async with publisher(tmp_path) as to:
        put(recorder(to), 1000)
        assert await to.flush(PATIENCE_S)
        assert not files(tmp_path)


async def test_at_the_end_what_kafka_does_not_take_goes_to_disk_and_the_next_process_delivers_it(
    fake: FakeKafka, tmp_path: Path
) -> None:
    fake.is_there = False
    async with publisher(tmp_path) as to:
        put(recorder(to), 300)
    assert (to.pending, to.spool_left) == (0, 300)
    fake.is_there = True
    async with publisher(tmp_path) as to:
        await fake.until(lambda: len(fake.stored(LIQUIDATION)) == 300)
        assert await to.flush(PATIENCE_S)
    assert in_order_once(fake.stored(LIQUIDATION), 300)
    assert not list((tmp_path / "spool").iterdir())


async def test_a_living_process_delivers_what_a_killed_one_left(
    fake: FakeKafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "ADOPT_S", 0.005)
    async with publisher(tmp_path) as to:
        put(recorder(to), 10)
        assert await to.flush(PATIENCE_S)
        left = Spool(tmp_path / "spool", MIB)
        left.append(LIQUIDATION, [RawFrame("okx", "c", "S", "ws", 1, "killed", 7, b"{}", LIQUIDATION)])
        left.close()
        await fake.until(lambda: any(frame.session == "killed" for frame in fake.stored(LIQUIDATION)))
        assert await to.flush(PATIENCE_S)
    (frame,) = [frame for frame in fake.stored(LIQUIDATION) if frame.session == "killed"]
    assert (frame.venue, frame.seq, frame.payload) == ("okx", 7, b"{}")
    assert not [frame for frame in fake.stored(EVENTS) if frame.session == "killed"], "no end is invented"


def events(fake: FakeKafka, name: str) -> list[dict[str, Any]]:
    return [each for frame in fake.stored(EVENTS) if (each := json.loads(frame.payload))["event"] == name]


async def test_a_full_spool_gives_up_tickers_names_each_and_keeps_all_else(fake: FakeKafka, tmp_path: Path) -> None:
    fake.is_there = False
    async with publisher(tmp_path, mib=2) as to:
        session = recorder(to)
        for _ in range(40):
            put(session, 90, TICKER, size=1000)
            put(session, 10, LIQUIDATION, size=1000)
            await until(lambda: not to.pending)
        assert to.spool is not None
        assert to.spool.bytes <= 2 * MIB
        assert not to.is_gapped(session.session), "what is left of it is still on disk"
        fake.is_there = True
        assert await to.flush(PATIENCE_S)
        assert to.keeper is not None
        assert to.keeper.dropped.keys() == {TICKER}
        assert to.is_gapped(session.session)
        assert not to.is_gapped(session.session)
    dropped = events(fake, "dropped")
    gone = [n for each in dropped for first, last in each["detail"]["runs"] for n in range(first, last + 1)]
    assert len(gone) == sum(each["detail"]["frames"] for each in dropped) == to.keeper.dropped[TICKER]
    assert {each["session"] for each in dropped} == {session.session}
    assert {each["reason"] for each in dropped} == {"the spool is full"}
    there = [frame.seq for frame in (*fake.stored(TICKER), *fake.stored(LIQUIDATION))]
    assert sorted(there + gone) == list(range(1, 4001)), "stored or named, each once"
    assert len(fake.stored(LIQUIDATION)) == 400
    assert max(gone) < max(frame.seq for frame in fake.stored(TICKER)), "the oldest are given up"


async def test_liquidations_take_the_room_of_what_is_worth_least_first(fake: FakeKafka, tmp_path: Path) -> None:
    fake.is_there = False
    async with publisher(tmp_path, mib=1) as to:
        session = recorder(to)
        assert to.spool is not None
        assert to.keeper is not None
        for topic in (TICKER, FUNDING):
            for _ in range(10):
                put(session, 40, topic, size=1000)
                await until(lambda: not to.pending)
        for _ in range(10):
            put(session, 30, size=1000)
            await until(lambda: not to.pending)
        assert to.spool.bytes <= MIB
        assert to.keeper.dropped.keys() == {TICKER}
        while FUNDING not in to.keeper.dropped:
            put(session, 30, size=1000)
            await until(lambda: not to.pending)
        assert not [segment for segment in to.spool.of(TICKER) if segment.waiting]
        fake.is_there = True
        assert await to.flush(PATIENCE_S)
    assert len(fake.stored(LIQUIDATION)) == session.frames - 800


async def test_what_is_worth_more_is_never_given_up_for_what_is_worth_less(fake: FakeKafka, tmp_path: Path) -> None:
    fake.is_there = False
    async with publisher(tmp_path, mib=1) as to:
        session = recorder(to)
        while to.spool is not None and to.spool.bytes < 0.9 * MIB:
            put(session, 50, FUNDING, size=1000)
            await until(lambda: not to.pending)
        funding = session.frames
        while to.takes(TICKER):
            put(session, 50, TICKER, size=1000)
            await asyncio.sleep(0.003)
        assert to.keeper is not None
        assert FUNDING not in to.keeper.dropped
        assert to.takes(LIQUIDATION), "there is room for it while there is none for tickers"
        put(session, 50, LIQUIDATION, size=1000)
        fake.is_there = True
        assert await to.flush(PATIENCE_S)
    assert len(fake.stored(LIQUIDATION)) == 50
    assert funding == len(fake.stored(FUNDING)) + to.keeper.dropped[FUNDING]


async def test_what_a_producer_has_is_not_given_up(fake: FakeKafka, tmp_path: Path) -> None:
    fake.is_there = False
    async with publisher(tmp_path) as to:
        put(recorder(to), 10, TICKER)
        await until(lambda: not to.pending)
        fake.hangs = fake.is_there = True
        await until(lambda: to.lanes[TICKER].flying and to.lanes[TICKER].flying.is_out)
        assert to.keeper is not None
        assert not await to.keeper._drop(to.lanes[TICKER], "for room")
        fake.hangs = False
        to.link.fail(await to.link.producer(), KafkaConnectionError("lost"))
        assert await to.flush(PATIENCE_S)
    assert in_order_once(fake.stored(TICKER), 10)
    assert not events(fake, "dropped")


async def test_what_was_being_sent_may_be_given_up_when_its_producer_is_gone_and_only_what_kafka_lacks_is_named(
    fake: FakeKafka, tmp_path: Path
) -> None:
    def but_one_partition(topic: str, frames: list[RawFrame]) -> None:
        if topic == TICKER and frames[0].partition != 1:
            raise KafkaConnectionError("gone")

    fake.is_there, fake.fails = False, but_one_partition
    async with publisher(tmp_path) as to:
        put(recorder(to), 70, TICKER)
        await until(lambda: not to.pending)
        fake.is_there = True
        await until(lambda: fake.stored(TICKER))
        assert to.keeper is not None
        while not await to.keeper._drop(to.lanes[TICKER], "for room"):  # a producer has it now and then
            await asyncio.sleep(0)
        fake.fails = lambda topic, frames: None
        assert await to.flush(PATIENCE_S)
    there = {frame.seq for frame in fake.stored(TICKER)}
    (told,) = events(fake, "dropped")
    gone = {n for first, last in told["detail"]["runs"] for n in range(first, last + 1)}
    assert there
    assert gone
    assert not there & gone
    assert there | gone == set(range(1, 71))


async def test_a_bug_in_delivery_forgets_nothing(fake: FakeKafka, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "AFTER_A_BUG_S", 0.001)
    real, failures = Lane.settle, iter(range(3))

    async def broken(self: Lane, chunk: Chunk) -> None:
        if next(failures, None) is not None:
            raise RuntimeError("a bug")
        await real(self, chunk)

    monkeypatch.setattr(Lane, "settle", broken)
    async with publisher() as to:
        put(recorder(to), 100)
        assert await to.flush(PATIENCE_S)
    assert {frame.seq for frame in fake.stored(LIQUIDATION)} == set(range(1, 101))


async def test_while_a_topic_is_on_disk_what_comes_goes_there_at_once(
    fake: FakeKafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.is_there = False
    async with publisher(tmp_path) as to:
        put(recorder(to), 10)
    monkeypatch.setattr(publishing, "MOMENTS", 1 << 30)
    async with publisher(tmp_path) as to:
        await until(lambda: to.lanes[LIQUIDATION].is_on_disk)
        put(recorder(to), 10)
        await until(lambda: not to.lanes[LIQUIDATION].frames)
        put(recorder(to), 10, TICKER)
        await asyncio.sleep(0.05)
        assert to.lanes[TICKER].frames == 10


async def test_what_waited_too_long_is_given_up_by_name(
    fake: FakeKafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "ADOPT_S", 0.005)
    fake.is_there = False
    settings = QUICK.model_copy(update={"spool_hours": 1e-9})
    async with publisher(tmp_path, settings=settings) as to:
        session = recorder(to)
        put(session, 10, TICKER)
        assert to.keeper is not None
        await until(lambda: to.keeper is not None and to.keeper.dropped[TICKER] == 10)
        to.keeper._oldest_h = 1.0
        fake.is_there = True
        assert await to.flush(PATIENCE_S)
    (told,) = events(fake, "dropped")
    assert told["detail"]["runs"] == [[1, 10]]
    assert "waited for more than" in told["reason"]


async def test_a_full_disk_lets_readers_wait_is_told_once_and_loses_nothing(
    fake: FakeKafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "RETRY_S", 0.002)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(Segment, "append", full)
        fake.is_there = False
        async with publisher(tmp_path) as to:
            session = recorder(to)
            while to.takes(LIQUIDATION):
                put(session, 100, size=1000)
                await asyncio.sleep(0)
            assert to.pool.bytes < 1.2 * MIB
            await until(lambda: to.keeper is not None and to.keeper.trouble)
            waiting = asyncio.create_task(to.room(LIQUIDATION))
            await asyncio.sleep(0.02)
            assert not waiting.done()
            disk.undo()
            await asyncio.wait_for(waiting, PATIENCE_S)
            fake.is_there = True
            assert await to.flush(PATIENCE_S)
    assert in_order_once(fake.stored(LIQUIDATION), session.frames)
    reasons = [each["reason"] for each in events(fake, "notice")]
    assert len([reason for reason in reasons if "cannot be written" in reason and "No space left" in reason]) == 1
    assert reasons[-1] == "the spool can be written again"


async def test_a_collector_begins_before_kafka_is_there_and_says_so_once(
    fake: FakeKafka, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tries = 0

    async def prepare() -> None:
        nonlocal tries
        tries += 1
        if tries < 4:
            raise NoBrokerError("no embedded broker runs")

    async with publisher(tmp_path, prepare=prepare) as to:
        put(recorder(to), 100)
        assert await to.flush(PATIENCE_S)
        assert not to.link.refusal.done()
    assert in_order_once(fake.stored(LIQUIDATION), 100)
    told = [record.getMessage() for record in caplog.records if "does not take frames" in record.getMessage()]
    assert len(told) == 1
    assert "no embedded broker runs" in told[0]


async def test_a_kafka_that_refuses_the_topics_at_the_start_is_final(fake: FakeKafka) -> None:
    async def prepare() -> None:
        raise BrokerError("Kafka refuses to create topic raw.ticker")

    settings = QUICK.model_copy(update={"flush_timeout_s": 0.01})
    async with publisher(prepare=prepare, settings=settings) as to:
        assert "refuses to create" in str(await asyncio.wait_for(to.link.refusal, PATIENCE_S))


async def test_who_is_cancelled_while_a_thread_works_on_a_file_waits_for_it() -> None:
    began, over = threading.Event(), threading.Event()

    def work() -> None:
        began.set()
        over.wait(PATIENCE_S)

    waiting = asyncio.create_task(in_thread(work))
    await asyncio.to_thread(began.wait, PATIENCE_S)
    waiting.cancel()
    await asyncio.sleep(0.02)
    assert not waiting.done()
    over.set()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(waiting, PATIENCE_S)


async def test_a_file_that_cannot_be_read_just_now_is_read_later(
    fake: FakeKafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "AFTER_A_BUG_S", 0.001)
    real, failures = Segment.read, iter(range(3))

    def busy(self: Segment, *limits: int) -> Any:
        if next(failures, None) is not None:
            raise OSError(errno.EMFILE, "Too many open files")
        return real(self, *limits)

    monkeypatch.setattr(Segment, "read", busy)
    fake.is_there = False
    async with publisher(tmp_path) as to:
        put(recorder(to), 10)
        await until(lambda: not to.pending)
        fake.is_there = True
        assert await to.flush(PATIENCE_S)
    assert in_order_once(fake.stored(LIQUIDATION), 10)
    assert not events(fake, "notice")


async def test_a_torn_end_is_cut_and_told(fake: FakeKafka, tmp_path: Path) -> None:
    fake.is_there = False
    async with publisher(tmp_path) as to:
        put(recorder(to), 10)
    (file,) = [path for path in files(tmp_path) if path.parent.name == LIQUIDATION]
    os.truncate(file, file.stat().st_size - 7)
    fake.is_there = True
    async with publisher(tmp_path) as to:
        await fake.until(lambda: len(fake.stored(LIQUIDATION)) == 9)
        assert await to.flush(PATIENCE_S)
    assert in_order_once(fake.stored(LIQUIDATION), 9)
    assert [each["reason"] for each in events(fake, "notice") if "torn" in each["reason"]]
    assert not files(tmp_path)


async def test_topics_that_are_gone_are_made_anew(fake: FakeKafka) -> None:
    made = 0

    async def prepare() -> None:
        nonlocal made
        made += 1

    failures = iter(range(2))

    def gone(topic: str, frames: list[RawFrame]) -> None:
        if topic == LIQUIDATION and next(failures, None) is not None:
            raise UnknownTopicOrPartitionError

    fake.fails = gone
    async with publisher(prepare=prepare) as to:
        put(recorder(to), 10)
        assert await to.flush(PATIENCE_S)
    assert made >= 2
    assert in_order_once(fake.stored(LIQUIDATION), 10)


async def test_a_kafka_that_refuses_only_later_is_waited_for(fake: FakeKafka) -> None:
    answers: list[Exception] = [NoBrokerError("none runs"), BrokerError("Kafka refuses to create topic raw.ticker")]

    async def prepare() -> None:
        if answers:
            raise answers.pop(0)

    async with publisher(prepare=prepare) as to:
        put(recorder(to), 10)
        assert await to.flush(PATIENCE_S)
        assert not to.link.refusal.done()
    assert in_order_once(fake.stored(LIQUIDATION), 10)


async def test_a_deleted_spool_file_is_told_and_the_rest_arrives(fake: FakeKafka, tmp_path: Path) -> None:
    fake.is_there = False
    async with publisher(tmp_path) as to:
        session = recorder(to)
        put(session, 10)
        await until(lambda: not to.pending)
        for path in files(tmp_path):
            path.unlink()
        fake.is_there = True
        put(session, 10)
        assert await to.flush(PATIENCE_S)
    assert [frame.seq for frame in fake.stored(LIQUIDATION)] != []
    assert any("cannot be read" in each["reason"] for each in events(fake, "notice"))
