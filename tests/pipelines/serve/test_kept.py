"""Answers that are kept: made once for all who ask, anew when the lake has something new, and not for ever."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from functools import partial
from http import HTTPStatus
from operator import add
from pathlib import Path

import httpx
import pytest

from pipelines.serve import figures
from pipelines.serve import kept as module
from pipelines.serve.kept import Keeper, Kept
from pipelines.serve.problems import BusyError, ProblemError
from pipelines.serve.readers import Readers
from tests.pipelines.serve.conftest import _liquidation, rows
from tests.warehouse.made import copied
from warehouse import lake
from warehouse.lake import Lake
from warehouse.writer import append

COUNT = "SELECT count(*) FROM liquidations WHERE base = ?"


class Counting:
    """Counts a coin's liquidations, and how often it was asked to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.is_busy = False

    def __call__(self, opened: Lake, coins: Sequence[str]) -> dict[str, int]:
        self.asked.append(tuple(coins))
        if "NONE" in coins:
            raise ProblemError(HTTPStatus.NOT_FOUND, "no such coin")
        if self.is_busy or "SLOW" in coins:
            raise BusyError("it took too long")
        found = [opened.connection.execute(COUNT, [coin]).fetchone() for coin in coins]
        return {coin: row[0] if row else 0 for coin, row in zip(coins, found, strict=True)}


@pytest.fixture
def world(served_world: Path, tmp_path: Path) -> Path:
    copied(served_world, tmp_path)
    return tmp_path


@pytest.fixture
def keeper(world: Path) -> Iterator[Keeper]:
    readers = Readers(world, 2, 20)
    yield Keeper(readers)
    readers.close()


@pytest.fixture
async def running(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Keeper]:
    """The keeper at work, which looks often."""
    monkeypatch.setattr(module, "LOOK_S", 0.01)
    task = asyncio.create_task(keeper.run())
    yield keeper
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _kept(keeper: Keeper, make: Counting, **more: int) -> Kept[str, int]:
    return Kept("tested", keeper, make, lambda value: 100, **more)


def _add(world: Path, number: int) -> None:
    with lake.open(world, read_only=False) as opened:
        append(opened, {"liquidations": rows("liquidations", _liquidation(number))})


async def test_of_many_who_ask_at_once_one_is_answered_by_the_lake(keeper: Keeper) -> None:
    make = Counting()
    kept = _kept(keeper, make)
    assert await asyncio.gather(*(kept.get("BTC") for _ in range(50))) == [200] * 50
    assert make.asked == [("BTC",)]


