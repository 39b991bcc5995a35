"""Delivery, whatever Kafka answers: every frame arrives, in order, or is named. Kafka is played here."""

import asyncio
from pathlib import Path

import pytest
from aiokafka.errors import (
    InvalidTimestampError,
    MessageSizeTooLargeError,
    NotLeaderForPartitionError,
    OutOfOrderSequenceNumber,
    UnknownTopicOrPartitionError,
)

from collectors.delivery import publisher as publishing
from collectors.delivery import sending
from collectors.delivery.lane import Chunk, Lane
from collectors.envelope import RawFrame
from collectors.errors import BrokerError, NoBrokerError
from collectors.topics import LIQUIDATION, TICKER
from tests.collectors.delivering import QUICK, events, in_order_once, publisher, put, recorder, until
from tests.collectors.fake_kafka import PATIENCE_S, FakeKafka


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
    assert sending.NO_TIMESTAMP == -1, "so Kafka's protocol says that there is none"


async def test_a_chunk_that_was_given_up_meanwhile_is_not_sent(fake: FakeKafka) -> None:
    async with publisher() as to:
        sender = sending.Sender(to.lanes[TICKER], to.link, to.offset, lambda: 1, lambda *_: None)
        frame = RawFrame("okx", "c", "S", "ws", 1, "one", "a", "live", 1, b"{}", TICKER)
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


async def test_what_kafka_did_not_take_in_time_is_lost_without_a_disk_and_the_log_says_how_much(
    fake: FakeKafka, caplog: pytest.LogCaptureFixture
) -> None:
    fake.is_there = False
    async with publisher(settings=QUICK.model_copy(update={"flush_timeout_s": 0.01})) as to:
        put(recorder(to), 7)
    assert any(message.startswith("lost frames=7 bytes=") for message in caplog.messages)


async def test_a_session_of_which_nothing_was_given_up_is_not_gapped_and_one_that_was_is_so_once(
    fake: FakeKafka, tmp_path: Path
) -> None:
    async with publisher() as to:
        assert not to.is_gapped("one"), "without a disk nothing is given up"
    async with publisher(tmp_path) as to:
        assert to.keeper
        to.keeper.gapped.add("two")
        assert [to.is_gapped(name) for name in ("one", "two", "two")] == [False, True, False]
        put(recorder(to), 3)
        assert await to.flush(PATIENCE_S)


async def test_room_for_a_topic_depends_on_what_it_is_worth(fake: FakeKafka) -> None:
    fake.is_there = False
    async with publisher(settings=QUICK.model_copy(update={"flush_timeout_s": 0.01})) as to:
        assert all(map(to.takes, (LIQUIDATION, TICKER)))
        put(recorder(to), 6, size=100_000)  # of one MiB
        assert (to.takes(LIQUIDATION), to.takes(TICKER)) == (True, False)
        put(recorder(to), 6, size=100_000)
        assert (to.takes(LIQUIDATION), to.takes(TICKER)) == (False, False)
