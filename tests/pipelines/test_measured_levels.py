"""Where known accounts would be liquidated: from a simulated venue's accounts to `measured_levels`, as they hold it."""

import asyncio
import math
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collectors.service import Collector
from collectors.settings import CollectorSettings
from collectors.simulator import Phases, Simulator
from collectors.venues.hyperliquid.simulator.accounts import Accounts
from collectors.venues.known import VENUES
from collectors.venues.venue import Venue
from pipelines.columns.contracts.instruments import Instruments
from pipelines.columns.normalise import normalise, parse_frames
from pipelines.derive.levels.measured import measure
from pipelines.derive.levels.parameters import PARAMETERS
from tests.collectors.sink import Frames
from warehouse import lake, schema
from warehouse.lake import Lake
from warehouse.writer import append

ASKED = 40
CALM = Phases(calm_s=600, cascade_s=0, aftermath_s=0, trickle=0)


def _at_once(venue: Venue) -> Venue:
    """Return the venue asked once, its accounts within a second."""
    return replace(
        venue, polls=tuple(poll._replace(every_s=600.0) for poll in venue.polls if poll.channel != "fundingHistory")
    )


async def _heard(monkeypatch: pytest.MonkeyPatch, accounts: Path) -> tuple[Frames, Accounts, int]:
    async with Simulator(seed=5, coins=["BTC", "PEPE"], phases=CALM, venues=["hyperliquid"]) as simulator:
        for name, value in simulator.env().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("LIQ_HYPERLIQUID_ACCOUNTS", str(accounts))
        monkeypatch.setenv("LIQ_HYPERLIQUID_ACCOUNTS_MOST", str(ASKED))
        sink = Frames()
        collector = Collector(_at_once(VENUES["hyperliquid"]()), sink, CollectorSettings(poll_scale=0.002))
        running = asyncio.create_task(collector.run())
        channels = {"meta", "metaAndAssetCtxs"}
        await sink.until(lambda: channels <= {frame.channel for frame in sink.data})
        await sink.until(lambda: len({f.symbol for f in sink.data if f.channel == "clearinghouseState"}) == ASKED)
        collector.stop()
        await asyncio.wait_for(running, 60)
        served = simulator._feeds["hyperliquid"]._state[0].frames.__self__  # type: ignore[attr-defined]
        return sink, served, simulator.market.now


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Frames, Accounts, datetime]:
    world, own = tmp_path_factory.mktemp("world"), tmp_path_factory.mktemp("own") / "accounts.txt"
    own.write_text(f"# mine\n0x{'f' * 40} a friend\n")
    with pytest.MonkeyPatch.context() as patch:
        sink, accounts, now = asyncio.run(_heard(patch, own))
    tables = normalise(
        parse_frames(sorted(sink.data, key=lambda frame: frame.channel != "meta"), {}), Instruments(), 0
    ).tables
    schema.create_or_migrate(world)
    with lake.open(world, read_only=False) as warehouse:
        append(
            warehouse,
            {name: tables[name] for name in ("account_positions", "mark_prices", "open_interest", "instruments")},
        )
    return world, sink, accounts, datetime.fromtimestamp(now / 1000 + 1, UTC).replace(tzinfo=None)


def test_the_largest_accounts_of_the_leaderboard_are_asked_for_and_first_those_of_the_operators_file(
    measured: tuple[Path, Frames, Accounts, datetime],
) -> None:
    _, sink, accounts, _ = measured
    asked = [frame.symbol for frame in sink.data if frame.channel == "clearinghouseState"]
    worth = {name: sum(one.coins * one.entry for one in held) for name, held in accounts.held.items()}
    largest = sorted(worth, key=lambda name: worth[name], reverse=True)
    assert f"0x{'f' * 40}" in asked
    assert not [frame for frame in sink.data if frame.channel == "leaderboard"], "which is large, and says who alone"
    assert len(set(asked) & set(largest[: ASKED + 5])) >= ASKED - 5, "the market may have reached some since"


def test_each_bin_has_what_the_accounts_hold_and_how_much_of_open_interest_that_is(
    measured: tuple[Path, Frames, Accounts, datetime],
) -> None:
    world, sink, accounts, now = measured
    asked = {frame.symbol for frame in sink.data if frame.channel == "clearinghouseState"}
    held, all_of = defaultdict[tuple[str, str, int], float](float), defaultdict[tuple[str, str], float](float)
    for name in asked & accounts.held.keys():
        for one in {each.of: each for each in reversed(accounts.held[name])}.values():
            coin = one.of.coin.name
            all_of[coin, one.side] += one.coins
            if one.liquidation is not None:
                width = math.log(1 + PARAMETERS.width(coin))
                held[coin, one.side, math.floor(math.log(one.liquidation) / width)] += one.coins
    with lake.open(world) as warehouse:
        rows = warehouse.connection.execute(
            "SELECT base, position_side, bin, qty_base, oi_share FROM measured_levels_at($now)", {"now": now}
        ).fetchall()
        interest = dict(warehouse.connection.execute("SELECT base, oi_base FROM open_interest").fetchall())
    assert {row[:3]: row[3] for row in rows} == {key: pytest.approx(coins, rel=1e-4) for key, coins in held.items()}
    shares = {row[:2]: row[4] for row in rows}
    assert shares == {key: pytest.approx(coins / interest[key[0]], rel=1e-4) for key, coins in all_of.items()}


def test_full_hours_and_the_newest_map_are_stored_once(measured: tuple[Path, Frames, Accounts, datetime]) -> None:
    world, _, _, now = measured
    hour = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    with lake.open(world, read_only=False) as warehouse:
        assert measure(warehouse, hour + timedelta(minutes=5)).columns == 1
        assert measure(warehouse, hour + timedelta(minutes=5)) == (0, 0)
        stored = _stored(warehouse)
        assert stored == {
            hour: len(warehouse.connection.execute(f"FROM measured_levels_at(TIMESTAMP '{hour}')").fetchall())
        }
        newest = hour + timedelta(minutes=6)
        warehouse.connection.execute("INSERT INTO liquidation_levels (ts, base) VALUES ($at, 'BTC')", {"at": newest})
        assert measure(warehouse, newest).columns == 1
        later = newest + timedelta(minutes=5)
        warehouse.connection.execute("INSERT INTO liquidation_levels (ts, base) VALUES ($at, 'BTC')", {"at": later})
        assert measure(warehouse, later).columns == 1
        assert _stored(warehouse).keys() == {hour, later}, "the newest takes the place of the one before"


def _stored(warehouse: Lake) -> dict[datetime, int]:
    return dict(warehouse.connection.execute("SELECT ts, count(*) FROM measured_levels GROUP BY ts").fetchall())
