"""Signals in the lake: no look-ahead, hours frozen once, and outcomes that say what a planted history holds."""

import json
import math
import random
import statistics
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.derive.signals import find as find_module
from pipelines.derive.signals.find import BACK, FIRST_RUN, SETTLED, Found, find
from tests.warehouse.made import copied
from warehouse import lake
from warehouse.lake import Lake
from warehouse.tables import TABLES
from warehouse.writer import append

HOUR = timedelta(hours=1)
START = datetime(2026, 9, 1)  # noqa: DTZ001 the warehouse's times are UTC without a zone
PLANTED = list(accumulate([*[1] * 9, 5] * 3, initial=170))  # hours, from START on
FIRST, LAST, HOURS = PLANTED[0] - 2, PLANTED[-1] + 5, PLANTED[-1] + 20
OF = {
    "venue": "binance", "symbol": "BTCUSDT", "instrument": "BTC/USDT:USDT", "base": "BTC", "quote": "USDT", "settle": "USDT",
    "contract": "linear", "kind": "perpetual",
}  # fmt: skip
CONTRACT = OF | {"multiplier": 1, "interval_hours": 8.0, "valid_from": START}


@pytest.fixture
def warehouse(fresh_world: Path) -> Iterator[Lake]:
    with lake.open(fresh_world, read_only=False) as opened:
        yield opened


def _frame(table: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    wanted = TABLES[table].schema
    return pl.DataFrame([dict.fromkeys(wanted) | {k: v for k, v in row.items() if k in wanted} for row in rows], wanted)


def _store(warehouse: Lake, tables: dict[str, list[dict[str, Any]]]) -> None:
    append(warehouse, {table: _frame(table, rows) for table, rows in tables.items()})


def _candle(hour: datetime, close: float) -> dict[str, Any]:
    ohlc = dict.fromkeys(("open", "high", "low", "close"), close)
    return (
        OF | ohlc | {"hour": hour, "volume_quote": 1.0, "last_minute": hour + 59 * timedelta(minutes=1), "closed": True}
    )


def _history(dice: random.Random) -> tuple[dict[str, list[dict[str, Any]]], list[float]]:
    """Hours of which those in PLANTED end with a flush of longs, after which the price mostly rises; and the closes."""
    closes, interest = [100.0], 1000.0
    prices, told, open_interest = [], [], []
    for number in range(HOURS):
        hour = START + number * HOUR
        drift = dice.choice([0.01] * 19 + [-0.002]) if number - 1 in PLANTED else dice.gauss(-0.0005, 0.001)
        closes.append(closes[-1] * (1 + drift))
        interest *= 0.95 if number in PLANTED else 1.01
        usd = 200_000.0 + number if number in PLANTED else dice.uniform(1, 1000)
        prices.append(_candle(hour, closes[-1]))
        told.append(OF | {"hour": hour, "position_side": "long", "completeness": "all", "usd": usd, "count": 1})
        open_interest.append(OF | {"hour": hour, "close_base": interest, "close_usd": interest})
    tables = {
        "prices_1h": prices,
        "liquidations_1h": told,
        "open_interest_1h": open_interest,
        "instruments": [CONTRACT],
    }
    return tables, closes[1:]


def _end(number: int) -> datetime:
    return START + (number + 1) * HOUR


def _apart(numbers: list[int], hours: int) -> list[int]:
    """Those that follow the one before, counted or not, by so many hours or more."""
    return [at for before, at in zip([-HOURS, *numbers], numbers, strict=False) if at - before >= hours]


@pytest.fixture(scope="module")
def planted(empty_world: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lake, list[float]]]:
    """A lake with the signals of the hours FIRST to LAST found, as of the end of the history; and the closes."""
    world = tmp_path_factory.mktemp("planted")
    copied(empty_world, world)
    tables, closes = _history(random.Random(3))
    now = START + HOURS * HOUR + SETTLED
    with lake.open(world, read_only=False) as opened:
        _store(opened, tables)
        assert find(opened, now, _end(FIRST), _end(LAST)) == Found(LAST - FIRST + 1, len(PLANTED))
        opened.connection.execute("SET VARIABLE as_of = ?::TIMESTAMP", [now])
        yield opened, closes


OUTCOME = "FROM signals_outcome WHERE signal = 'washouts' AND position_side = 'long' AND base = $base ORDER BY hours"


