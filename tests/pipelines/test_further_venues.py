"""Each venue that is not among the usual ones, from its simulated market over sockets and REST to rows: as it happened."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from collectors import topics
from collectors.plan import assumed
from collectors.service import Collector
from collectors.settings import CollectorSettings
from collectors.simulator import Phases, Simulator
from collectors.simulator.truth import Shown
from collectors.venues.known import RECORDS
from collectors.venues.simulated import SIMULATED
from pipelines.columns.contracts.instruments import Instruments
from pipelines.columns.normalise import normalise, parse_frames
from pipelines.reading.parse import Parsed
from tests.collectors.sink import Frames

FURTHER = [name for name, record in RECORDS.items() if not record.is_usual]
WITH_LIQUIDATIONS = [name for name in FURTHER if "liquidations" in RECORDS[name].collects]
COINS = ("BTC", "ETH", "PEPE", "DOGE")
BUSY = Phases(calm_s=600, trickle=150)
ENOUGH = 120
WITHOUT_TIME = ("bitmex",)
"""Those whose liquidations have no time: a row's is when it was first heard of."""
PUSHED = (topics.FUNDING, topics.TICKER, topics.OPEN_INTEREST)
QUICK = CollectorSettings(poll_scale=0.02, first_delay_s=0.05)


class Heard(dict[str, tuple[Parsed, dict[str, pl.DataFrame], list[Shown], Frames]]):
    """What a venue's collector got of a busy market, read, beside what was shown to it; it listens when it is asked for."""

    def __missing__(self, name: str) -> tuple[Parsed, dict[str, pl.DataFrame], list[Shown], Frames]:
        self[name] = asyncio.run(_heard(name))
        return self[name]


@pytest.fixture(scope="module")
def heard() -> Heard:
    return Heard()


async def _heard(name: str) -> tuple[Parsed, dict[str, pl.DataFrame], list[Shown], Frames]:
    sink = Frames()
    async with Simulator(seed=3, coins=COINS, phases=BUSY, venues=[name]) as simulator:
        with pytest.MonkeyPatch.context() as patch:
            for setting, value in simulator.env().items():
                patch.setenv(setting, value)
            collector = Collector(asked := RECORDS[name].venue(), sink, QUICK)
        running = asyncio.create_task(collector.run())
        channels = {poll.channel for poll in asked.polls if poll.is_kept}
        streams = {asked.stream(arg) for feed in asked.feeds(assumed(asked, 10)) for arg in feed.args}
        channels |= {stream.channel for stream in streams if stream.topic in PUSHED}
        await sink.until(lambda: channels <= {frame.channel for frame in sink.data})
        if "liquidations" in RECORDS[name].collects:
            await sink.until(lambda: sum(row.receivers for row in simulator.record.rows) >= ENOUGH)
        simulator.quiet()
        await sink.until(lambda: not simulator.state()["pending"][name])
        await asyncio.sleep(0.5)
        collector.stop()
        await asyncio.wait_for(running, 60)
        shown = list(simulator.record.rows)
    frames = sorted(sink.data, key=lambda frame: frame.transport)  # of REST first: contracts are known
    parsed = parse_frames(frames, {})
    return parsed, normalise(parsed, Instruments(), grid_s=0).tables, shown, sink


@pytest.fixture(params=FURTHER)
def venue(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_frame_is_read_and_nothing_was_refused(heard: Heard, venue: str) -> None:
    parsed, tables, _, sink = heard[venue]
    assert tables["dead_letters"].height == 0, tables["dead_letters"]["reason"].unique().to_list()
    assert [sink.told(what) for what in ("refused", "poll_failed", "poll_stopped", "silent")] == [[], [], [], []]
    assert not [frame for frame in parsed.frames if frame.channel == "?"]


@pytest.mark.parametrize("venue", WITH_LIQUIDATIONS)
def test_liquidations_are_those_that_happened_with_side_coins_and_dollars(heard: Heard, venue: str) -> None:
    _, tables, shown, _ = heard[venue]
    rows = tables["liquidations"].unique(["ts_event", "event_key", "occurrence"])  # as the warehouse keeps them
    assert rows.height >= ENOUGH
    sides = rows["position_side"].null_count() == 0  # else left open in every row: see the test of reports
    assert sides or rows["position_side"].null_count() == rows.height
    timed = venue not in WITHOUT_TIME
    given = by_key(_of_row(row, timed) for row in rows.iter_rows(named=True))
    happened = by_key(_of_truth(one, sides, timed) for one in shown)
    pushed = by_key(_of_truth(one, sides, timed) for one in shown if one.receivers)
    assert pushed.keys() <= given.keys() <= happened.keys(), "what REST brought besides happened, too"
    wanted = happened if timed else pushed  # without times, what nobody heard has the key of what was heard
    assert given == {key: [pytest.approx(amounts, rel=1e-9) for amounts in wanted[key]] for key in given}


def by_key(rows: Iterable[tuple[Any, ...]]) -> dict[tuple[Any, ...], list[tuple[float, float]]]:
    """Return coins and dollars of what has one symbol, time and side."""
    found: dict[tuple[Any, ...], list[tuple[float, float]]] = {}
    for *key, coins, usd in sorted(rows, key=repr):
        found.setdefault(tuple(key), []).append((coins, usd))
    return found


def _of_row(row: dict[str, Any], timed: bool) -> tuple[Any, ...]:
    return row["symbol"], row["ts_event"] if timed else None, row["position_side"], row["qty_base"], row["notional_usd"]


def _of_truth(one: Shown, sides: bool, timed: bool) -> tuple[Any, ...]:
    at = datetime.fromtimestamp(one.ts / 1000, UTC).replace(tzinfo=None)
    return one.symbol, at if timed else None, one.position_side if sides else None, one.qty_base, one.usd


@pytest.mark.parametrize("venue", WITH_LIQUIDATIONS)
def test_a_side_that_the_feed_leaves_open_is_in_the_reports_of_the_second_source(heard: Heard, venue: str) -> None:
    _, tables, shown, _ = heard[venue]
    if tables["liquidations"]["position_side"].null_count() == 0:
        return
    reported = tables["liquidation_reports"].select("symbol", "ts_event", "position_side", "qty_raw").unique()
    given = {(symbol, at, side, qty) for symbol, at, side, qty in reported.iter_rows()}
    happened = {
        (
            one.symbol,
            datetime.fromtimestamp(one.ts // 1000, UTC).replace(tzinfo=None),
            one.position_side,
            float(one.qty_raw),
        )
        for one in shown
    }
    assert given
    assert given <= happened


def test_state_and_contracts_are_there_and_every_contract_is_known(heard: Heard, venue: str) -> None:
    _, tables, _, _ = heard[venue]
    listed = set(tables["instruments"]["symbol"])
    settled = ("funding_settlements",) if "settled funding" in RECORDS[venue].collects else ()
    told = ("liquidations",) if venue in WITH_LIQUIDATIONS else ()
    for table in ("funding_rates", "open_interest", "mark_prices", *told, *settled):
        rows = tables[table]
        assert rows.height > 0, table
        assert set(rows["symbol"]) <= listed or table == "mark_prices"
        assert rows["base"].null_count() == 0, table
    assert set(tables["instruments"]["base"]) >= {"BTC", "ETH"}
    assert tables["open_interest"].filter(pl.col("oi_base").is_null() & pl.col("oi_usd").is_null()).height == 0
    paid = tables["funding_settlements"]
    hours = SIMULATED[venue].funding_hours
    assert not settled or paid.filter((pl.col("base") == "BTC") & (pl.col("interval_hours") == hours)).height > 0
