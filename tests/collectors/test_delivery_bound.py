"""Delivery at the bound of the disk: what is worth least is given up first, and each frame given up is named."""

import asyncio
import errno
from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
)

from collectors.delivery import keeper as keeping
from collectors.delivery.publisher import MIB, Publisher
from collectors.delivery.segment import Segment
from collectors.delivery.spool import Spool
from collectors.envelope import RawFrame
from collectors.topics import FUNDING, LIQUIDATION, TICKER
from tests.collectors.delivering import QUICK, events, files, in_order_once, publisher, put, recorder, until
from tests.collectors.fake_kafka import PATIENCE_S, FakeKafka


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


async def test_an_old_file_that_a_producer_has_costs_no_younger_one(
    fake: FakeKafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kafka hangs with the oldest file as that passes the bound of age; those behind it are young."""
    monkeypatch.setattr(keeping, "ADOPT_S", 0.002)
    now, fake.hangs = [0.0], True
    spool = Spool(tmp_path / "spool", 64 * MIB, clock=lambda: now[0])
    async with Publisher(dict, QUICK, spool=spool) as to:
        session = recorder(to)
        for hour in (0, 100):
            now[0] = hour * 3600.0
            put(session, 2000, size=5000)
            await until(lambda: not to.pool.frames)
        lane = to.lanes[LIQUIDATION]
        await until(lambda: lane.flying is not None and lane.flying.is_out and lane.flying.place is not None)
        assert len(spool.of(LIQUIDATION)) > 2
        now[0] = 169 * 3600.0
        await asyncio.sleep(0.1)
        assert to.keeper is not None
        assert not to.keeper.dropped
        now[0] = 100 * 3600.0
        fake.hangs = False
        assert await to.flush(PATIENCE_S)


@pytest.mark.parametrize(
    ("number", "said"), [(errno.EROFS, "Read-only file system"), (errno.EIO, "Input/output error")]
)
async def test_a_disk_that_fails_otherwise_than_by_being_full_costs_no_file(
    fake: FakeKafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    monkeypatch.setattr(keeping, "RETRY_S", 0.002)

    def fails(*_: Any, **__: Any) -> None:
        raise OSError(number, said)

    fake.is_there = False
    async with publisher(tmp_path) as to:
        session = recorder(to)
        put(session, 100, TICKER)
        await until(lambda: not to.pool.frames)
        with monkeypatch.context() as disk:
            disk.setattr(Segment, "append", fails)
            put(session, 100)
            assert to.keeper is not None
            await until(lambda: to.keeper is not None and to.keeper.trouble)
            await asyncio.sleep(0.05)
            assert not to.keeper.dropped
            assert to.spool is not None
            assert to.spool.waits(TICKER)
        fake.is_there = True
        assert await to.flush(PATIENCE_S)
    assert len(fake.stored(TICKER)) == len(fake.stored(LIQUIDATION)) == 100


async def test_a_file_that_the_disk_does_not_give_back_is_told_when_its_room_is_needed(
    fake: FakeKafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Segment.read

    def lost(self: Segment, *given: Any) -> Any:
        if self.topic == TICKER:
            raise OSError(errno.EIO, "Input/output error")
        return real(self, *given)

    fake.is_there = False
    async with publisher(tmp_path, mib=1) as to:
        session = recorder(to)
        put(session, 160, TICKER, size=1000)
        await until(lambda: not to.pool.frames)
        with monkeypatch.context() as disk:
            disk.setattr(Segment, "read", lost)
            for _ in range(10):
                put(session, 90, size=1000)
                await until(lambda: not to.pending)
        fake.is_there = True
        assert await to.flush(PATIENCE_S)
    reasons = [each["reason"] for each in events(fake, "notice")]
    assert any("frames of raw.ticker on disk cannot be read" in reason for reason in reasons)
    assert [path for path in files(tmp_path, "*.unreadable") if TICKER in str(path)]
