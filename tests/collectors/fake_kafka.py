"""A Kafka in memory behind aiokafka's producer, which a test can take away, let fail, hang or lie."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError

from collectors.delivery import link
from collectors.envelope import RawFrame, from_record
from collectors.topics import TOPICS

PARTITIONS = {topic.name: topic.partitions for topic in TOPICS}
PATIENCE_S = 60.0


class FakeKafka:
    """What all producers of a test share. `fails`: called before each batch is stored, raises what Kafka answers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.log: dict[str, list[RawFrame]] = defaultdict(list)
        self.is_there = True
        self.hangs = False
        self.loses_answers = False
        self.fails: Callable[[str, list[RawFrame]], None] = lambda topic, frames: None
        self.opened = 0
        self.times: list[int] = []
        """The time stamps of the batch that is about to be stored."""
        self._changed = asyncio.Event()
        monkeypatch.setattr(link, "AIOKafkaProducer", lambda **_: _Producer(self))
        monkeypatch.setattr(link, "LONGEST_DELAY_S", 0.01)

    def stored(self, topic: str) -> list[RawFrame]:
        return self.log[topic]

    def store(self, topic: str, frames: list[RawFrame]) -> None:
        self.log[topic] += frames
        self._changed.set()

    async def until(self, holds: Callable[[], Any]) -> None:
        """Wait until something holds; it is looked at whenever a batch is stored."""
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                self._changed.clear()
                await self._changed.wait()


class _Batch:
    def __init__(self) -> None:
        self.frames: list[Any] = []
        self.times: list[int] = []
        self.is_closed = False

    def append(self, *, timestamp: int, key: bytes, value: bytes, headers: Any) -> object | None:
        if self.is_closed:
            return None
        self.frames.append((key, value, headers))
        self.times.append(timestamp)
        return object()

    def close(self) -> None:
        self.is_closed = True


class _Producer:
    def __init__(self, kafka: FakeKafka) -> None:
        self._kafka = kafka
        self._waiting: list[asyncio.Future[Any]] = []
        self.client = SimpleNamespace(
            close=self._nothing, _conns={1: SimpleNamespace(connected=lambda: kafka.is_there)}
        )
        self._sender = SimpleNamespace(sender_task=None)
        self._message_accumulator = SimpleNamespace(fail_all=self._fail_all, _pending_batches=set(), _batches={})

    async def start(self) -> None:
        if not self._kafka.is_there:
            raise KafkaConnectionError("nobody listens")
        self._kafka.opened += 1

    async def stop(self) -> None:
        self._fail_all(KafkaConnectionError("closed"))

    async def partitions_for(self, topic: str) -> set[int]:
        return set(range(PARTITIONS[topic]))

    def create_batch(self) -> _Batch:
        return _Batch()

    async def send_batch(self, batch: _Batch, topic: str, *, partition: int) -> asyncio.Future[Any]:
        assert batch.frames, "an empty batch is never sent"
        frames = [from_record(key, value, headers, topic, partition, 0) for key, value, headers in batch.frames]
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if not self._kafka.is_there or self._kafka.hangs:
            self._waiting.append(answer)
            return answer
        try:
            self._kafka.times = batch.times
            self._kafka.fails(topic, frames)
        except Exception as error:  # noqa: BLE001
            answer.set_exception(error)
            return answer
        self._kafka.store(topic, frames)
        if self._kafka.loses_answers:
            self._waiting.append(answer)
        else:
            answer.set_result(SimpleNamespace(timestamp=time.time_ns() // 1_000_000))
        return answer

    def _fail_all(self, error: Exception) -> None:
        for answer in self._waiting:
            if not answer.done():
                answer.set_exception(error)

    async def _nothing(self) -> None:
        pass
