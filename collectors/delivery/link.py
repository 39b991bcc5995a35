"""The connection to Kafka: one producer at a time, made anew when it has failed or hangs.

A producer that failed is not asked to send what it still has: after a lost batch its sequence numbers no longer fit, and
what it has is sent again by the next one, in order, with the time of that.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, ProducerClosed, UnknownTopicOrPartitionError

from collectors.errors import BrokerError, CollectorError, ConfigurationError, NoBrokerError
from collectors.retry import delays, describe
from collectors.settings import CollectorSettings
from collectors.topics import MAX_FRAME_BYTES

BATCH_BYTES = 1024 * 1024
LONGEST_DELAY_S = 5.0
CLOSE_S = 5.0

log = logging.getLogger(__name__)


class Link:
    """Makes producers. `connect`: arguments of any aiokafka client; `prepare`: sees to it that the topics are there."""

    def __init__(
        self,
        connect: Callable[[], dict[str, Any]],
        settings: CollectorSettings,
        prepare: Callable[[], Awaitable[object]] | None,
    ) -> None:
        self._arguments = connect
        self._settings = settings
        self._prepare = prepare
        self._is_prepared = prepare is None
        self._producer: AIOKafkaProducer | None = None
        self._making = asyncio.Lock()
        self._closing: set[asyncio.Task[None]] = set()
        self._away_since: float | None = None
        self.refusal: asyncio.Future[CollectorError] = asyncio.get_running_loop().create_future()
        """Why Kafka can never be used as things are, where the first attempt shows that."""

    @property
    def is_there(self) -> bool:
        """Whether Kafka takes frames, as far as is known."""
        return self._producer is not None and self._away_since is None

    async def connect(self) -> None:
        """Connect, so that what is wrong shows before there are frames."""
        await self.producer()

    async def producer(self) -> AIOKafkaProducer:
        """Return the producer at hand, once Kafka is there."""
        async with self._making:
            pauses = delays(longest_s=LONGEST_DELAY_S)
            while self._producer is None:
                try:
                    self._producer = await self._open()
                except (ConfigurationError, BrokerError, KafkaError, CollectorError, OSError) as error:
                    self._is_away(error)
                    await asyncio.sleep(next(pauses))
        return self._producer

    def fail(self, producer: AIOKafkaProducer, error: BaseException, refused: bool = False) -> None:
        """Let go of a producer that failed; the next `producer` makes another.

        `refused`: only one batch of it did, so it may first deliver the others.
        """
        if self._producer is not producer:
            return
        self._producer = None
        if isinstance(error, UnknownTopicOrPartitionError):
            self._is_prepared = self._prepare is None
        task = asyncio.create_task(_stop(producer) if refused else abandon(producer))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def is_away(self, error: BaseException) -> None:
        """Say, once, that Kafka does not take frames."""
        if self._away_since is None:
            self._away_since = time.monotonic()
            log.warning("Kafka does not take frames, they are kept until it does: %s", describe(error))
        else:
            log.debug("Kafka does not take frames: %s", describe(error))

    def is_back(self) -> None:
        """Say, once, that it does again."""
        if self._away_since is not None:
            log.warning("Kafka takes frames again after %.0f s", time.monotonic() - self._away_since)
            self._away_since = None

    async def close(self) -> None:
        """End in good order, for at most some seconds."""
        if self._producer is not None:
            await _stop(self._producer)
        await asyncio.gather(*self._closing, return_exceptions=True)

    def _is_away(self, error: BaseException) -> None:
        is_final = isinstance(error, (ConfigurationError, BrokerError)) and not isinstance(error, NoBrokerError)
        if is_final and self._away_since is None and not self._is_prepared and not self.refusal.done():
            self.refusal.set_result(error)  # type: ignore[arg-type]
        self.is_away(error)

    async def _open(self) -> AIOKafkaProducer:
        if not self._is_prepared and self._prepare is not None:
            await self._prepare()
            self._is_prepared = True
        compression = self._settings.compression
        producer = AIOKafkaProducer(
            **await asyncio.to_thread(self._arguments),
            enable_idempotence=True,
            acks="all",
            compression_type=None if compression == "none" else compression,
            max_batch_size=BATCH_BYTES,
            max_request_size=MAX_FRAME_BYTES,
            retry_backoff_ms=250,
        )
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        return producer


def is_connected(producer: AIOKafkaProducer) -> bool:
    """Say whether a producer has a connection to any broker."""
    return any(connection.connected() for connection in tuple(producer.client._conns.values()))


async def _stop(producer: AIOKafkaProducer) -> None:
    try:
        async with asyncio.timeout(CLOSE_S):
            await producer.stop()
    except (TimeoutError, KafkaError, OSError):
        await abandon(producer)


async def abandon(producer: AIOKafkaProducer) -> None:
    """Close a producer at once, with what it has not sent."""
    producer._closed = True  # its `stop` would wait for what it cannot send
    waiting = producer._message_accumulator
    waiting._pending_batches.update(batch for batches in waiting._batches.values() for batch in batches)
    waiting.fail_all(ProducerClosed())
    sending = producer._sender.sender_task
    if sending is not None:
        sending.cancel()
    with suppress(TimeoutError, KafkaError, OSError):
        async with asyncio.timeout(CLOSE_S):
            await producer.client.close()
            await asyncio.gather(*filter(None, [sending]), return_exceptions=True)
            await producer.client.close()  # what was under way may have connected again
