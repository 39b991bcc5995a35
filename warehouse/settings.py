"""Where a world's warehouse is and how it is opened."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class WarehouseSettings(BaseSettings):
    """Settings of the warehouse, read from the environment with the prefix LIQ_."""

    model_config = SettingsConfigDict(env_prefix="LIQ_", extra="ignore")

    data: Path = Field(Path("data/live"), description="Folder of one world; the warehouse is lake/ in it")
    lock_timeout_s: float = Field(600, gt=0, description="Longest wait for the write lock, seconds")
    duckdb_memory: str = Field("", description="Memory one connection may use (512MB); empty: DuckDB's own 80 %")
    duckdb_threads: int = Field(
        0, ge=0, description="Threads of one connection; 0: one for a writer, one per core for a reader"
    )

    def world(self, world: Path | None) -> Path:
        """Return the absolute folder of `world`, or of LIQ_DATA where it is None."""
        return (world or self.data).expanduser().absolute()
