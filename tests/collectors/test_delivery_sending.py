"""How one lane's frames are sent: how long an answer is waited for, and how large a batch may be."""

import asyncio

import msgspec
import pytest
from aiokafka.errors import InvalidTimestampError, MessageSizeTooLargeError

from collectors.delivery import sending
from collectors.delivery.lane import Chunk
from collectors.delivery.publisher import Publisher
from collectors.delivery.sending import MOST_FRAMES, Sender
from collectors.envelope import RawFrame
from collectors.topics import LIQUIDATION
from tests.collectors.delivering import publisher
from tests.collectors.fake_kafka import FakeKafka

FRAME = RawFrame("okx", "c", "S", "ws", 1, "one", "a", "live", 1, b"{}", LIQUIDATION)


def sender_of(to: Publisher) -> Sender:
    return Sender(to.lanes[LIQUIDATION], to.link, to.offset, lambda: 1, lambda *_: None)


async def test_an_answer_that_is_late_on_a_line_that_is_open_is_waited_for(
    fake: FakeKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else every slow moment of Kafka would send its batches twice."""
    monkeypatch.setattr(sending, "LOOK_S", 0.001)
    async with publisher() as to:
        sender, producer = sender_of(to), await to.link.producer()
        answers: list[asyncio.Future[int]] = [asyncio.get_running_loop().create_future() for _ in range(2)]
        for n, answer in enumerate(answers):
            asyncio.get_running_loop().call_later(0.02 * (n + 1), answer.set_result, n)
        assert await sender._answered(producer, answers) == ""
        assert all(answer.done() for answer in answers)
        fake.is_there = False
        never: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        assert await sender._answered(producer, [never]) == "the connection is lost"
        fake.is_there = True


async def test_each_time_no_answer_comes_the_next_is_waited_for_longer_up_to_a_bound(
    fake: FakeKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "HANGS_S", 0.01)
    monkeypatch.setattr(sending, "LONGEST_HANG_S", 0.03)
    async with publisher() as to:
        sender, producer = sender_of(to), await to.link.producer()
        never: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        waits = []
        for _ in range(4):
            assert await sender._answered(producer, [never]) == "no answer for 0 s"
            waits.append(sender._hangs_s)
        assert waits == [0.02, 0.03, 0.03, 0.03]
        await sender.send(Chunk([FRAME], [FRAME]))
        assert sender._hangs_s == 0.01, "an answer begins anew"


async def test_batches_that_were_too_large_once_become_large_again(fake: FakeKafka) -> None:
    async with publisher() as to:
        sender = sender_of(to)
        sender._limit = 1
        sizes = []
        for _ in range(16):
            await sender.send(Chunk([FRAME], [FRAME]))
            sizes.append(sender._limit)
        assert sizes == [min(MOST_FRAMES, 2 ** (n + 1)) for n in range(16)]
    assert len(fake.stored(LIQUIDATION)) == 16


async def test_a_batch_has_no_more_frames_than_the_limit_and_of_each_partition_the_oldest(fake: FakeKafka) -> None:
    frames = [RawFrame("okx", "c", f"S{n % 5}", "ws", 1, "one", "a", "live", n, b"{}", LIQUIDATION) for n in range(40)]
    async with publisher() as to:
        sender, producer = sender_of(to), await to.link.producer()
        sender._limit = 2
        partitions = sorted(await producer.partitions_for(LIQUIDATION))
        batches = sender._batches(producer, partitions, frames)
        assert all(len(batch.frames) <= 2 and batch.builder.is_closed for batch in batches)
        for batch in batches:
            own = [frame for frame in frames if partitions[sending._spread(frame) % len(partitions)] == batch.partition]
            assert batch.frames == own[:2]
        assert len({batch.partition for batch in batches}) == len(batches) > 1


async def test_a_record_has_the_millisecond_in_which_its_frame_arrived(fake: FakeKafka) -> None:
    times: list[int] = []
    fake.fails = lambda topic, frames: times.extend(fake.times)
    frame = RawFrame("okx", "c", "S", "ws", 1_790_000_000_123_999_999, "one", "a", "live", 1, b"{}", LIQUIDATION)
    async with publisher() as to:
        await sender_of(to).send(Chunk([frame], [frame]))
    assert times == [1_790_000_000_123]


@pytest.mark.parametrize("error", [MessageSizeTooLargeError(), InvalidTimestampError()])
async def test_a_producer_of_which_one_batch_was_refused_may_first_deliver_those_of_other_lanes(
    fake: FakeKafka, error: Exception
) -> None:
    failures = iter([error])

    def once(topic: str, frames: list[RawFrame]) -> None:
        if (failed := next(failures, None)) is not None:
            raise failed

    fake.fails = once
    async with publisher() as to:
        first = await to.link.producer()
        frames = [msgspec.structs.replace(FRAME, seq=n) for n in (1, 2)]
        await sender_of(to).send(Chunk(frames, list(frames)))
        assert await to.link.producer() is not first
    assert len(fake.stored(LIQUIDATION)) == 2
    assert not hasattr(first, "_closed"), "it was stopped, and not abandoned with what it had"
