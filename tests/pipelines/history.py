"""A backfill against the simulated venues, into a real Kafka, and what the warehouse then holds."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from collectors.history import plan
from collectors.history.backfill import Totals, backfill
from collectors.history.endpoint import Series, What
from collectors.history.paging import Span
from collectors.history.settings import BackfillSettings
from collectors.kafka import KafkaSettings
from collectors.simulator.simulator import Simulator
from collectors.venues.known import VENUES
from pipelines.ingest import run as ingest
from pipelines.settings import IngestSettings
from warehouse import query

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


class Lines:
    """Keeps what a backfill tells."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.answers = 0
        self.came = asyncio.Event()

    def planned(self, requests: int) -> None:
        pass

    def answered(self, one: Series, requests: int) -> None:
        self.answers += requests
        self.came.set()

    def say(self, line: str) -> None:
        self.lines.append(line)


class Past:
    """The simulated past, Kafka, and one world."""

    def __init__(self, simulator: Simulator, kafka: dict[str, Any], world: Path) -> None:
        self.simulator, self.kafka, self.world = simulator, kafka, world
        self.watcher = Lines()

    def span(self, hours: float, until_hours: float = 2.0) -> Span:
        """Return the stretch of so many hours that ended `until_hours` ago, from a full hour."""
        last = self.simulator.market.start_ms // HOUR_MS * HOUR_MS - int(until_hours * HOUR_MS)
        return Span(last - int(hours * HOUR_MS), last)

    async def fill(self, venue: str, what: What, span: Span, *symbols: str, **settings: Any) -> Totals:
        """Run a backfill."""
        period = settings.pop("period", "5m")
        order = plan.Order((what,), span, symbols, period, settings.pop("interval", "1m"))
        kafka = KafkaSettings(data=self.world, kafka_bootstrap=self.kafka["bootstrap_servers"])
        quick = {"share": 1.0, "save_s": 0.05, "first_delay_s": 0.02} | settings
        return await backfill(VENUES[venue](), order, kafka, BackfillSettings(**quick), self.watcher)

    async def drain(self) -> ingest.Totals:
        """Commit what Kafka holds."""
        run = ingest.Ingest(IngestSettings(data=self.world))
        return await run.run(self.kafka, follow=False, stop=asyncio.Event())

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the warehouse."""
        return query.query(sql, self.world).rows()


@asynccontextmanager
async def past(kafka: dict[str, Any], world: Path, env: pytest.MonkeyPatch, *venues: str) -> AsyncIterator[Past]:
    """Serve a market of BTC and ETH at the usual venues, or those named, and point the collectors at it."""
    async with Simulator(coins=["BTC", "ETH"], venues=venues or None) as simulator:
        for name, value in simulator.env().items():
            env.setenv(name, value)
        yield Past(simulator, kafka, world)
