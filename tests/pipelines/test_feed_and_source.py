"""A venue with a hyphen in its name, collected live, asked for its past and imported: told apart from socket to view."""

import asyncio
import json
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from collectors.delivery.recorder import Recorder
from collectors.envelope import Record, from_record, to_record
from collectors.topics import EVENTS, LIQUIDATION
from collectors.venues.venue import Frame
from pipelines.derive.coverage.cover import cover_to_the_end
from pipelines.imports.publish import Import
from pipelines.ingest.batch import Batch
from pipelines.ingest.commits import Log
from pipelines.ingest.consume import Slice
from pipelines.reprocess.stored_frames import slices, stretches
from pipelines.status.seen import Seen
from pipelines.status.sessions import feeds
from pipelines.venues import VENUES, parser_of
from pipelines.watch.sight import quick
from tests.collectors.sink import Frames
from tests.pipelines.heard import brings
from tests.pipelines.status.looked import CAUGHT_UP
from tests.pipelines.venue_frames import bybit_liquidation
from warehouse import lake
from warehouse.lake import Lake
from warehouse.writer import append

VENUE, CHANNEL = "kraken-futures", "allLiquidation"
NEW = {b"2": (), b"1": ("feed", "source")}
"""The versions of a record, and the headers that each does not have."""


class _Producer:
    """Kafka's, as an import uses it."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Record]] = []

    async def send(self, topic: str, value: bytes, key: bytes, headers: Any, timestamp_ms: int) -> asyncio.Future[None]:
        self.sent.append((topic, Record(key, value, headers)))
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The venue is known, and sends what Bybit sends, by REST as well."""
    alike = VENUES["bybit"]
    parsers = {**alike.parsers, ("rest", CHANNEL): alike.parsers["ws", CHANNEL]}
    monkeypatch.setitem(VENUES, VENUE, alike._replace(parsers=parsers))
    parser_of.cache_clear()
    yield
    parser_of.cache_clear()


def _payload(n: int) -> bytes:
    return json.dumps(bybit_liquidation(time.time_ns() // 10**6, ("Buy", f"{n}", "100"))).encode()


async def _records() -> list[tuple[str, Record]]:
    """Return what a socket, a backfill and an import send: one liquidation, two and three, between their events."""
    sink, producer = Frames(), _Producer()
    live = Recorder(VENUE, "public-2", "ws", sink)
    live.event("subscribed", channels=brings(CHANNEL))
    live.frame(_payload(1), Frame(CHANNEL, "BTCUSDT", LIQUIDATION), time.time_ns())
    past = Recorder(VENUE, "backfill", "rest", sink, source="backfill")
    past.event("started", channels=brings("other"))
    for n in (2, 3):
        past.frame(_payload(n), Frame(CHANNEL, "BTCUSDT", LIQUIDATION), time.time_ns())
    imported = Import(VENUE, producer)  # type: ignore[arg-type]
    await imported.tell("started", channels=brings("other"))
    for n in (4, 5, 6):
        file = SimpleNamespace(channel=CHANNEL, symbol="BTCUSDT", topic=LIQUIDATION)
        await imported.put(file, _payload(n))  # type: ignore[arg-type]
    return [*((frame.topic, to_record(frame, frame.recv_ns)) for frame in sink.all), *producer.sent]


def _commit(warehouse: Lake, records: Iterable[tuple[str, Record]], version: bytes) -> None:
    """Take the records in as ingest does, as if they were of a version."""
    lie: dict[str, list[Any]] = {EVENTS: [], LIQUIDATION: []}
    for topic, (key, value, headers) in records:
        told = [("v", version), *(each for each in headers if each[0] not in ("v", *NEW[version]))]
        lie[topic].append(from_record(key, value, told, topic, 0, len(lie[topic])))
    batch = Batch(60, {}, keep_all_frames=False)
    batch.add(Slice((topic, 0), 0, len(own), own, []) for topic, own in lie.items())
    batch.close_buckets()
    append(warehouse, batch.take().tables(Log("cluster", {}, "commit"), 60))


@pytest.fixture(params=sorted(NEW), ids=lambda version: f"version {version.decode()}")
def warehouse(request: pytest.FixtureRequest, fresh_world: Path, known: None) -> Iterator[Lake]:
    with lake.open(fresh_world, read_only=False) as opened:
        _commit(opened, asyncio.run(_records()), request.param)
        yield opened


ALL = [("backfill", "backfill", 2), ("import", "import", 3), ("public-2", "live", 1)]


def test_every_table_says_which_feed_and_source_each_row_is_of(warehouse: Lake) -> None:
    def asked(columns: str, table: str) -> list[tuple[Any, ...]]:
        return warehouse.connection.execute(f"SELECT {columns} FROM {table} GROUP BY ALL ORDER BY ALL").fetchall()

    assert asked("feed, source, sum(frames)::INTEGER", "session_frames") == ALL
    assert asked("feed, source, count(*)", "raw_frames") == ALL
    assert asked("feed, source, count(*)", "collector_events") == [(feed, source, 1) for feed, source, _ in ALL]
    assert asked("source, count(*)", "liquidations") == [(source, frames) for _, source, frames in ALL]
    assert asked("DISTINCT venue", "liquidations") == [(VENUE,)]


def test_only_what_came_live_counts_as_heard(warehouse: Lake) -> None:
    now = datetime.now(UTC).replace(tzinfo=None)
    cover_to_the_end(warehouse, now)
    covered = "SELECT venue, channel, transport, sum(frames)::INTEGER FROM feed_coverage GROUP BY ALL"
    assert warehouse.connection.execute(covered).fetchall() == [(VENUE, CHANNEL, "ws", 1)]
    found = feeds(Seen(warehouse.world, now, warehouse, CAUGHT_UP))
    assert [(feed.venue, feed.name) for feed in found] == [(VENUE, "public-2")]
    (heard,) = quick(warehouse).heard
    assert (heard["venue"], heard["what"], heard["frames"]) == (VENUE, "liquidations", 1)


def test_stored_frames_are_read_back_with_their_feed_and_source(warehouse: Lake) -> None:
    now = datetime.now(UTC).replace(tzinfo=None)
    span = now - timedelta(hours=1), now + timedelta(hours=1)
    cut = [slices(warehouse, [LIQUIDATION], stretch) for stretch in stretches(warehouse, [LIQUIDATION], *span)]
    found = [(frame.feed, frame.source) for some in cut for each in some for frame in each.frames]
    assert sorted((*told, found.count(told)) for told in set(found)) == ALL
