"""Settings of the embedded broker, and the configuration written for it."""

import shlex
from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from collectors.embedded import State
from collectors.errors import ConfigurationError
from collectors.ports import HOST
from collectors.topics import MAX_FRAME_BYTES

MB = 1024 * 1024
LOG_CONFIGURATION = Path(__file__).with_name("log4j2.properties")


class BrokerSettings(BaseSettings):
    """How to run the embedded broker; environment variables are the names below in capitals behind LIQ_."""

    model_config = SettingsConfigDict(env_prefix="LIQ_", env_ignore_empty=True)

    kafka_jars: Path | None = Field(
        None, description="folder with the jar files of Apache Kafka 4; unset: downloaded by their Maven coordinates"
    )
    kafka_java_options: str = Field(
        "-Xms64m -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1",
        description="options of the Java virtual machine that runs the broker",
    )
    kafka_listen: str | None = Field(
        None,
        pattern=r"^[\w.-]+:\d{1,5}$",
        description="host:port by which other machines or containers are to reach the embedded broker, which asks for no "
        "password: a private network only; unset: this machine alone",
    )
    kafka_start_timeout_s: float = Field(90, gt=0, description="seconds within which the broker must answer")

    @classmethod
    def load(cls) -> "BrokerSettings":
        """Return the settings of this environment. Raises ConfigurationError, naming each key and value at fault."""
        try:
            return cls()
        except ValidationError as error:
            raise ConfigurationError.of(error) from None

    def java_options(self) -> list[str]:
        """Return the options as words."""
        return shlex.split(self.kafka_java_options)


def properties(state: State, listen: str | None = None) -> dict[str, object]:
    """Return Kafka's server.properties, by key; their one path is relative to the working directory, <world>/kafka.

    `listen`: host:port it is told others to be at, beside loopback; it then listens on that port of every address.

    One node, both roles. Sized for a local broker: few threads, and no 128 MB set aside for compaction, which halves
    its resident memory.
    """
    own = f"PLAINTEXT://{HOST}:{state.port}"
    return {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@{HOST}:{state.controller_port}",
        "listeners": f"{own},CONTROLLER://{HOST}:{state.controller_port}"
        + (f",NETWORK://0.0.0.0:{listen.rpartition(':')[2]}" if listen else ""),
        "advertised.listeners": own + (f",NETWORK://{listen}" if listen else ""),
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,NETWORK:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": "data",
        "auto.create.topics.enable": "false",
        "message.max.bytes": MAX_FRAME_BYTES,
        "replica.fetch.max.bytes": MAX_FRAME_BYTES,
        "queued.max.request.bytes": 128 * MB,
        "log.segment.bytes": 256 * MB,
        "log.retention.check.interval.ms": 60_000,
        "log.cleaner.dedupe.buffer.size": 8 * MB,
        "broker.session.timeout.ms": 4_000,
        "broker.heartbeat.interval.ms": 1_000,
        "num.network.threads": 2,
        "num.io.threads": 4,
        "group.initial.rebalance.delay.ms": 0,
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 4,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "share.coordinator.state.topic.num.partitions": 4,
    }