def test_the_outcome_of_a_planted_pattern_is_what_plain_python_counts(planted: tuple[Lake, list[float]]) -> None:
    opened, closes = planted
    found = opened.connection.execute(OUTCOME, {"base": "BTC"}).pl().to_dicts()
    assert [row["hours"] for row in found] == [1, 4, 24]
    for row in found:
        ends = range(FIRST, min(LAST, HOURS - 1 - row["hours"]) + 1)
        moves = {at: closes[at + row["hours"]] / closes[at] - 1 for at in ends}
        first = _apart(PLANTED, row["hours"])
        after = [moves[at] for at in first if at in moves]
        assert (row["fired"], row["n"], row["windows"]) == (len(PLANTED), len(after), len(after))
        assert row["pending"] + row["n"] == len(first)
        told = (row["mean"], row["median"], row["share"], row["base_mean"], row["base_median"], row["base_share"])
        assert told == pytest.approx((*_summary(after), *_summary(list(moves.values()))))
        assert (row["base_n"], row["hours_looked"]) == (len(moves), LAST - FIRST + 1)
    assert [row["verdict"] for row in found] == ["more often than after any hour", "too few", "too few"]
    assert [row["n"] for row in found] == [31, 4, 1]  # of the hours in a run the first alone counts


def test_the_interval_of_the_share_is_wilsons(planted: tuple[Lake, list[float]]) -> None:
    row = planted[0].connection.execute(OUTCOME, {"base": "BTC"}).pl().row(0, named=True)
    for edge in (row["share_low"], row["share_high"]):  # where the normal test of a true share is just passed
        assert abs(row["share"] - edge) == pytest.approx(1.96 * math.sqrt(edge * (1 - edge) / row["n"]))


def test_of_one_coin_all_coins_together_are_the_same(planted: tuple[Lake, list[float]]) -> None:
    coin, every = (
        planted[0].connection.execute(OUTCOME, {"base": base}).pl().drop("base").to_dicts() for base in ("BTC", "*")
    )
    for one, all_of_them in zip(coin, every, strict=True):
        numbers = {name for name, value in one.items() if isinstance(value, float)}
        assert {name: one[name] for name in one.keys() - numbers} == {
            name: all_of_them[name] for name in one.keys() - numbers
        }
        assert [one[name] for name in numbers] == pytest.approx([all_of_them[name] for name in numbers])


def _summary(moves: list[float]) -> tuple[float, float, float]:
    return statistics.mean(moves), statistics.median(moves), sum(move > 0 for move in moves) / len(moves)


def _random_rows(dice: random.Random, ends: datetime, later: bool) -> dict[str, list[dict[str, Any]]]:
    """Rows of every table that signals are made of, all before `ends` or all at it and later."""

    def at(hours: int) -> datetime:
        return ends + dice.randrange(hours) * HOUR if later else ends - (1 + dice.randrange(hours)) * HOUR

    def sides() -> str:
        return dice.choice(["long", "short"])

    low = dice.choice([96.0, 97.0, 101.0, 102.0])
    levels = [
        {"ts": ends + (HOUR if later else dice.choice([0, -24]) * HOUR), "base": "BTC", "leverage": 10.0, "bin": number,
         "position_side": "long" if number < 100 else "short", "price_low": number * 1.0, "price_high": number + 1.0,
         "price": number + 0.5, "usd_estimated": 50.0 if number == low else 1.0, "qty_base_estimated": dice.random(),
         "price_now": 100.0, "distance": (number + 0.5) / 100 - 1}
        for number in range(90, 110)
    ]  # fmt: skip
    events = [
        OF | {"ts_event": at(24), "position_side": sides(), "price": dice.uniform(90, 110), "notional_usd": 1e5,
              "qty_base": 1.0, "completeness": "all", "event_key": dice.getrandbits(60), "occurrence": 0}
        for _ in range(30)
    ]  # fmt: skip
    told = [
        OF
        | {"hour": at(200), "position_side": sides(), "completeness": "all", "usd": dice.expovariate(1e-5), "count": 1}
        for _ in range(300)
    ]
    back = range(30) if later else range(-30, 0)
    ratios = [
        OF | {"ts_event": ends + dice.randrange(0, 90) * timedelta(minutes=1 if later else -1) - (not later) * HOUR / 60,
              "kind": kind, "period": "5m", "long_share": dice.random(), "scope": "symbol"}
        for kind in ("global_accounts", "top_positions")
    ]  # fmt: skip
    rate_at = ends + dice.randrange(30) * timedelta(minutes=1) if later else ends - HOUR / 60
    rate = {"ts": rate_at, "ts_event": rate_at, "funding_rate": dice.gauss(0, 0.001), "interval_hours": 8.0}
    return {
        "liquidation_levels": levels, "liquidations": events, "liquidations_1h": told, "long_short_ratios": ratios,
        "prices_1h": [_candle(ends + number * HOUR, dice.uniform(95, 105)) for number in back],
        "open_interest_1h": [
            OF | {"hour": ends + number * HOUR, "close_base": dice.uniform(5, 15), "close_usd": 9.0} for number in back
        ],
        "funding_rates": [OF | rate],
    }  # fmt: skip


