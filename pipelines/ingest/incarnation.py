"""Which topic it is: Kafka's id of a topic, which a topic made anew under the same name does not have, and how often each
partition has changed its leader, as it does when a broker starts again. aiokafka's own requests ask for neither.
"""

import asyncio
from collections.abc import Collection, Mapping
from io import BytesIO
from typing import Any, ClassVar, NamedTuple

from aiokafka.client import AIOKafkaClient, ConnectionGroup
from aiokafka.errors import IncompatibleBrokerVersion, KafkaError, RequestTimedOutError, StaleMetadata, for_code
from aiokafka.protocol.abstract import AbstractType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.offset import OffsetRequest
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Schema, TaggedFields

Partition = tuple[str, int]
APART = ConnectionGroup.COORDINATION
"""A connection of its own: on the other one an answer would wait behind a fetch that waits for data."""
NO_ID = b"\0" * 16
LATEST = -1
ANSWER_S = 10.0


class Standing(NamedTuple):
    """What a partition is now: the id of its topic ("": the broker is too old to say), its leader's epoch and node."""

    topic_id: str
    epoch: int
    leader: int


class _Uuid(AbstractType[bytes]):  # type: ignore[misc]
    @classmethod
    def encode(cls, value: bytes) -> bytes:
        return value

    @classmethod
    def decode(cls, data: BytesIO) -> bytes:
        return data.read(16)


class _Answer(Response):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 10
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("brokers", CompactArray(
            ("node_id", Int32), ("host", CompactString()), ("port", Int32), ("rack", CompactString()), ("tags", TaggedFields),
        )),
        ("cluster_id", CompactString()),
        ("controller_id", Int32),
        ("topics", CompactArray(
            ("error_code", Int16), ("name", CompactString()), ("topic_id", _Uuid), ("is_internal", Boolean),
            ("partitions", CompactArray(
                ("error_code", Int16), ("partition", Int32), ("leader", Int32), ("leader_epoch", Int32),
                ("replicas", CompactArray(Int32)), ("isr", CompactArray(Int32)), ("offline", CompactArray(Int32)),
                ("tags", TaggedFields),
            )),
            ("authorized_operations", Int32), ("tags", TaggedFields),
        )),
        ("cluster_authorized_operations", Int32),
        ("tags", TaggedFields),
    )  # fmt: skip


class _Question(RequestStruct):  # type: ignore[misc]
    FLEXIBLE_VERSION = True
    API_KEY = 3
    API_VERSION = 10
    RESPONSE_TYPE = _Answer
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _Uuid), ("name", CompactString()), ("tags", TaggedFields))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _Topics(Request[_Question]):  # type: ignore[misc]
    """Metadata with topic ids, which Kafka 2.8 and later give."""

    API_KEY: ClassVar[int] = 3

    def __init__(self, names: Collection[str]) -> None:
        self._names = sorted(names)

    def build(self, request_struct_class: type[_Question]) -> _Question:
        return request_struct_class([(NO_ID, name, {}) for name in self._names], False, False, False, {})


async def standings(client: AIOKafkaClient, topics: Collection[str]) -> dict[Partition, Standing]:
    """Return what every partition of these topics is now; one without a leader, or of no topic, is not there.

    Each leader answers for its own partitions: it alone knows at once. Raises KafkaError where the cluster cannot be asked.
    """
    nodes = [broker.nodeId for broker in client.cluster.brokers()]
    answers = await asyncio.gather(*(_ask(client, node, _Topics(topics)) for node in nodes), return_exceptions=True)
    found: dict[Partition, Standing] = {}
    for node, answer in zip(nodes, answers, strict=True):
        if isinstance(answer, NotImplementedError | IncompatibleBrokerVersion):
            return await _without_ids(client, topics)
        if isinstance(answer, BaseException) or not answer.brokers:  # it has not joined its cluster yet
            continue
        for _, name, topic_id, _, partitions, *_ in answer.topics:
            for _, partition, leader, epoch, *_ in partitions:
                at = (name, partition)
                if leader >= 0 and (leader == node or at not in found or found[at].epoch < epoch):
                    found[at] = Standing(topic_id.hex(), epoch, leader)
    if not found:
        raise next(
            (answer for answer in answers if isinstance(answer, KafkaError)), StaleMetadata("no broker knows any topic")
        )
    return found


async def _without_ids(client: AIOKafkaClient, topics: Collection[str]) -> dict[Partition, Standing]:
    await client.force_metadata_update()
    return {
        (name, partition): Standing("", -1, metadata.leader)
        for name in topics
        for partition, metadata in client.cluster._partitions.get(name, {}).items()
        if metadata.leader >= 0
    }


async def ends(client: AIOKafkaClient, standings: Mapping[Partition, Standing]) -> dict[Partition, int]:
    """Return the offset behind the last record of every partition. Raises KafkaError where one cannot be asked."""
    asked: dict[int, dict[str, list[tuple[int, int]]]] = {}
    for (topic, partition), standing in standings.items():
        asked.setdefault(standing.leader, {}).setdefault(topic, []).append((partition, LATEST))
    answers = await asyncio.gather(
        *(_ask(client, node, OffsetRequest(-1, 0, list(topics.items()))) for node, topics in asked.items())
    )
    found: dict[Partition, int] = {}
    for answer in answers:
        for topic, partitions in answer.topics:
            for partition, error, _, offset in partitions:
                if error:
                    raise for_code(error)()
                found[topic, partition] = offset
    return found


async def _ask(client: AIOKafkaClient, node: int, request: Request[Any]) -> Any:
    try:
        async with asyncio.timeout(ANSWER_S):
            return await client.send(node, request, group=APART)
    except TimeoutError:
        raise RequestTimedOutError(f"broker {node} does not answer") from None
    except OSError as error:
        raise KafkaError(str(error)) from error
