"""How to reach Kafka: the cluster the settings name, else this world's embedded broker."""

import re
import ssl
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from collectors.cluster import cluster_id, ensure_topics
from collectors.embedded import running
from collectors.errors import ConfigurationError, NoBrokerError

__all__ = ["KafkaSettings", "cluster_id", "connection", "ensure_topics"]

SERVER = re.compile(r"(?:[\w.-]+|\[[0-9a-fA-F:]+\]):\d{1,5}")


class KafkaSettings(BaseSettings):
    """Which Kafka to use; environment variables are the names below in capitals behind LIQ_ (LIQ_KAFKA_BOOTSTRAP)."""

    model_config = SettingsConfigDict(env_prefix="LIQ_", env_ignore_empty=True)

    data: Path = Field(Path("data/live"), description="folder of this world's data, including the embedded broker's")
    kafka_bootstrap: str | None = Field(
        None, description="host:port[,host:port...] of a Kafka cluster; unset: the embedded broker"
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="security protocol of the cluster"
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "PLAIN", description="how to log in, with SASL_PLAINTEXT and SASL_SSL"
    )
    kafka_sasl_username: str | None = Field(None, description="user to log in as")
    kafka_sasl_password: SecretStr | None = Field(None, description="password to log in with")
    kafka_ssl_cafile: Path | None = Field(
        None, description="PEM file of the authority that signed the brokers' certificates; unset: the system's"
    )
    kafka_replication: int | None = Field(
        None, ge=1, description="copies of each partition of new topics; unset: 3, or as many as there are brokers"
    )
    kafka_min_insync: int | None = Field(
        None,
        ge=1,
        description="copies of a record that there must be before Kafka confirms it, for new topics; unset: one less than "
        "there are copies, so that one broker may be away",
    )

    @classmethod
    def load(cls) -> Self:
        """Return the settings of this environment. Raises ConfigurationError, naming each key and value at fault."""
        try:
            return cls()
        except ValidationError as error:
            raise ConfigurationError.of(error) from None

    @model_validator(mode="after")
    def _agree(self) -> Self:
        protocol = self.kafka_security_protocol
        self._check_bootstrap()
        if protocol.startswith("SASL") and not (self.kafka_sasl_username and self.kafka_sasl_password):
            raise ValueError(
                f"LIQ_KAFKA_SECURITY_PROTOCOL={protocol} needs LIQ_KAFKA_SASL_USERNAME and LIQ_KAFKA_SASL_PASSWORD"
            )
        copies, needed = self.kafka_replication, self.kafka_min_insync
        if copies and needed and needed > copies:
            raise ValueError(f"LIQ_KAFKA_MIN_INSYNC={needed} is more than LIQ_KAFKA_REPLICATION={copies}")
        unused = f"is not used: LIQ_KAFKA_SECURITY_PROTOCOL={protocol}"
        if self.kafka_sasl_username and not protocol.startswith("SASL"):
            raise ValueError(f"LIQ_KAFKA_SASL_USERNAME={self.kafka_sasl_username} {unused}")
        if self.kafka_ssl_cafile and not protocol.endswith("SSL"):
            raise ValueError(f"LIQ_KAFKA_SSL_CAFILE={self.kafka_ssl_cafile} {unused}")
        if self.kafka_ssl_cafile and not self.kafka_ssl_cafile.is_file():
            raise ValueError(f"LIQ_KAFKA_SSL_CAFILE={self.kafka_ssl_cafile}: there is no such file")
        return self

    def _check_bootstrap(self) -> None:
        if self.kafka_bootstrap is None:
            if self.kafka_security_protocol != "PLAINTEXT":
                raise ValueError(
                    f"LIQ_KAFKA_SECURITY_PROTOCOL={self.kafka_security_protocol} needs LIQ_KAFKA_BOOTSTRAP; "
                    "the embedded broker speaks PLAINTEXT"
                )
            return
        for server in self.kafka_bootstrap.split(","):
            if not SERVER.fullmatch(server.strip()):
                raise ValueError(f"LIQ_KAFKA_BOOTSTRAP={self.kafka_bootstrap}: {server.strip()!r} is not host:port")


def connection(settings: KafkaSettings) -> dict[str, Any]:
    """Return the keyword arguments by which any aiokafka client reaches Kafka (bootstrap_servers and security).

    Without LIQ_KAFKA_BOOTSTRAP: those of this world's embedded broker, which must run; nothing is started here.
    Raises NoBrokerError where it does not run, ConfigurationError where the CA file cannot be read.
    """
    if settings.kafka_bootstrap is None:
        if (broker := running(settings.data)) is None:
            raise NoBrokerError(
                f"No Kafka: LIQ_KAFKA_BOOTSTRAP is not set and no embedded broker runs for {settings.data}. "
                "Start it with `liq broker start` or set LIQ_KAFKA_BOOTSTRAP=host:port."
            )
        return {"bootstrap_servers": broker.bootstrap}
    protocol = settings.kafka_security_protocol
    arguments: dict[str, Any] = {"bootstrap_servers": settings.kafka_bootstrap, "security_protocol": protocol}
    if protocol.endswith("SSL"):
        arguments["ssl_context"] = _trusting(settings.kafka_ssl_cafile)
    if protocol.startswith("SASL") and settings.kafka_sasl_password:
        arguments["sasl_mechanism"] = settings.kafka_sasl_mechanism
        arguments["sasl_plain_username"] = settings.kafka_sasl_username
        arguments["sasl_plain_password"] = settings.kafka_sasl_password.get_secret_value()
    return arguments


def _trusting(cafile: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=cafile)
    except (ssl.SSLError, OSError) as error:
        raise ConfigurationError(f"LIQ_KAFKA_SSL_CAFILE={cafile} is not a readable PEM file: {error}") from error
