"""How the pipelines batch and what they keep."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class IngestSettings(BaseSettings):
    """Settings of ingest, read from the environment with the prefix LIQ_."""

    model_config = SettingsConfigDict(env_prefix="LIQ_", extra="ignore", env_ignore_empty=True)

    data: Path = Field(Path("data/live"), description="Folder of this world's data")
    commit_interval_s: float = Field(0.7, gt=0, le=60, description="Shortest time between two commits, seconds")
    batch_frames: int = Field(
        5_000, ge=1, description="About the most frames of one commit, but for those that make no rows"
    )
    batch_bytes: int = Field(64 * 1024 * 1024, ge=1, description="A batch that reaches this is committed, bytes")
    grid_s: int = Field(
        60,
        ge=1,
        le=3600,
        description="Funding, open interest and mark prices keep the last value of this, seconds; a warehouse remembers it",
    )
    keep_all_frames: bool = Field(
        False, description="Keep frames of raw.ticker and raw.kline in raw_frames too; Kafka has them for days anyway"
    )


class MetricsSettings(BaseSettings):
    """Where /metrics and /health of the pipelines' processes are, read from the environment with the prefix LIQ_."""

    model_config = SettingsConfigDict(env_prefix="LIQ_", extra="ignore", env_ignore_empty=True)

    metrics_host: str = Field(
        "127.0.0.1", description="Address at which /metrics and /health of ingest, flows and up listen"
    )
    ingest_metrics_port: int | None = Field(
        None, ge=1, le=65535, description="Port of /metrics and /health of `liq ingest --follow`; unset: off"
    )
    flows_metrics_port: int | None = Field(
        None, ge=1, le=65535, description="Port of /metrics and /health of `liq flows serve`; unset: off"
    )
    up_metrics_port: int | None = Field(
        None, ge=1, le=65535, description="Port of /metrics and /health of `liq up` and `liq demo`; unset: a free one"
    )
