"""How the pipelines batch and what they keep."""

from pathlib import Path

from pydantic import BaseModel, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipelines.serve.settings import ServeSettings
from warehouse.settings import WarehouseSettings


class IngestSettings(BaseSettings):
    """Settings of ingest, read from the environment with the prefix LIQ_."""

    model_config = SettingsConfigDict(env_prefix="LIQ_", extra="ignore", env_ignore_empty=True)

    data: Path = Field(Path("data/live"), description="Folder of this world's data")
    commit_interval_s: float = Field(0.7, gt=0, le=60, description="Shortest time between two commits, seconds")
    batch_frames: int = Field(
        20_000, ge=1, description="About the most frames of one commit; frames that make no rows do not count"
    )
    batch_bytes: int = Field(64 * 1024 * 1024, ge=1, description="A batch that reaches this is committed, bytes")
    grid_s: int = Field(
        60,
        ge=1,
        le=3600,
        description="Of funding, open interest and mark prices one value is kept per this many seconds, the last one; a "
        "warehouse remembers it",
    )
    worker_gone_s: float = Field(
        10.0,
        ge=2,
        le=600,
        description="Where several ingests share a catalogue in PostgreSQL: the others replace one that is silent for so long, "
        "seconds; the same for all of them",
    )
    keep_all_frames: bool = Field(
        False,
        description="Keep frames of raw.ticker and raw.kline in raw_frames too; Kafka has them for some days in any case",
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


class AlertsSettings(BaseSettings):
    """Settings of `liq alerts`, read from the environment with the prefix LIQ_ALERTS_."""

    model_config = SettingsConfigDict(env_prefix="LIQ_ALERTS_", extra="ignore", env_ignore_empty=True)

    rules: Path | None = Field(None, description="File of alert rules; alerts.toml in LIQ_DATA if not set")
    every_s: float = Field(15.0, gt=0, le=3600, description="How often `liq alerts run` looks, seconds")

    def file(self, world: Path) -> Path:
        """Return the file of rules of a world."""
        return self.rules or world / "alerts.toml"


SETTINGS: tuple[type[BaseModel], ...] = (
    IngestSettings, MetricsSettings, ServeSettings, AlertsSettings, WarehouseSettings,
)  # fmt: skip

"""All settings of the parts that `liq up` starts, but for the collectors'."""
