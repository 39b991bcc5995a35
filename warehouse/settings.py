"""Where a world's warehouse is and how it is opened."""

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr

PREFIX = "LIQ_"


class WarehouseSettings(BaseModel):
    """Settings of the warehouse, read from the environment with the prefix LIQ_; those that are given come first.

    What is set to nothing is not set. Every query reads them, and pydantic_settings, which the other settings come from, takes
    40 ms more to load.
    """

    model_config = ConfigDict(alias_generator=lambda name: f"{PREFIX}{name}".upper())

    def __init__(self, **given: Any) -> None:
        named = {f"{PREFIX}{name}".upper(): value for name, value in given.items()}
        super().__init__(**{name.upper(): value for name, value in os.environ.items() if value} | named)

    data: Path = Field(Path("data/live"), description="Folder of one world; the warehouse is lake/ in it")
    catalogue: SecretStr = Field(
        SecretStr(""),
        description="PostgreSQL database with the catalogue, as libpq reads it (postgresql://user@host/liq, or host=… "
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
    s3_url_style: Literal["vhost", "path"] = Field("vhost", description="Form of the bucket's address: vhost or path")
    s3_tls: bool = Field(True, description="Use HTTPS with the S3 server")
    lock_timeout_s: float = Field(600, gt=0, description="Longest wait for the write lock, seconds")
    catalogue_copy_s: float = Field(
        600,
        ge=0,
        description="How often a SQLite catalogue in use is copied to lake/copies, seconds; 0: only by `liq maintain`",
    )
    duckdb_memory: str = Field("", description="Memory one connection may use (512MB); empty: DuckDB's own 80 %")
    duckdb_threads: int = Field(
        0, ge=0, description="Threads of one connection; 0: one for a writer, one per core for a reader"
    )

    def world(self, world: Path | None) -> Path:
        """Return the absolute folder of `world`, or of LIQ_DATA where it is None."""
        return (world or self.data).expanduser().absolute()
