"""What is stored is sent as it is stored, each row once, also to those who were away."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import orjson
import pytest

from pipelines.serve.live.changes import LOOK_S, Changes, Event
from pipelines.serve.readers import Readers
from tests.pipelines.serve.conftest import BEGAN, Served, rows, service
from tests.warehouse.made import copied
from warehouse import lake
from warehouse.writer import append

LISTENING_S = 40


@pytest.fixture
def own_world(served_world: Path, tmp_path: Path) -> Path:
    """A copy of the world that may be written to."""
    copied(served_world, tmp_path)
    return tmp_path


def _store(world: Path, first: int, number: int) -> None:
    """Store some liquidations, one commit each, numbered by their keys; the odd ones of ETH."""
    with lake.open(world, read_only=False) as opened:
        for key in range(first, first + number):
            row = {"venue": "bybit", "symbol": "BTCUSDT", "base": "ETH" if key % 2 else "BTC", "position_side": "long",
                   "notional_usd": float(key), "completeness": "all", "ts_event": BEGAN + timedelta(seconds=key),
                   "event_key": key, "occurrence": 0, "source": "live"}  # fmt: skip
            append(opened, {"liquidations": rows("liquidations", row)})


def _heard(client: httpx.Client, until: int, last: str = "", **query: str) -> tuple[list[int], str]:
    """Listen until the liquidation with the key `until`; return the keys that came, and the last id."""
    keys = []
    with client.stream(
        "GET", "/v1/stream", params=query, headers={"Last-Event-ID": last}, timeout=LISTENING_S
    ) as answer:
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        for name, value in _fields(answer.iter_lines()):
            if name == "data":
                keys.append(int(orjson.loads(value)["event_key"]))
            elif name == "id":
                last = value
                if until in keys:
                    return keys, last
    return keys, last


def _fields(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, _, value = line.partition(": ")
        yield name, value


def test_rows_are_sent_as_they_are_stored(own_world: Path) -> None:
    with service(own_world) as running:
        writing = threading.Timer(2, _store, (own_world, 1000, 4))
        writing.start()
        keys, _ = _heard(running.client, 1003, kinds="liquidation")
        assert keys == [1000, 1001, 1002, 1003]
        writing.join()


def test_who_comes_back_misses_nothing_though_the_service_was_restarted(own_world: Path) -> None:
    with service(own_world) as running:
        writing = threading.Timer(2, _store, (own_world, 1000, 3))
        writing.start()
        first, last = _heard(running.client, 1001)
        writing.join()
    _store(own_world, 1003, 3)
    with service(own_world) as running:
        second, _ = _heard(running.client, 1005, last)
    assert first + second == list(range(1000, 1006))


def test_only_what_is_asked_for_is_sent(own_world: Path) -> None:
    _store(own_world, 1000, 10)
    with service(own_world) as running:
        keys, _ = _heard(running.client, 1009, "1.0", base="ETH", min_usd="1004")
    assert keys == [1005, 1007, 1009]


@pytest.mark.parametrize(("query", "last"), [
    ({"kinds": "prices"}, ""), ({"min_usd": "much"}, ""), ({"coin": "BTC"}, ""), ({}, "yesterday"),
])  # fmt: skip
def test_what_cannot_be_sent_is_said(served: Served, query: dict[str, str], last: str) -> None:
    answer = served.client.get("/v1/stream", params=query, headers={"Last-Event-ID": last})
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


async def test_two_who_come_at_once_hear_each_row_once(own_world: Path) -> None:
    readers = Readers(own_world, 2, 20)
    changes = Changes(readers)
    async with changes.listening() as now, changes.listening():
        pass
    ways = [changes.listening(), changes.listening()]
    places = await asyncio.gather(*(way.__aenter__() for way in ways))
    assert sum("Changes._look" in repr(task) for task in asyncio.all_tasks()) == 1
    _store(own_world, 1000, 3)
    found: list[Event] = []
    async with asyncio.timeout(LISTENING_S):
        place = places[0]
        while len(found) < 3:
            events, place = await changes.after(place, 1)
            found += events
    await asyncio.sleep(2 * LOOK_S)
    assert [event.row["event_key"] for event in (await changes.after(places[1], 1))[0]] == [1000, 1001, 1002]
    assert places[0] == places[1] == now
    for way in ways:
        await way.__aexit__(None, None, None)
    readers.close()
