"""A venue that acknowledges and sends nothing, from its server to what a reader sees."""

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collectors.service import Collector
from collectors.settings import CollectorSettings
from collectors.simulator import Phases, Simulator
from collectors.venues.known import USUAL, VENUES
from collectors.venues.okx import stream as okx
from collectors.venues.venue import Venue
from pipelines.derive.coverage.cover import cover_to_the_end
from tests.collectors.sink import Frames
from tests.pipelines.commits import commit, placed
from warehouse import lake

SILENT_S = 30.0
"""The longest time that a venue's own figures allow a channel that must tick."""


def test_the_venues_own_figures_find_a_silent_socket_within_forty_seconds() -> None:
    for venue in (VENUES[name]() for name in USUAL):
        assert venue.liveness.silent_s <= SILENT_S
        assert venue.heartbeat is None or venue.heartbeat.every_s <= SILENT_S


async def test_a_venue_that_acknowledges_and_sends_nothing_is_silent_to_the_reader_at_once(
    fresh_world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Simulator(seed=1, coins=("BTC", "ETH"), phases=Phases(calm_s=600, trickle=5)) as simulator:
        for name, value in simulator.env().items():
            monkeypatch.setenv(name, value)
        sink = await _collected(okx.venue(), simulator)
    with lake.open(fresh_world, read_only=False) as warehouse:
        commit(warehouse, placed(sink.all), grid_s=5)
        now = datetime.now(UTC).replace(tzinfo=None)
        cover_to_the_end(warehouse, now)
        warehouse.connection.execute("SET VARIABLE as_of = ?::TIMESTAMP", [now])
        states = warehouse.connection.execute("SELECT channel, state, reason FROM feed_states").fetchall()
    assert [state for _, state, _ in states] == ["SILENT"]
    assert states[0][2].startswith("silent: no mark-price for ")


async def _collected(venue: Venue, simulator: Simulator) -> Frames:
    """Collect until data came, let the venue fall silent, and stop once that was noticed twice: it acknowledges anew."""
    settings, sink = CollectorSettings(silent_s=1.0, first_delay_s=0.05, close_timeout_s=0.5), Frames()
    collector = Collector(venue, sink, settings)
    running = asyncio.create_task(collector.run())
    try:
        await sink.until(lambda: any(frame.channel == "mark-price" for frame in sink.data))
        simulator.fault("silent", "okx", seconds=600)
        began = time.monotonic()
        await sink.until(lambda: len(sink.told("silent")) >= 2 and len(sink.told("subscribed")) >= 3)
        assert time.monotonic() - began < 60
    finally:
        collector.stop()
        await running
    return sink
