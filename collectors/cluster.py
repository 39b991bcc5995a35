"""What a Kafka cluster holds: its id, and the topics that must be there. `connection`: see `collectors.kafka`."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    InvalidConfigurationError,
    KafkaConnectionError,
    KafkaError,
    TopicAlreadyExistsError,
    for_code,
)

from collectors.altering import alter_topics
from collectors.errors import BrokerError, NetworkError
from collectors.topics import CLOCK, Topic

REPLICATION = 3
LEADERS_TIMEOUT_S = 30
POLL_S = 0.05
NO_ERROR, TOPIC_ALREADY_EXISTS = 0, TopicAlreadyExistsError.errno
MIN_INSYNC = "min.insync.replicas"
SINCE_3_6 = "message.timestamp.after.max.ms"

logger = logging.getLogger(__name__)


async def cluster_id(connection: dict[str, Any]) -> str:
    """Return the cluster's id, which names it for good, unlike its addresses. Raises NetworkError."""
    async with administering(connection) as admin:
        return str((await admin.describe_cluster())["cluster_id"])


async def ensure_topics(
    connection: dict[str, Any],
    topics: Iterable[Topic],
    replication: int | None = None,
    min_insync: int | None = None,
) -> list[str]:
    """Create the topics that are missing; return, and log as a warning each, how the others differ from the table.

    Where an existing topic does not keep Kafka's own time (`topics.CLOCK`) that is changed; where Kafka forbids it, that is
    a difference like any other. Every other difference (partitions, retention) may be somebody's choice and is left as it
    is. `replication`: copies of each partition of a new topic; None: 3, or as many as there are brokers. `min_insync`: how
    many of them must have a record before it is confirmed; None: one less than there are. Done when each partition has a
    leader. Raises NetworkError where the cluster does not answer, BrokerError where it refuses.
    """
    wanted = {topic.name: topic for topic in topics}
    async with administering(connection) as admin:
        there = wanted.keys() & set(await admin.list_topics())
        if missing := [topic for name, topic in wanted.items() if name not in there]:
            brokers = len((await admin.describe_cluster())["brokers"])
            copies = replication or min(REPLICATION, brokers)
            await _create(admin, missing, copies, min_insync or max(1, copies - 1))
        partitions = await _partitions(admin, list(wanted))
        settings = await _settings(admin, [wanted[name] for name in sorted(there)])
        await _set_clocks(admin, settings)
    differences = [
        line for name in sorted(there) for line in _differences(wanted[name], partitions[name], settings[name])
    ]
    for line in differences:
        logger.warning("%s", line)
    return differences


@asynccontextmanager
async def administering(connection: dict[str, Any]) -> AsyncIterator[AIOKafkaAdminClient]:
    """An admin client for the block; aiokafka's errors become NetworkError."""
    admin = AIOKafkaAdminClient(**connection)
    try:
        await admin.start()
        yield admin
    except KafkaConnectionError as error:
        servers = connection["bootstrap_servers"]
        raise NetworkError(
            f"Kafka at {servers} cannot be reached; check the address, the network and the login"
        ) from error
    except (KafkaError, OSError) as error:
        servers = connection["bootstrap_servers"]
        raise NetworkError(f"Kafka at {servers} gives an unexpected answer: {error!r}") from error
    finally:
        await admin.close()


async def _create(admin: AIOKafkaAdminClient, topics: list[Topic], replication: int, min_insync: int) -> None:
    own = {MIN_INSYNC: str(min_insync)}
    refused = await _ask_to_create(admin, topics, replication, own)
    if any(code == InvalidConfigurationError.errno for code, _ in refused.values()):
        old = [
            topic for topic in topics if refused.get(topic.name, (NO_ERROR, ""))[0] == InvalidConfigurationError.errno
        ]
        refused |= {topic.name: (NO_ERROR, "") for topic in old}
        refused |= await _ask_to_create(admin, old, replication, own, without=SINCE_3_6)
    for name, (code, message) in refused.items():
        if code not in (NO_ERROR, TOPIC_ALREADY_EXISTS):  # another process may create them at the same time
            raise BrokerError(f"Kafka refuses to create topic {name}: {for_code(code).__name__} {message}")
    names = ", ".join(topic.name for topic in topics)
    logger.info("created topics %s, %d copies each, a record is confirmed with %d", names, replication, min_insync)


async def _ask_to_create(
    admin: AIOKafkaAdminClient, topics: list[Topic], replication: int, own: dict[str, str], without: str = ""
) -> dict[str, tuple[int, str]]:
    """Return, per topic that was not created, Kafka's code and message. `own`: settings beside the table's; `without`: one to
    leave out."""
    asked = [
        NewTopic(topic.name, topic.partitions, replication, topic_configs=_but(topic.config() | own, without))
        for topic in topics
    ]
    answer = await admin.create_topics(asked)
    return {name: (code, " ".join(map(str, message))) for name, code, *message in answer.topic_errors if code}


def _but(settings: dict[str, str], without: str) -> dict[str, str]:
    return {key: value for key, value in settings.items() if key != without}


async def _set_clocks(admin: AIOKafkaAdminClient, settings: dict[str, dict[str, str]]) -> None:
    """Make existing topics keep Kafka's time, as far as it knows these settings, and note in `settings` what changed."""
    wrong = {
        name: changed
        for name, there in settings.items()
        if (changed := {key: value for key, value in CLOCK.items() if key in there and there[key] != value})
    }
    if not wrong:
        return
    refused = await alter_topics(admin, wrong)
    for name in wrong.keys() - refused.keys():
        settings[name] |= wrong[name]
    if done := sorted(wrong.keys() - refused.keys()):
        logger.info("set %s of topics %s", ", ".join(f"{k}={v}" for k, v in CLOCK.items()), ", ".join(done))
    for reason in sorted(set(refused.values())):
        names = ", ".join(sorted(name for name in refused if refused[name] == reason))
        logger.warning("Kafka does not let us set %s of topics %s: %s", next(iter(CLOCK)), names, reason)


async def _partitions(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, int]:
    """Return each topic's number of partitions, once every one has a leader."""
    async with asyncio.timeout(LEADERS_TIMEOUT_S):
        while True:
            described = {topic["topic"]: topic for topic in await admin.describe_topics(names)}
            found = [described[name]["partitions"] for name in names if name in described]
            if len(found) == len(names) and all(parts and all(p["leader"] >= 0 for p in parts) for parts in found):
                return {name: len(described[name]["partitions"]) for name in names}
            await asyncio.sleep(POLL_S)


async def _settings(admin: AIOKafkaAdminClient, topics: list[Topic]) -> dict[str, dict[str, str]]:
    """Return, per topic, the value in force of each setting that the table makes."""
    if not topics:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, topic.name, topic.config()) for topic in topics]
    found: dict[str, dict[str, str]] = {}
    for answer in await admin.describe_configs(resources):
        for code, message, _, name, entries in answer.resources:
            if code != NO_ERROR:
                raise BrokerError(
                    f"Kafka does not tell the settings of topic {name}: {for_code(code).__name__} {message}"
                )
            found[name] = {entry[0]: entry[1] for entry in entries}
    return found


def _differences(topic: Topic, partitions: int, settings: dict[str, str]) -> list[str]:
    there = {"partitions": str(partitions), **settings}
    wanted = {"partitions": str(topic.partitions), **topic.config()}
    return [
        f"topic {topic.name} has {key}={there.get(key)}, where {value} is expected; it is left as it is"
        for key, value in wanted.items()
        if there.get(key) != value and not (key == SINCE_3_6 and key not in there)
    ]
