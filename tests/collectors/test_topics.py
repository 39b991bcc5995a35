"""Topics and settings, on every Kafka there is."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from collectors.cluster import _create, _set_clocks, administering
from collectors.errors import BrokerError, ConfigurationError, NetworkError
from collectors.kafka import KafkaSettings, cluster_id, connection, ensure_topics
from collectors.topics import LIQUIDATION, MAX_FRAME_BYTES, RATIO, TOPICS

Delete = Callable[[list[str]], Awaitable[None]]


async def test_every_topic_of_the_table_is_there_with_its_partitions(fresh_kafka: dict[str, Any]) -> None:
    admin = AIOKafkaAdminClient(**fresh_kafka)
    await admin.start()
    found = {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics()}
    await admin.close()
    assert {topic.name: topic.partitions for topic in TOPICS}.items() <= found.items()


async def test_topics_as_in_the_table_differ_in_nothing(fresh_kafka: dict[str, Any]) -> None:
    assert await ensure_topics(fresh_kafka, TOPICS) == []


@pytest.mark.parametrize(("given", "stored"), [(None, "1"), (2, "2")])
async def test_a_record_is_confirmed_with_as_many_copies_as_set_else_with_all_but_one(
    fresh_kafka: dict[str, Any], delete_topics: Delete, given: int | None, stored: str
) -> None:
    await delete_topics([RATIO])
    await ensure_topics(fresh_kafka, TOPICS, 1, given)
    async with administering(fresh_kafka) as admin:
        asked = ConfigResource(ConfigResourceType.TOPIC, RATIO, {"min.insync.replicas": ""})
        (answer,) = await admin.describe_configs([asked])
    assert [entry[:2] for entry in answer.resources[0][4]] == [("min.insync.replicas", stored)]


async def test_two_starters_at_once_create_each_topic_once(kafka: dict[str, Any], delete_topics: Delete) -> None:
    await delete_topics([topic.name for topic in TOPICS])
    assert await asyncio.gather(*(ensure_topics(kafka, TOPICS) for _ in range(3))) == [[], [], []]


async def test_a_topic_that_differs_is_told_and_left_as_it_is(
    fresh_kafka: dict[str, Any], delete_topics: Delete, caplog: pytest.LogCaptureFixture
) -> None:
    await delete_topics([RATIO])
    async with administering(fresh_kafka) as admin:
        await admin.create_topics([NewTopic(RATIO, 3, 1, topic_configs={"retention.ms": "1000"})])
    for _ in range(2):
        caplog.clear()
        with caplog.at_level(logging.WARNING, "collectors"):
            told = await ensure_topics(fresh_kafka, TOPICS)
        assert [record.getMessage() for record in caplog.records] == told
        assert told[0] == f"topic {RATIO} has partitions=3, where 1 is expected; it is left as it is"
        assert any("retention.ms=1000, where 2592000000" in line for line in told)
        assert all(RATIO in line for line in told)


async def test_topics_from_before_get_kafkas_clock_and_keep_what_somebody_set(
    fresh_kafka: dict[str, Any], delete_topics: Delete, caplog: pytest.LogCaptureFixture
) -> None:
    await delete_topics([RATIO, LIQUIDATION])
    async with administering(fresh_kafka) as admin:
        settings = {"message.timestamp.type": "CreateTime", "retention.ms": "86400000"}
        await admin.create_topics([NewTopic(name, 1, 1, topic_configs=settings) for name in (RATIO, LIQUIDATION)])
    with caplog.at_level(logging.INFO, "collectors.cluster"):
        told = await ensure_topics(fresh_kafka, TOPICS)
    (line,) = [record.getMessage() for record in caplog.records if "LogAppendTime" in record.getMessage()]
    assert line.endswith(f"of topics {LIQUIDATION}, {RATIO}")
    assert not [line for line in told if "timestamp" in line]
    assert sum("retention.ms=86400000" in line for line in told) == 2
    assert await ensure_topics(fresh_kafka, TOPICS) == told


async def test_a_kafka_that_forbids_to_change_a_topic_is_told_and_the_collector_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    there = {RATIO: {"message.timestamp.type": "CreateTime"}}
    await _set_clocks(_Refusing(), there)
    assert there == {RATIO: {"message.timestamp.type": "CreateTime"}}
    (line,) = [record.getMessage() for record in caplog.records]
    assert line == (
        f"Kafka does not let us set message.timestamp.type of topics {RATIO}: TopicAuthorizationFailedError not allowed"
    )


class _Refusing:
    """A Kafka that lets nobody change a topic."""

    async def _send_request(self, request: Any) -> Any:
        wanted = request.prepare({44: (0, 1)})
        answers = [(29, "not allowed", kind, name) for kind, name, _ in wanted.resources]
        return SimpleNamespace(responses=answers)


async def test_a_kafka_from_before_3_6_gets_the_topics_without_what_it_does_not_know() -> None:
    older = _Older()
    await _create(older, [topic for topic in TOPICS if topic.name in (RATIO, LIQUIDATION)], 1, 1)
    assert older.made.keys() == {RATIO, LIQUIDATION}
    assert all(settings["message.timestamp.type"] == "LogAppendTime" for settings in older.made.values())
    assert not any("message.timestamp.after.max.ms" in settings for settings in older.made.values())


class _Older:
    """A Kafka that refuses a setting it does not know."""

    def __init__(self) -> None:
        self.made: dict[str, dict[str, str]] = {}

    async def create_topics(self, topics: list[NewTopic]) -> Any:
        errors = []
        for topic in topics:
            unknown = "message.timestamp.after.max.ms" in topic.topic_configs
            errors.append((topic.name, 40 if unknown else 0, "unknown configuration"))
            if not unknown:
                self.made[topic.name] = topic.topic_configs
        return SimpleNamespace(topic_errors=errors)


async def test_more_copies_than_brokers_are_refused_by_name(fresh_kafka: dict[str, Any], delete_topics: Delete) -> None:
    await delete_topics([RATIO])
    with pytest.raises(BrokerError, match=rf"create topic {RATIO}: InvalidReplicationFactor"):
        await ensure_topics(fresh_kafka, TOPICS, replication=3)


async def test_a_frame_of_32_mib_goes_through(fresh_kafka: dict[str, Any]) -> None:
    frame = bytes(MAX_FRAME_BYTES - 1024)
    async with AIOKafkaProducer(**fresh_kafka, max_request_size=MAX_FRAME_BYTES) as producer:
        place = await producer.send_and_wait(LIQUIDATION, frame, partition=0)
    async with AIOKafkaConsumer(**fresh_kafka, auto_offset_reset="earliest") as consumer:
        consumer.assign([TopicPartition(LIQUIDATION, 0)])
        record = await consumer.getone()
    assert (place.offset, record.offset, record.value) == (0, 0, frame)


async def test_fresh_topics_start_at_offset_zero_again(fresh_kafka: dict[str, Any]) -> None:
    async with AIOKafkaConsumer(**fresh_kafka) as consumer:
        places = [TopicPartition(topic.name, number) for topic in TOPICS for number in range(topic.partitions)]
        assert set((await consumer.end_offsets(places)).values()) == {0}


async def test_the_cluster_keeps_its_id(kafka: dict[str, Any]) -> None:
    assert await cluster_id(kafka) == await cluster_id(kafka) != ""


async def test_a_configured_cluster_is_used_as_it_is(kafka: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIQ_KAFKA_BOOTSTRAP", kafka["bootstrap_servers"])
    assert await cluster_id(connection(KafkaSettings.load())) == await cluster_id(kafka)


async def test_a_cluster_that_is_not_there_is_a_network_error_with_its_address() -> None:
    with pytest.raises(NetworkError, match=r"127\.0\.0\.1:1 cannot be reached"):
        await ensure_topics({"bootstrap_servers": "127.0.0.1:1"}, TOPICS)


def test_no_cluster_and_no_embedded_broker_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BrokerError, match="`liq broker start` or set LIQ_KAFKA_BOOTSTRAP=host:port"):
        connection(KafkaSettings(data=tmp_path))


def test_sasl_over_tls_reaches_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in {
        "BOOTSTRAP": "a.example:9094,b.example:9094",
        "SECURITY_PROTOCOL": "SASL_SSL",
        "SASL_MECHANISM": "SCRAM-SHA-512",
        "SASL_USERNAME": "liq",
        "SASL_PASSWORD": "s3cret",
    }.items():
        monkeypatch.setenv(f"LIQ_KAFKA_{key}", value)
    arguments = connection(KafkaSettings.load())
    assert arguments.pop("ssl_context").verify_mode.name == "CERT_REQUIRED"
    assert arguments == {
        "bootstrap_servers": "a.example:9094,b.example:9094",
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "liq",
        "sasl_plain_password": "s3cret",
    }


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"BOOTSTRAP": "kafka"}, "LIQ_KAFKA_BOOTSTRAP=kafka: 'kafka' is not host:port"),
        ({"BOOTSTRAP": "k:9092", "SECURITY_PROTOCOL": "TLS"}, "LIQ_KAFKA_SECURITY_PROTOCOL=TLS: Input should be"),
        ({"SECURITY_PROTOCOL": "SSL"}, "LIQ_KAFKA_SECURITY_PROTOCOL=SSL needs LIQ_KAFKA_BOOTSTRAP"),
        ({"BOOTSTRAP": "k:9092", "SECURITY_PROTOCOL": "SASL_SSL"}, "SASL_SSL needs LIQ_KAFKA_SASL_USERNAME and"),
        ({"BOOTSTRAP": "k:9092", "SASL_USERNAME": "me"}, "LIQ_KAFKA_SASL_USERNAME=me is not used"),
        (
            {"BOOTSTRAP": "k:9092", "SECURITY_PROTOCOL": "SSL", "SSL_CAFILE": "/no/ca.pem"},
            "LIQ_KAFKA_SSL_CAFILE=/no/ca.pem: there is no such file",
        ),
        ({"REPLICATION": "2", "MIN_INSYNC": "3"}, "LIQ_KAFKA_MIN_INSYNC=3 is more than LIQ_KAFKA_REPLICATION=2"),
        ({"REPLICATION": "0"}, "LIQ_KAFKA_REPLICATION=0: Input should be greater than or equal to 1"),
    ],
)
def test_a_wrong_setting_is_told_by_key_and_value(
    environment: dict[str, str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in environment.items():
        monkeypatch.setenv(f"LIQ_KAFKA_{key}", value)
    with pytest.raises(ConfigurationError) as error:
        KafkaSettings.load()
    assert told in str(error.value)


def test_a_ca_file_that_is_no_pem_is_told(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("not a certificate")
    settings = KafkaSettings(
        kafka_bootstrap="k:9092", kafka_security_protocol="SSL", kafka_ssl_cafile=tmp_path / "ca.pem"
    )
    with pytest.raises(ConfigurationError, match=r"ca\.pem is not a readable PEM file"):
        connection(settings)
