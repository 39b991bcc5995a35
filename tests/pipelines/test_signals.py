"""Signals in the lake: no look-ahead, hours frozen once, and outcomes that say what a planted history holds."""

import json
import math
import random
import statistics
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.signals.find import SETTLED, Found, find
from warehouse import lake
from warehouse.lake import Lake
from warehouse.tables import TABLES
from warehouse.writer import append

HOUR = timedelta(hours=1)
START = datetime(2026, 9, 1)  # noqa: DTZ001 the warehouse's times are UTC without a zone
HOURS = 420
PLANTED = list(range(180, 400, 5))
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
    return OF | ohlc | {"hour": hour, "volume_quote": 1.0, "last_minute": hour + 59 * timedelta(minutes=1), "closed": True}


def _history(dice: random.Random) -> tuple[dict[str, list[dict[str, Any]]], list[float]]:
    """Hours of which those in PLANTED end with a flush of longs, after which the price mostly rises; and the closes."""
    closes, interest = [100.0], 1000.0
    prices, told, open_interest = [], [], []
    for number in range(HOURS):
        hour = START + number * HOUR
        drift = dice.choice([0.01, 0.01, 0.01, -0.002]) if number - 1 in PLANTED else dice.gauss(0, 0.001)
        closes.append(closes[-1] * (1 + drift))
        interest *= 0.95 if number in PLANTED else 1.01
        usd = 200_000.0 + number if number in PLANTED else dice.uniform(1, 1000)
        prices.append(_candle(hour, closes[-1]))
        told.append(OF | {"hour": hour, "position_side": "long", "completeness": "all", "usd": usd, "count": 1})
        open_interest.append(OF | {"hour": hour, "close_base": interest, "close_usd": interest})
    tables = {"prices_1h": prices, "liquidations_1h": told, "open_interest_1h": open_interest, "instruments": [CONTRACT]}
    return tables, closes[1:]


def _end(number: int) -> datetime:
    return START + (number + 1) * HOUR


def _apart(numbers: list[int], hours: int) -> list[int]:
    """Those that follow the one before, counted or not, by so many hours or more."""
    return [at for before, at in zip([-HOURS, *numbers], numbers, strict=False) if at - before >= hours]


def test_the_outcome_of_a_planted_pattern_is_what_plain_python_counts(warehouse: Lake) -> None:
    tables, closes = _history(random.Random(3))
    _store(warehouse, tables)
    now = START + HOURS * HOUR + SETTLED
    first = PLANTED[0] - 10
    assert find(warehouse, now, since=_end(first)) == Found(HOURS - first, len(PLANTED))
    warehouse.connection.execute("SET VARIABLE as_of = ?::TIMESTAMP", [now])
    asked = "FROM signals_outcome WHERE signal = 'washouts' AND position_side = 'long' AND base = 'BTC' ORDER BY hours"
    found = warehouse.connection.execute(asked).pl().to_dicts()
    assert [row["hours"] for row in found] == [1, 4, 24]
    for row in found:
        moves = {at: closes[at + row["hours"]] / closes[at] - 1 for at in range(first, HOURS - row["hours"])}
        after = [moves[at] for at in _apart(PLANTED, row["hours"])]
        assert (row["fired"], row["n"], row["windows"]) == (len(PLANTED), len(after), len(after))
        told = (row["mean"], row["median"], row["share"], row["base_mean"], row["base_median"], row["base_share"])
        every = list(moves.values())
        assert told == pytest.approx((*_summary(after), *_summary(every)))
        assert row["base_n"] == len(every)
    assert [row["verdict"] for row in found[::2]] == ["more often than after any hour", "too few"]
    assert found[2]["n"] == 1  # 44 firings five hours apart are one window of 24 hours


def _summary(moves: list[float]) -> tuple[float, float, float]:
    return statistics.mean(moves), statistics.median(moves), sum(move > 0 for move in moves) / len(moves)


def test_the_interval_of_the_share_is_wilsons(warehouse: Lake) -> None:
    tables, closes = _history(random.Random(4))
    _store(warehouse, tables)
    now = START + HOURS * HOUR + SETTLED
    find(warehouse, now, since=_end(PLANTED[30]))
    warehouse.connection.execute("SET VARIABLE as_of = ?::TIMESTAMP", [now])
    asked = "SELECT n, share, share_low, share_high FROM signals_outcome WHERE fired > 0 AND hours = 1 AND base = '*'"
    ((n, share, low, high),) = warehouse.connection.execute(asked).fetchall()
    after = [closes[at + 1] > closes[at] for at in PLANTED[30:]]
    assert (n, share) == (len(after), pytest.approx(sum(after) / len(after)))
    for edge in (low, high):  # both edges are where the normal test of the true share is just passed
        assert abs(share - edge) == pytest.approx(1.96 * math.sqrt(edge * (1 - edge) / n), abs=1e-9)


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
        OF | {"hour": at(200), "position_side": sides(), "completeness": "all", "usd": dice.expovariate(1e-5), "count": 1}
        for _ in range(300)
    ]
    back = range(0, 30) if later else range(-30, 0)
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
        "open_interest_1h": [OF | {"hour": ends + number * HOUR, "close_base": dice.uniform(5, 15), "close_usd": 9.0} for number in back],
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
    return [warehouse.connection.execute(f"FROM {table} ORDER BY ALL").fetchall() for table in ("signals", "signal_hours")]


def test_an_hour_is_looked_at_once_and_what_comes_late_changes_it_only_when_asked(warehouse: Lake) -> None:
    tables, _ = _history(random.Random(5))
    _store(warehouse, tables)
    now = _end(PLANTED[-1]) + SETTLED
    done = find(warehouse, now)
    assert done.signals == len([at for at in PLANTED if _end(at) >= now - SETTLED - timedelta(days=2)])
    kept = _stored(warehouse)
    late = {"position_side": "short", "completeness": "all", "usd": 1e7, "count": 1}
    _store(warehouse, {"liquidations_1h": [OF | late | {"hour": START + PLANTED[-1] * HOUR}]})
    find(warehouse, now + HOUR / 2)  # the week before the first run is looked at too, but what was looked at stays
    assert all(set(old) <= set(new) for old, new in zip(kept, _stored(warehouse), strict=True))
    assert find(warehouse, now + HOUR / 2) == Found(0, 0)
    find(warehouse, now + HOUR / 2, since=_end(PLANTED[-1]), until=_end(PLANTED[-1]))
    gone = "SELECT count(*) FROM signals WHERE ts = ?"
    assert warehouse.connection.execute(gone, [_end(PLANTED[-1])]).fetchall() == [(0,)]


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
