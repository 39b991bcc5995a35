"""How far Kafka's log reaches, what of it is not committed, and since when that waits. Never longer than `WITHIN_S`."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from collectors.embedded import is_alive, kafka_folder, read_state
from collectors.errors import BrokerError, CollectorError, described
from collectors.kafka import KafkaSettings, cluster_id, connection
from collectors.ports import HOST
from collectors.topics import TOPICS

WITHIN_S = 2.0
FIRST_WITHIN_S = 0.8

Place = tuple[str, int]
Committed = Callable[[str], Mapping[Place, int]]
"""The offsets to go on from, of the cluster with this id."""


class Lag(NamedTuple):
    """A topic: records ever written, those not committed yet, and when the oldest of these came (ms since 1970; None: not
    known, or there is none)."""

    topic: str
    end: int
    behind: int
    oldest_ms: int | None = None


class Kafka(NamedTuple):
    """A Kafka that answered."""

    address: str
    lags: list[Lag]


class Away(NamedTuple):
    """A Kafka that did not answer, and why."""

    why: str


async def kafka(settings: KafkaSettings, committed: Committed) -> Kafka | Away:
    """Look at Kafka; one that does not answer in time is away."""
    try:
        reach = _reach(settings)
        async with asyncio.timeout(WITHIN_S):
            return await _look(reach, committed)
    except TimeoutError:
        return Away(f"Kafka at {reach['bootstrap_servers']} does not answer within {WITHIN_S:g} s")
    except (CollectorError, KafkaError, OSError) as error:
        return Away(str(error) if isinstance(error, CollectorError) else f"Kafka: {described(error)}")


def _reach(settings: KafkaSettings) -> dict[str, Any]:
    """Return how to reach Kafka; unlike `connection` it does not wait for an embedded broker that is frozen."""
    if settings.kafka_bootstrap is not None:
        return connection(settings)
    folder = kafka_folder(settings.data)
    state = read_state(folder)
    if state is None or not is_alive(state.pid, folder):
        raise BrokerError(f"no embedded Kafka runs for {settings.data}, and LIQ_KAFKA_BOOTSTRAP is not set")
    return {"bootstrap_servers": f"{HOST}:{state.port}"}


async def _look(reach: dict[str, Any], committed: Committed) -> Kafka:
    consumer = AIOKafkaConsumer(**reach, enable_auto_commit=False, fetch_max_wait_ms=50, retry_backoff_ms=50)
    try:
        await consumer.start()
        await consumer._client.force_metadata_update()
        parts = [
            TopicPartition(topic.name, n) for topic in TOPICS for n in consumer.partitions_for_topic(topic.name) or ()
        ]
        ends, starts = await consumer.end_offsets(parts), await consumer.beginning_offsets(parts)
        done = committed(await cluster_id(reach))
        at = {part: _next(done.get((part.topic, part.partition)), starts[part], ends[part]) for part in parts}
        oldest = await _oldest(consumer, {part: at[part] for part in parts if at[part] < ends[part]})
    finally:
        with suppress(Exception):
            async with asyncio.timeout(0.5):
                await consumer.stop()
    return Kafka(str(reach["bootstrap_servers"]), _lags(ends, at, oldest))


def _next(committed: int | None, start: int, end: int) -> int:
    """Return where ingest goes on: where it was, or at the start of a log that was made anew or has lost its tail."""
    return committed if committed is not None and start <= committed <= end else start


async def _oldest(consumer: AIOKafkaConsumer, waiting: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
    """Return when the first record of each partition that waits came, ms since 1970, as far as Kafka says so in time."""
    found: dict[TopicPartition, int] = {}
    if not waiting:
        return found
    consumer.assign(list(waiting))
    for part, offset in waiting.items():
        consumer.seek(part, offset)
    with suppress(TimeoutError):
        async with asyncio.timeout(FIRST_WITHIN_S):
            while left := [part for part in waiting if part not in found]:
                records = await consumer.getmany(*left, timeout_ms=100, max_records=len(left) * 100)
                found.update({part: each[0].timestamp for part, each in records.items() if each and part not in found})
    return found


def _lags(
    ends: Mapping[TopicPartition, int], at: Mapping[TopicPartition, int], oldest: Mapping[TopicPartition, int]
) -> list[Lag]:
    lags: dict[str, Lag] = {}
    for part, end in ends.items():
        name = part.topic
        before = lags.get(name, Lag(name, 0, 0))
        times = [each for each in (before.oldest_ms, oldest.get(part)) if each is not None]
        behind = max(0, end - at[part])  # what was committed since `ends` was asked waits no more
        lags[name] = Lag(name, before.end + end, before.behind + behind, min(times) if times else None)
    return list(lags.values())
