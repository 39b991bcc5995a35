"""Delivery while Kafka is away: what waits lies on disk, outlives its process and arrives in order. Kafka is played here."""

import asyncio
import errno
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
)

from collectors.delivery import keeper as keeping
from collectors.delivery import publisher as publishing
from collectors.delivery.lane import in_thread
from collectors.delivery.publisher import MIB
from collectors.delivery.segment import Segment
from collectors.delivery.spool import Spool
from collectors.envelope import RawFrame
from collectors.topics import EVENTS, LIQUIDATION, TICKER
from tests.collectors.delivering import events, files, in_order_once, publisher, put, recorder, until
from tests.collectors.fake_kafka import PATIENCE_S, FakeKafka


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
        left.append(LIQUIDATION, [RawFrame("okx", "c", "S", "ws", 1, "killed", "a", "live", 7, b"{}", LIQUIDATION)])
        left.close()
        await fake.until(lambda: any(frame.session == "killed" for frame in fake.stored(LIQUIDATION)))
        assert await to.flush(PATIENCE_S)
    (frame,) = [frame for frame in fake.stored(LIQUIDATION) if frame.session == "killed"]
    assert (frame.venue, frame.seq, frame.payload) == ("okx", 7, b"{}")
    assert not [frame for frame in fake.stored(EVENTS) if frame.session == "killed"], "no end is invented"


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