async def test_an_answer_is_made_anew_once_the_lake_has_something_new(
    keeper: Keeper, world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FRESH_S", "OLD_S", "LOOK_S"):
        monkeypatch.setattr(module, name, 0.0)
    monkeypatch.setattr("pipelines.serve.kept.time.time", lambda: 0.0)  # the minute does not end meanwhile
    make = Counting()
    kept = _kept(keeper, make)
    assert [await kept.get("BTC"), await kept.get("BTC")] == [200, 200]
    assert len(make.asked) == 1
    _add(world, 1000)
    assert [await kept.get("BTC") for _ in range(4)] == [201] * 4, "nobody keeps it new here: who asks waits for it"
    assert len(make.asked) == 2
    monkeypatch.setattr("pipelines.serve.kept.time.time", lambda: 60.0)
    assert await kept.get("BTC") == 201
    assert len(make.asked) == 3, "hours count back from now"


async def test_where_an_old_answer_will_do_it_is_given_at_once_and_made_anew_behind_it(
    keeper: Keeper, world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FRESH_S", "LOOK_S", "LATELY_S"):
        monkeypatch.setattr(module, name, 0.0)
    make = Counting()
    kept = _kept(keeper, make, behind_s=3600)
    assert await kept.get("BTC") == 200
    _add(world, 1000)
    assert await kept.get("BTC") == 200, "nobody waits"
    async with asyncio.timeout(20):
        while await kept.get("BTC") != 201:
            await asyncio.sleep(0.01)
    monkeypatch.setattr(kept, "_behind_s", 0.0)
    _add(world, 1001)
    assert await kept.get("BTC") == 202, "what is too old is waited for"


async def test_what_is_asked_for_again_is_kept_new_and_nothing_else(running: Keeper, world: Path) -> None:
    make = Counting()
    kept = _kept(running, make, at_once=10)
    for coin in ("BTC", "BTC", "ETH", "ETH", "SOL"):
        await kept.get(coin)
    _add(world, 1000)
    async with asyncio.timeout(20):
        while ("BTC", "ETH") not in make.asked:
            await asyncio.sleep(0.01)
        while await kept.get("BTC") != 201:
            await asyncio.sleep(0.01)
    assert make.asked.count(("SOL",)) == 1
    assert {len(coins) for coins in make.asked[3:]} == {2}, "two coins in one question"


async def test_what_cannot_be_made_in_time_is_given_as_it_was_until_it_is_too_old(
    running: Keeper, world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = Counting()
    kept = _kept(running, make)
    assert [await kept.get("BTC"), await kept.get("BTC")] == [200, 200]
    make.is_busy = True
    before = len(make.asked)
    _add(world, 1000)
    async with asyncio.timeout(20):
        while len(make.asked) < before + 2:
            await asyncio.sleep(0.01)
    assert await kept.get("BTC") == 200
    monkeypatch.setattr(module, "OLD_S", 0.0)
    with pytest.raises(BusyError):
        await kept.get("BTC")


async def test_what_is_asked_meanwhile_is_answered_together_and_nothing_spoils_it(keeper: Keeper) -> None:
    make = Counting()
    kept = _kept(keeper, make, at_once=10)
    first = asyncio.create_task(kept.get("BTC"))
    await asyncio.sleep(0)
    found = await asyncio.gather(*(kept.get(coin) for coin in ("ETH", "BTC", "NONE", "SOL")), return_exceptions=True)
    assert (await first, found[:2], found[3]) == (200, [100, 200], 0)
    assert isinstance(found[2], ProblemError)
    assert make.asked == [("BTC",), ("ETH", "NONE", "SOL"), ("ETH",), ("NONE",), ("SOL",)]


async def test_what_takes_too_long_together_is_not_asked_for_one_by_one(keeper: Keeper) -> None:
    make = Counting()
    kept = _kept(keeper, make, at_once=10)
    first = asyncio.create_task(kept.get("BTC"))
    await asyncio.sleep(0)
    found = await asyncio.gather(*(kept.get(coin) for coin in ("ETH", "SLOW")), return_exceptions=True)
    assert (await first, [type(each) for each in found]) == (200, [BusyError, BusyError])
    assert make.asked == [("BTC",), ("ETH", "SLOW")]


async def test_what_cannot_be_answered_is_not_kept(keeper: Keeper) -> None:
    make = Counting()
    kept = _kept(keeper, make)
    for _ in range(2):
        with pytest.raises(ProblemError):
            await kept.get("NONE")
    assert len(make.asked) == 2


@pytest.mark.parametrize("limit", [{"most": 3}, {"most_bytes": 300}])
async def test_the_answers_asked_for_last_are_kept_and_no_more(keeper: Keeper, limit: dict[str, int]) -> None:
    make = Counting()
    kept = _kept(keeper, make, **limit)
    for number in range(10):
        await kept.get(f"C{number}")
    for number in (9, 8, 7):
        await kept.get(f"C{number}")
    assert len(make.asked) == 10
    await kept.get("C0")
    assert len(make.asked) == 11


async def test_metrics_say_how_often_an_answer_was_there_and_what_is_kept(
    keeper: Keeper, world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.serve.kept.time.time", lambda: 0.0)  # the minute does not end meanwhile
    kept = Kept("counted", keeper, Counting(), lambda value: 100)
    await asyncio.gather(*(kept.get("BTC") for _ in range(3)))
    monkeypatch.setattr("pipelines.serve.kept.time.monotonic", partial(add, 30.0, time.monotonic()))
    for coin in ("BTC", "ETH", "BTC"):
        await kept.get(coin)
    with pytest.raises(ProblemError):
        await kept.get("NONE")
    keeper.measure()
    told = {}
    for family in figures.REGISTRY.collect():
        for each in family.samples:
            if each.labels.get("kind") == "counted":
                told[each.name.removeprefix("liq_serve_kept_"), each.labels.get("answer", "")] = each.value
    assert told["requests_total", "kept"] == 2
    assert told["requests_total", "made"] == 5
    assert (told["made_total", ""], told["answers", ""], told["bytes", ""]) == (2, 2, 200)
    assert 25 < time.time() - told["oldest_timestamp_seconds", ""] < 60, "BTC is kept new since it was made"


async def test_who_goes_away_does_not_take_the_answer_from_others(keeper: Keeper) -> None:
    make = Counting()
    kept = _kept(keeper, make)
    first = asyncio.create_task(kept.get("BTC"))
    second = asyncio.create_task(kept.get("BTC"))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == 200
    assert len(make.asked) == 1


@pytest.mark.parametrize("path", ["/v1/brief/BTC", "/page/liquidated?coin=BTC", "/v1/liquidations/totals"])
def test_who_has_the_answer_already_is_tbehind_so_with_its_age(ask: httpx.Client, path: str) -> None:
    first = ask.get(path)
    again = ask.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    told, later = first.json(), ask.get(path).json()
    before, after = told.get("meta", told), later.get("meta", later)
    assert after["age_s"] >= before["age_s"] > 0
    assert after["as_of"] >= before["as_of"]