def _signals(warehouse: Lake, at: datetime) -> list[tuple[Any, ...]]:
    return warehouse.connection.execute("FROM signals_at($at) ORDER BY ALL", {"at": at}).fetchall()


@pytest.mark.parametrize("seed", range(4))
def test_rows_of_later_times_change_no_signal_and_rows_before_do(warehouse: Lake, seed: int) -> None:
    dice, ends = random.Random(seed), START + 20 * 24 * HOUR
    _store(warehouse, {"instruments": [CONTRACT], **_random_rows(dice, ends, later=False)})
    before = _signals(warehouse, ends)
    assert before
    _store(warehouse, _random_rows(dice, ends, later=True))
    assert _signals(warehouse, ends) == before
    assert _signals(warehouse, ends + HOUR) != before
    late = OF | {"hour": ends - HOUR, "position_side": "long", "completeness": "all", "usd": 7.0, "count": 1}
    _store(warehouse, {"liquidations_1h": [late]})
    assert _signals(warehouse, ends) != before


def _stored(warehouse: Lake) -> list[list[tuple[Any, ...]]]:
    return [
        warehouse.connection.execute(f"FROM {table} ORDER BY ALL").fetchall() for table in ("signals", "signal_hours")
    ]


def test_an_hour_is_looked_at_once_and_what_comes_late_changes_it_only_when_asked(warehouse: Lake) -> None:
    tables, _ = _history(random.Random(5))
    last = PLANTED[-1]
    _store(warehouse, tables | {"prices_1h": tables["prices_1h"][last - 3 :]})
    now = _end(last) + SETTLED
    assert find(warehouse, now) == Found(4, 1)
    kept = _stored(warehouse)
    late = {"hour": START + last * HOUR, "position_side": "short", "completeness": "all", "usd": 1e7, "count": 1}
    _store(warehouse, {"liquidations_1h": [OF | late]})
    assert find(warehouse, now + HOUR / 2) == Found(0, 0)
    assert _stored(warehouse) == kept
    find(warehouse, now + HOUR, since=_end(last), until=_end(last))
    assert warehouse.connection.execute("SELECT position_side, computed_ts FROM signals").fetchall() == [
        ("short", now + HOUR)
    ]


def test_later_on_what_was_left_out_is_looked_at_and_nothing_older_than_the_first_time(warehouse: Lake) -> None:
    prices = [_candle(START + number * HOUR, 1.0) for number in range(24 * 12)]
    _store(warehouse, {"instruments": [CONTRACT], "prices_1h": prices})
    first = START + 100 * HOUR

    def left(hours: int) -> list[datetime]:
        return find_module._hours(warehouse, first + hours * HOUR + SETTLED, None, None)

    assert left(0) == [first - number * HOUR for number in range(FIRST_RUN // HOUR, -1, -1)]
    looked = {
        "signal": "any",
        "thresholds_version": 1,
        "fired": 0,
        "not_fired": 0,
        "not_known": 0,
        "computed_ts": first,
    }
    _store(warehouse, {"signal_hours": [looked | {"ts": hour} for hour in left(0)]})
    assert left(0) == []
    assert left(5) == [first + number * HOUR for number in range(1, 6)]
    assert left(185)[0] == first + 185 * HOUR - BACK


def test_an_hour_is_not_looked_at_before_its_prices_came(warehouse: Lake) -> None:
    _store(warehouse, {"instruments": [CONTRACT], "prices_1h": [_candle(START, 1.0), _candle(START + HOUR, 1.0)]})
    assert find(warehouse, START + HOUR + SETTLED / 2) == Found(0, 0)
    assert find(warehouse, START + 50 * HOUR) == Found(2, 0)
    looked = warehouse.connection.execute("SELECT DISTINCT ts FROM signal_hours ORDER BY 1").fetchall()
    assert looked == [(START + HOUR,), (START + 2 * HOUR,)]


def test_what_is_stored_names_its_ingredients_and_thresholds(warehouse: Lake) -> None:
    tables, _ = _history(random.Random(6))
    _store(warehouse, tables)
    now = _end(PLANTED[-1]) + SETTLED
    find(warehouse, now, since=_end(PLANTED[-1]))
    ((values, thresholds, computed),) = warehouse.connection.execute(
        "SELECT ingredients, thresholds, computed_ts FROM signals"
    ).fetchall()
    assert json.loads(values)["flush"] == pytest.approx(-0.05)
    assert json.loads(thresholds)["flush"] == -0.02
    assert computed == now
