"""Worlds and rows for the warehouse's tests; the lake is always the real one."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.warehouse import servers
from tests.warehouse.made import WORLDS, copied
from warehouse import lake, schema
from warehouse.tables import TABLES

NOON = datetime(2026, 10, 10, 12)  # noqa: DTZ001 the warehouse's times are UTC without a zone


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    world = tmp_path_factory.mktemp("made_once")
    schema.create_or_migrate(world)
    return world


@pytest.fixture
def world(made_once: Path, tmp_path: Path) -> Path:
    """A world with an empty warehouse."""
    copied(made_once, tmp_path)
    return tmp_path


@pytest.fixture
def writer(world: Path) -> Iterator[lake.Lake]:
    with lake.open(world, read_only=False) as opened:
        yield opened


@pytest.fixture
def rows() -> Callable[..., pl.DataFrame]:
    """Return a maker of rows: table name, then rows as dicts; columns not given are null."""

    def make(table: str, *given: dict[str, Any]) -> pl.DataFrame:
        schema = TABLES[table].schema
        return pl.DataFrame([dict.fromkeys(schema, None) | row for row in given], schema=schema)

    return make


@pytest.fixture
def liquidations(rows: Callable[..., pl.DataFrame]) -> Callable[..., pl.DataFrame]:
    """Return a maker of `count` liquidations, one a second from `start` on, keys counting from `first`."""

    def make(count: int, start: datetime = NOON, first: int = 0, **fixed: Any) -> pl.DataFrame:
        return rows(
            "liquidations",
            *(
                {"venue": "bybit", "symbol": "BTCUSDT", "base": "BTC", "position_side": "long", "qty_base": 0.5,
                 "notional_usd": 100.0 + number, "completeness": "all", "ts_event": start + timedelta(seconds=number),
                 "event_key": first + number, "occurrence": 0} | fixed
                for number in range(count)
            ),
        )  # fmt: skip

    return make


@pytest.fixture
def commit(rows: Callable[..., pl.DataFrame]) -> Callable[..., pl.DataFrame]:
    """Return a maker of one `ingest_commits` row."""

    def make(offset_next: int, topic: str = "raw.liquidation", partition: int = 0, cluster: str = "c1") -> pl.DataFrame:
        return rows("ingest_commits", {"ts_commit": NOON, "cluster_id": cluster, "kafka_topic": topic,
                                       "kafka_partition": partition, "offset_next": offset_next})  # fmt: skip

    return make


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[servers.Postgres]:
    try:
        with WORLDS[-1].running_postgres() as running:
            yield running
    except servers.UnavailableError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def s3_server() -> Iterator[servers.S3]:
    try:
        with WORLDS[-1].running_s3() as running:
            yield running
    except servers.UnavailableError as error:
        pytest.skip(str(error))


@pytest.fixture
def on_postgres(postgres_server: servers.Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings name an empty database of a real PostgreSQL."""
    monkeypatch.setenv("LIQ_CATALOGUE", postgres_server.database(f"liq_{abs(hash(tmp_path)):x}"))


@pytest.fixture
def on_s3(on_postgres: None, s3_server: servers.S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `on_postgres`, and they name an empty place in a bucket of a real S3 server."""
    for name, value in s3_server.settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LIQ_FILES", f"s3://lake/{abs(hash(tmp_path)):x}")
