"""The simulated market's own truth through the parsers into a lake: the planted cascade is found, a quiet market has none."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collectors.envelope import RawFrame
from collectors.simulator.script import Phases
from collectors.simulator.truth import Shown
from pipelines.derive.cascades.run import detect
from tests.pipelines.cascade_rows import frame, stored
from tests.pipelines.commits import commit, placed
from tests.pipelines.simulated import SimulatedFeeds
from tests.pipelines.venue_frames import START_MS
from warehouse import lake
from warehouse.lake import Lake
from warehouse.writer import replace

COINS = ("BTC", "ETH", "SOL", "DOGE")
PLANTED = Phases(calm_s=20, cascade_s=20, aftermath_s=20, burst_s=6, burst=600, trickle=0)
ORDINARY = Phases(calm_s=60, cascade_s=30, aftermath_s=60, burst=1500)
QUIET = Phases(calm_s=900, cascade_s=0, aftermath_s=0, burst=0)
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 the warehouse's times are UTC without a zone
TWO_HOURS = timedelta(hours=2)


def moment(ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=ms)


def found(world: Path, feeds: SimulatedFeeds, frames: list[RawFrame], prepare: Callable[[Lake], None]) -> Any:
    """The cascades of all feeds and of complete ones, from these frames in this order."""
    since = moment(feeds.start_ms)
    with lake.open(world, read_only=False) as warehouse:
        book = commit(warehouse, placed(frames[:3]))
        for at in range(3, len(frames), 200):
            commit(warehouse, placed(frames[at : at + 200]), book)
        prepare(warehouse)
        detect(warehouse, since, since + TWO_HOURS, since + 2 * TWO_HOURS)
        return stored(warehouse), stored(warehouse, "complete")


def nothing(_: Lake) -> None:
    """No normal minutes are known."""


def normal_minutes(warehouse: Lake) -> None:
    """Each coin had an hour of minutes of 5,000 USD the day before."""
    first = moment(START_MS) - timedelta(days=1)
    rows = [
        {"venue": "bybit", "base": base, "completeness": "all", "usd": 5_000.0, "minute": first + timedelta(minutes=n)}
        for base in COINS
        for n in range(60)
    ]
    replace(warehouse, "liquidations_1m", frame("liquidations_1m", *rows), "FALSE")


def coin(shown: Shown) -> str:
    return next(name for name in COINS if shown.symbol.startswith(name))


@pytest.mark.parametrize("order", ["as sent", "shuffled", "backwards, and half of it twice"])
def test_the_planted_cascade_is_found_with_its_true_start_end_size_and_side(fresh_world: Path, order: str) -> None:
    feeds = SimulatedFeeds(COINS, PLANTED)
    lists, frames = feeds.frames[:3], feeds.frames[3:]
    if order == "shuffled":
        random.Random(5).shuffle(frames)
    elif order != "as sent":
        frames = frames[::-1] + frames[::2]
    for scope, rows in zip(("all", "complete"), found(fresh_world, feeds, lists + frames, normal_minutes), strict=True):
        assert [row["base"] for row in rows] == sorted(COINS)
        for row in rows:
            true = [one for one in feeds.truth if coin(one) == row["base"] and scope in ("all", _class(one))]
            assert row["ts_start"] == moment(min(one.ts for one in true))
            assert row["ts_end"] == moment(max(one.ts for one in true))
            assert row["count"] == len(true)
            assert row["usd"] == pytest.approx(sum(one.usd for one in true), rel=1e-12)
            longs = sum(one.usd for one in true if one.position_side == "long")
            assert (row["position_side"], row["usd_long"]) == ("long", pytest.approx(longs, rel=1e-12))
            assert (row["venues"], row["lower_bound"]) == (
                ("binance, bybit, okx", True) if scope == "all" else ("bybit", False)
            )
            assert row["market_wide"]
            assert row["branching_ratio"] is None, "the script sets its burst off from outside: nothing there branches"


def _class(one: Shown) -> str:
    return "complete" if one.venue == "bybit" else "throttled"


def test_amid_ordinary_liquidations_it_begins_and_ends_with_its_phase(fresh_world: Path) -> None:
    feeds = SimulatedFeeds(COINS, ORDINARY)
    rows, _ = found(fresh_world, feeds, feeds.frames, nothing)
    assert [row["base"] for row in rows] == sorted(COINS)
    begins, ends = feeds.start_ms + 60_000, feeds.start_ms + 90_000
    for row in rows[1:]:  # the aftermath of the first, BTC, runs above the pace too
        assert moment(begins) <= row["ts_start"] < moment(begins + 2000)
        assert moment(ends - 2000) < row["ts_end"] <= moment(ends)
        assert row["position_side"] == "long"
    assert moment(begins) <= rows[0]["ts_start"] < moment(begins + 2000)


@pytest.mark.parametrize("normal_known", [False, True])
def test_a_quiet_market_has_no_cascade(fresh_world: Path, normal_known: bool) -> None:
    feeds = SimulatedFeeds(COINS, QUIET)
    assert len(feeds.truth) > 1000

    def prepare(warehouse: Lake) -> None:
        if normal_known:
            warehouse.connection.execute("CREATE TEMP TABLE quiet AS FROM liquidations")
            past = warehouse.connection.execute(
                "SELECT venue, base, position_side, completeness, sum(notional_usd) AS usd, count(*) AS count, "
                "date_trunc('minute', ts_event) - INTERVAL 1 DAY AS minute FROM quiet GROUP BY ALL"
            ).fetchall()
            names = ("venue", "base", "position_side", "completeness", "usd", "count", "minute")
            days = (dict(zip(names, row, strict=True)) for row in past)
            rows = [row | {"minute": row["minute"] - timedelta(hours=n)} for row in days for n in range(3)]
            replace(warehouse, "liquidations_1m", frame("liquidations_1m", *rows), "FALSE")

    assert found(fresh_world, feeds, feeds.frames, prepare) == ([], [])
