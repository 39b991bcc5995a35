"""Where a world's warehouse is and how it is opened."""

from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class WarehouseSettings(BaseSettings):
    """Settings of the warehouse, read from the environment with the prefix LIQ_."""

    model_config = SettingsConfigDict(env_prefix="LIQ_", extra="ignore", populate_by_name=True)

    data: Path = Field(Path("data/live"), description="Folder of one world; the warehouse is lake/ in it")
    catalogue: SecretStr = Field(
        SecretStr(""),
        description="PostgreSQL database that holds the catalogue, as libpq reads it (postgresql://user@host/liq, or host=… "
        "dbname=…); empty: a SQLite file in the world's folder",
    )
    files: str = Field(
        "", description="Where Parquet files go: a folder, or s3://bucket/path; empty: in the world's folder"
    )
    s3_endpoint: str = Field("", description="host:port of an S3 server that is not Amazon's")
    s3_region: str = Field(
        "", validation_alias=AliasChoices("LIQ_S3_REGION", "AWS_REGION"), description="Region of the bucket"
    )
    s3_key_id: str = Field(
        "", validation_alias=AliasChoices("LIQ_S3_KEY_ID", "AWS_ACCESS_KEY_ID"), description="Access key"
    )
    s3_secret: SecretStr = Field(
        SecretStr(""), validation_alias=AliasChoices("LIQ_S3_SECRET", "AWS_SECRET_ACCESS_KEY"), description="Its secret"
    )
    s3_token: SecretStr = Field(
        SecretStr(""),
        validation_alias=AliasChoices("LIQ_S3_TOKEN", "AWS_SESSION_TOKEN"),
        description="Its session token",
    )
    s3_url_style: Literal["vhost", "path"] = Field("vhost", description="How the bucket is named in addresses")
    s3_tls: bool = Field(True, description="Speak HTTPS with the S3 server")
    lock_timeout_s: float = Field(600, gt=0, description="Longest wait for the write lock, seconds")
    catalogue_copy_s: float = Field(
        600,
        ge=0,
        description="How often a SQLite catalogue is copied to lake/copies while something writes, seconds; 0: by upkeep only",
    )
    duckdb_memory: str = Field("", description="Memory one connection may use (512MB); empty: DuckDB's own 80 %")
    duckdb_threads: int = Field(
        0, ge=0, description="Threads of one connection; 0: one for a writer, one per core for a reader"
    )

    def world(self, world: Path | None) -> Path:
        """Return the absolute folder of `world`, or of LIQ_DATA where it is None."""
        return (world or self.data).expanduser().absolute()
