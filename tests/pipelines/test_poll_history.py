"""The flow `poll_history` as a schedule runs it: the backfill in a process of its own, then the rows in the warehouse."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import AlreadyRunningError
from pipelines.flows.poll_history import backfill_and_drain
from pipelines.ingest.alone import alone
from pipelines.ingest.run import Ingest
from pipelines.settings import IngestSettings
from pipelines.up.commands import StartError
from tests.pipelines.history import past


@pytest.fixture
def world(fresh_kafka: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIQ_DATA", str(tmp_path))
    monkeypatch.setenv("LIQ_KAFKA_BOOTSTRAP", fresh_kafka["bootstrap_servers"])
    return tmp_path


async def test_the_past_is_committed_and_a_second_run_changes_nothing(
    fresh_kafka: dict[str, Any], world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["bybit", "--what", "funding", "--since", "10d", "--until", "1d", "--symbols", "BTCUSDT,ETHUSDT"]
    async with past(fresh_kafka, world, monkeypatch) as there:
        said: list[str] = []
        committed = await backfill_and_drain(arguments, said.append)
        assert committed["funding_settlements"] == 2 * 29, "and one of before and one of after, for the interval"
        assert "2 answers with 58 rows of 2 series are in Kafka" in said[-2]
        again = await backfill_and_drain(arguments, said.append)
        assert again.get("funding_settlements", 0) <= 2
        assert there.rows("SELECT count(*) = count(DISTINCT (symbol, ts_event)) FROM funding_settlements") == [(True,)]


async def test_a_failed_backfill_is_told_with_its_reason(
    fresh_kafka: dict[str, Any], world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with past(fresh_kafka, world, monkeypatch):
        with pytest.raises(StartError, match="contracts listed now: LUNAUSDT"):
            await backfill_and_drain(["bybit", "--since", "10d", "--symbols", "LUNAUSDT"], print)


async def test_where_an_ingest_runs_it_is_left_to_commit(
    fresh_kafka: dict[str, Any], world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with past(fresh_kafka, world, monkeypatch):
        said: list[str] = []
        with alone(world):
            arguments = ["bybit", "--what", "funding", "--since", "2d", "--symbols", "BTCUSDT"]
            assert await backfill_and_drain(arguments, said.append) == {}
        assert said[-1].endswith("it commits what came")


async def test_there_is_one_ingest_to_a_world(fresh_kafka: dict[str, Any], tmp_path: Path) -> None:
    stop = asyncio.Event()
    first = asyncio.create_task(Ingest(IngestSettings(data=tmp_path)).run(fresh_kafka, True, stop))
    async with asyncio.timeout(60):
        while not (tmp_path / "ingest.lock").exists():
            await asyncio.sleep(0.01)
    with pytest.raises(AlreadyRunningError, match=r"an ingest runs in .* already: process \d+"):
        await Ingest(IngestSettings(data=tmp_path)).run(fresh_kafka, False, stop)
    stop.set()
    await first
    await Ingest(IngestSettings(data=tmp_path)).run(fresh_kafka, False, asyncio.Event())
