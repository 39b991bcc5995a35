"""Where the service listens, who may ask, and how much it answers."""

from ipaddress import ip_address
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

MB = 1024 * 1024


class ServeSettings(BaseSettings):
    """Settings of `liq serve`, read from the environment with the prefix LIQ_SERVE_."""

    model_config = SettingsConfigDict(env_prefix="LIQ_SERVE_", extra="ignore", env_ignore_empty=True)

    host: str = Field("127.0.0.1", description="Address at which `liq serve` listens; any but loopback needs a token")
    port: int = Field(8710, ge=1, le=65535, description="Port of `liq serve`")
    token: SecretStr | None = Field(
        None, min_length=16, description="Secret that every request must carry, as `Authorization: Bearer …`"
    )
    names: str = Field(
        "", description="Host names under which `liq serve` may be asked, besides this machine's own; comma"
    )
    readers: int = Field(2, ge=1, le=32, description="Queries of `liq serve` that run at a time, SQL of others apart")
    rows: int = Field(10_000, ge=1, le=1_000_000, description="The most rows of one answer of `liq serve`")
    answer_mb: int = Field(64, ge=1, le=4096, description="The most megabytes of one answer of `liq serve`")
    query_s: float = Field(
        20.0, gt=0, le=600, description="A query of `liq serve` that takes longer is stopped, seconds"
    )
    sql: bool = Field(True, description="Whether `liq serve` runs the SQL of those who ask, in a process of its own")
    sql_s: float = Field(20.0, gt=0, le=600, description="SQL of others that takes longer is killed, seconds")
    sql_mb: int = Field(1024, ge=256, description="Memory that the SQL of others may take, megabytes")
    sql_workers: int = Field(1, ge=1, le=16, description="How many statements of others run at a time")

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if self.token is None and not self.is_loopback:
            raise ValueError(
                f"LIQ_SERVE_HOST={self.host} can be reached from elsewhere, so LIQ_SERVE_TOKEN must be set (16 letters or more)"
            )
        return self

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def known_hosts(self) -> frozenset[str]:
        """The host names that a request may be addressed to, in small letters."""
        given = [name.strip().lower() for name in self.names.split(",") if name.strip()]
        return frozenset(["127.0.0.1", "localhost", "[::1]", self.host.lower(), *given])
