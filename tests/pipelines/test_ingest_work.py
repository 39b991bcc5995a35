"""An ingest that follows waits for a Kafka that is not there, and goes on when one goes away and comes back."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from collectors.errors import BrokerError, ConfigurationError, NetworkError
from pipelines.ingest import work as working
from pipelines.ingest.figures import Figures
from pipelines.ingest.run import Ingest, Totals
from pipelines.ingest.work import _keep, work
from pipelines.settings import IngestSettings
from warehouse import lake


async def test_a_kafka_that_is_not_there_is_waited_for(
    fresh_world: Path, fresh_kafka: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0

    def connected(_: object) -> dict[str, Any]:
        nonlocal asked
        asked += 1
        if asked < 3:
            raise BrokerError("no embedded broker runs")
        return fresh_kafka

    monkeypatch.setattr(working, "TRY_AGAIN_S", 0.01)
    monkeypatch.setattr(working, "connection", connected)
    figures, stop = Figures(), asyncio.Event()
    keeping = asyncio.create_task(_keep(IngestSettings(data=fresh_world), figures, Totals(), stop))
    async with asyncio.timeout(60):
        while not figures.wrong():
            await asyncio.sleep(0.001)
        assert figures.wrong() == ["no embedded broker runs"]
        while not figures.lags():  # it reads
            await asyncio.sleep(0.01)
    assert figures.wrong() == []
    stop.set()
    await keeping
    assert asked == 3


async def test_a_kafka_that_goes_away_is_read_again_from_what_is_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = 0

    async def run(self: Ingest, connection: dict[str, Any], follow: bool, stop: asyncio.Event) -> Totals:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise NetworkError("Kafka cannot be reached")
        stop.set()
        return self.totals

    monkeypatch.setattr(working, "TRY_AGAIN_S", 0.01)
    monkeypatch.setattr(working, "connection", lambda _: {"bootstrap_servers": "127.0.0.1:1"})
    monkeypatch.setattr(Ingest, "run", run)
    await _keep(IngestSettings(data=tmp_path), Figures(), Totals(), asyncio.Event())
    assert runs == 2


async def test_a_setting_that_is_wrong_and_a_run_to_the_end_without_kafka_are_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(_: object) -> dict[str, Any]:
        raise ConfigurationError("LIQ_KAFKA_SSL_CAFILE=x is not a readable PEM file")

    monkeypatch.setenv("LIQ_DATA", str(tmp_path))
    with pytest.raises(BrokerError):
        await work(False, print)
    monkeypatch.setattr(working, "connection", wrong)
    with pytest.raises(ConfigurationError):
        await _keep(IngestSettings(data=tmp_path), Figures(), Totals(), asyncio.Event())
    assert not lake.exists(tmp_path)
