"""prices_1h, prices_1d, open_interest_1h: what the flow keeps, against plain Python, with late rows and run twice."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.derive.bars.run import rollup
from warehouse import lake, schema
from warehouse.lake import Lake
from warehouse.tables import TABLES
from warehouse.writer import Frames, append, rewrite

DAY = datetime(2026, 10, 8)  # noqa: DTZ001 the warehouse's times are UTC without a zone
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
CONTRACT = {"venue": "bybit", "symbol": "BTCUSDT", "instrument": "BTC/USDT:USDT", "base": "BTC", "quote": "USDT"}


@pytest.fixture
def opened(fresh_world: Path) -> Iterator[Lake]:
    with lake.open(fresh_world, read_only=False) as warehouse:
        yield warehouse


def _frame(table: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    wanted = TABLES[table].schema
    return pl.DataFrame([dict.fromkeys(wanted) | CONTRACT | row for row in rows], schema=wanted)


def _minute(ts: datetime, price: float, arrived: timedelta = 2 * MINUTE, **other: Any) -> dict[str, Any]:
    return {
        "ts_event": ts, "interval": "1m", "price_kind": "trade", "open": price, "high": price + 1, "low": price - 1,
        "close": price + 0.5, "volume_base": 2.0, "volume_quote": price * 2, "closed": True, "ts_recv": ts + arrived,
    } | other  # fmt: skip


def _snapshots(warehouse: Lake) -> int:
    row = warehouse.connection.execute("SELECT count(*) FROM ducklake_snapshots('lake')").fetchone()
    return int(row[0]) if row else 0


def _stored(warehouse: Lake, table: str, columns: str) -> list[tuple[Any, ...]]:
    return warehouse.connection.execute(f"SELECT {columns} FROM {table} ORDER BY ALL").fetchall()


def test_hours_and_days_are_those_of_the_minutes_by_plain_python(opened: Lake) -> None:
    chance = random.Random(1)
    minutes = [_minute(DAY + number * MINUTE, 100 + chance.random()) for number in range(3000) if chance.random() < 0.9]
    append(opened, {"klines": _frame("klines", minutes)})
    rollup(opened)
    for table, length, time in (("prices_1h", HOUR, "hour"), ("prices_1d", timedelta(days=1), "day")):
        bars: dict[datetime, list[dict[str, Any]]] = {}
        for row in minutes:
            bars.setdefault(DAY + (row["ts_event"] - DAY) // length * length, []).append(row)
        wanted = [
            (bar, rows[0]["open"], max(row["high"] for row in rows), min(row["low"] for row in rows), rows[-1]["close"],
             pytest.approx(sum(row["volume_quote"] for row in rows)), len(rows), rows[-1]["ts_event"],
             rows[-1]["ts_event"] == bar + length - MINUTE)
            for bar, rows in bars.items()
        ]  # fmt: skip
        columns = f"{time}, open, high, low, close, volume_quote, minutes, last_minute, closed"
        assert _stored(opened, table, columns) == wanted


def test_run_again_nothing_is_written_and_nothing_committed(opened: Lake) -> None:
    append(
        opened, {"klines": _frame("klines", [_minute(DAY + number * MINUTE, 100.1 + number) for number in range(200)])}
    )
    assert rollup(opened).bars == 4 + 1
    before, rows = _snapshots(opened), _stored(opened, "prices_1h", "rowid")
    assert rollup(opened).bars == 0
    assert _snapshots(opened) == before
    assert rollup(opened, everything=True).bars == 0
    assert _stored(opened, "prices_1h", "rowid") == rows


def test_a_minute_that_arrives_days_late_changes_its_hour_and_day_alone(opened: Lake) -> None:
    days = 5 * 1440
    rows = [_minute(DAY + number * MINUTE, 100.0) for number in range(0, days, 10)]
    append(opened, {"klines": _frame("klines", rows)})
    rollup(opened)
    late = _minute(DAY + 5 * MINUTE, 500.0, timedelta(days=6))
    append(opened, {"klines": _frame("klines", [late])})
    assert rollup(opened).bars == 1 + 1
    assert _stored(opened, "prices_1h", "hour, high, minutes")[0] == (DAY, 501.0, 7)
    assert _stored(opened, "prices_1d", "day, high, minutes")[0] == (DAY, 501.0, 145)


def test_the_running_minute_gives_its_price_and_no_volume_until_it_is_closed(opened: Lake) -> None:
    running = _minute(DAY + MINUTE, 200.0, closed=False)
    append(opened, {"klines": _frame("klines", [_minute(DAY, 100.0), running])})
    rollup(opened)
    columns = "high, close, volume_base, minutes, last_minute, closed"
    assert _stored(opened, "prices_1h", columns) == [(201.0, 200.5, 2.0, 1, DAY + MINUTE, False)]
    append(opened, {"klines": _frame("klines", [_minute(DAY + MINUTE, 210.0)])})
    rollup(opened)
    assert _stored(opened, "prices_1h", columns) == [(211.0, 210.5, 4.0, 2, DAY + MINUTE, False)]


def test_the_venues_own_hour_and_day_stand_where_minutes_are_missing(opened: Lake) -> None:
    whole = [_minute(DAY + number * MINUTE, 100.0) for number in range(60)]
    part = [_minute(DAY + HOUR + number * MINUTE, 100.0) for number in range(59)]
    own = [_minute(DAY + number * HOUR, 700.0, interval="1h") for number in range(3)]
    other = [
        _minute(DAY + timedelta(days=1), 900.0, interval="1d"),
        _minute(DAY, 1.0, interval="1h", price_kind="mark"),
    ]
    append(opened, {"klines": _frame("klines", [*whole, *part, *own, *other])})
    rollup(opened)
    assert _stored(opened, "prices_1h", "hour, open, minutes, closed") == [
        (DAY, 100.0, 60, True),
        (DAY + HOUR, 700.0, 60, True),
        (DAY + 2 * HOUR, 700.0, 60, True),
    ]
    assert _stored(opened, "prices_1d", "day, open, close, minutes, closed") == [
        (DAY, 100.0, 700.5, 180, False),
        (DAY + timedelta(days=1), 900.0, 900.5, 1440, True),
    ]


def test_open_interest_has_coins_and_dollars_of_the_mark_that_held(opened: Lake) -> None:
    values = [(0, 10.0), (20, 14.0), (40, 8.0), (59, 12.0), (60, 99.0)]
    interest = [{"ts": DAY + at * MINUTE, "ts_event": DAY + at * MINUTE, "oi_base": base, "sides": "both",
                 "ts_recv": DAY + at * MINUTE} for at, base in values]  # fmt: skip
    marks = [
        {"ts": DAY + at * MINUTE, "ts_event": DAY + at * MINUTE, "mark_price": price}
        for at, price in ((0, 2.0), (30, 5.0))
    ]
    append(opened, {"open_interest": _frame("open_interest", interest), "mark_prices": _frame("mark_prices", marks)})
    assert rollup(opened).bars == 2
    columns = "open_base, high_base, low_base, close_base, open_usd, high_usd, low_usd, close_usd, samples, last_ts"
    assert _stored(opened, "open_interest_1h", f"hour, {columns}")[0] == (
        DAY, 10.0, 14.0, 8.0, 12.0, 20.0, 60.0, 20.0, 60.0, 4, DAY + 59 * MINUTE)  # fmt: skip


@pytest.mark.parametrize(("table", "time", "length"), [("prices_1h", "hour", "1h"), ("prices_1d", "day", "1d")])
def test_a_candle_of_another_venue_contract_or_kind_or_one_that_still_ran_stands_for_no_missing_minutes(
    opened: Lake, table: str, time: str, length: str
) -> None:
    minutes = [_minute(DAY + number * MINUTE, 100.0) for number in range(59)]
    own = [
        _minute(DAY, 1.0, interval=length, price_kind="mark"),
        _minute(DAY, 2.0, interval=length, closed=False),
        _minute(DAY, 3.0, interval="4h"),
        _minute(DAY, 700.0, interval=length, venue="binance"),
        _minute(DAY, 300.0, interval=length, symbol="ETHUSDT"),
    ]
    append(opened, {"klines": _frame("klines", [*minutes, *own])})
    rollup(opened)
    whole = 60 if length == "1h" else 1440
    assert _stored(opened, table, f"venue, symbol, {time}, open, minutes, closed") == [
        ("binance", "BTCUSDT", DAY, 700.0, whole, True),
        ("bybit", "BTCUSDT", DAY, 100.0, 59, False),
        ("bybit", "ETHUSDT", DAY, 300.0, whole, True),
    ]


def _interest(ts: datetime, coins: float, arrived: timedelta = MINUTE, **other: Any) -> dict[str, Any]:
    trace = {"kafka_topic": "raw.open_interest", "kafka_partition": 0, "kafka_offset": 1, "session": "s", "seq": 1}
    return {"ts": ts, "ts_event": ts, "oi_base": coins, "sides": "both", "ts_recv": ts + arrived} | trace | other


def _mark(ts: datetime, price: float) -> dict[str, Any]:
    return {"ts": ts, "ts_event": ts, "mark_price": price, "ts_recv": ts}


def test_a_partition_that_lags_by_hours_is_in_the_bars(opened: Lake) -> None:
    append(opened, {"klines": _frame("klines", [_minute(DAY + 12 * HOUR, 100.0)])})
    rollup(opened)
    lagged = [_minute(DAY + 8 * HOUR, 200.0, symbol="ETHUSDT")]
    append(opened, {"klines": _frame("klines", lagged)})
    assert rollup(opened).bars == 1 + 2, "an hour, and the day of both"
    assert _stored(opened, "prices_1h", "symbol, hour") == [("BTCUSDT", DAY + 12 * HOUR), ("ETHUSDT", DAY + 8 * HOUR)]


def test_a_clock_a_day_ahead_hides_nothing_that_comes_after_it(opened: Lake) -> None:
    ahead = timedelta(days=1)
    append(opened, {"klines": _frame("klines", [_minute(DAY, 100.0, ahead)]),
                    "open_interest": _frame("open_interest", [_interest(DAY, 10.0, ahead)])})  # fmt: skip
    rollup(opened)
    append(opened, {"klines": _frame("klines", [_minute(DAY + HOUR, 101.0)]),
                    "open_interest": _frame("open_interest", [_interest(DAY + HOUR, 11.0)])})  # fmt: skip
    rollup(opened)
    assert _stored(opened, "prices_1h", "hour, open") == [(DAY, 100.0), (DAY + HOUR, 101.0)]
    assert _stored(opened, "prices_1d", "close") == [(101.5,)]
    assert _stored(opened, "open_interest_1h", "hour, close_base") == [(DAY, 10.0), (DAY + HOUR, 11.0)]


def test_open_interest_that_is_read_again_is_in_the_bars(opened: Lake) -> None:
    wrong, late = _interest(DAY, 10.0), _interest(DAY + 9 * HOUR, 12.0, kafka_offset=2, seq=2)
    append(
        opened,
        {"open_interest": _frame("open_interest", [wrong, late]), "raw_frames": _frame("raw_frames", [wrong, late])},
    )
    rollup(opened)
    frames = Frames(DAY, DAY + HOUR, ("raw.open_interest",), 1)
    rewrite(opened, {"open_interest": _frame("open_interest", [wrong | {"oi_base": 5.0}])}, frames)
    assert rollup(opened).bars == 1
    assert _stored(opened, "open_interest_1h", "hour, close_base") == [(DAY, 5.0), (DAY + 9 * HOUR, 12.0)]
    rewrite(opened, {"open_interest": _frame("open_interest", [])}, frames)
    rollup(opened)
    assert _stored(opened, "open_interest_1h", "hour, close_base") == [(DAY + 9 * HOUR, 12.0)]


def test_a_mark_price_that_comes_late_gives_the_hour_and_the_next_their_dollars(opened: Lake) -> None:
    values = [_interest(DAY + at * MINUTE, 10.0) for at in (45, 75, 106)]
    append(opened, {"open_interest": _frame("open_interest", [*values, _interest(DAY + 9 * HOUR, 1.0)])})
    rollup(opened)
    append(opened, {"mark_prices": _frame("mark_prices", [_mark(DAY + 45 * MINUTE, 3.0)])})
    rollup(opened)
    assert _stored(opened, "open_interest_1h", "hour, open_usd, close_usd") == [
        (DAY, 30.0, 30.0), (DAY + HOUR, 30.0, 30.0), (DAY + 9 * HOUR, None, None),
    ]  # fmt: skip


def test_open_interest_of_a_contract_that_is_described_later_gets_its_name_and_dollars(opened: Lake) -> None:
    unknown = dict.fromkeys(("instrument", "base", "quote"))
    append(opened, {"open_interest": _frame("open_interest", [_interest(DAY, 10.0, **unknown)]),
                    "mark_prices": _frame("mark_prices", [_mark(DAY, 2.0)])})  # fmt: skip
    rollup(opened)
    assert _stored(opened, "open_interest_1h", "base, close_usd") == [(None, None)]
    append(opened, {"instruments": _frame("instruments", [CONTRACT | {"valid_from": DAY, "ts_recv": DAY}])})
    assert rollup(opened).bars == 1
    assert _stored(opened, "open_interest_1h", "base, close_usd") == [("BTC", 20.0)]


def test_a_bucket_of_the_grid_that_begins_before_the_hour_of_its_value_is_in_that_hour(opened: Lake) -> None:
    odd = _interest(DAY + HOUR + 2 * MINUTE, 10.0) | {"ts": DAY + HOUR - 5 * MINUTE}
    append(opened, {"open_interest": _frame("open_interest", [odd])})
    rollup(opened)
    assert _stored(opened, "open_interest_1h", "hour, close_base") == [(DAY + HOUR, 10.0)]


def test_an_hour_is_noted_once_until_somebody_else_commits(opened: Lake) -> None:
    for second in range(5):
        row = _interest(DAY + timedelta(seconds=second), 10.0)
        append(
            opened,
            {"open_interest": _frame("open_interest", [row]), "mark_prices": _frame("mark_prices", [_mark(DAY, 2.0)])},
        )
    notes = [("open_interest", DAY, DAY + HOUR), ("open_interest", DAY, DAY + 2 * HOUR)]
    assert _stored(opened, "rollup_pending", "bars, since, until") == notes
    with lake.open(opened.world, read_only=False) as other:
        assert rollup(other).bars == 1
    append(opened, {"open_interest": _frame("open_interest", [_interest(DAY + 9 * MINUTE, 11.0)])})
    assert _stored(opened, "rollup_pending", "bars, since, until") == notes[:1]


def test_a_world_from_before_notes_were_kept_of_all_bars_is_made_whole_once(tmp_path: Path) -> None:
    pending = TABLES["rollup_pending"]
    older = pending._replace(columns=tuple(column for column in pending.columns if column.name != "bars"))
    schema.create_or_migrate(tmp_path, [older, *(table for table in TABLES.values() if table.name != older.name)], [])
    with lake.open(tmp_path, read_only=False) as opened:
        for table, row in (("klines", _minute(DAY, 100.0)), ("open_interest", _interest(DAY, 1.0))):
            opened.connection.register("given", _frame(table, [row]).to_arrow())
            opened.connection.execute(f"INSERT INTO {table} FROM given")
        opened.connection.execute("INSERT INTO rollup_pending (venue, symbol) VALUES ('okx', 'X')")
        wrong_and_without_rows = "(TIMESTAMP '2026-10-08 05:00:00'), (TIMESTAMP '2026-01-02')"
        for table, time in (("prices_1h", "hour"), ("open_interest_1h", "hour"), ("prices_1d", "day")):
            opened.connection.execute(f"INSERT INTO {table} ({time}) VALUES {wrong_and_without_rows}")
    schema.create_or_migrate(tmp_path)
    with lake.open(tmp_path, read_only=False) as opened:
        assert rollup(opened) == (0, 0, 1, 3)
        kept = [(datetime(2026, 1, 2),), (DAY,)]  # noqa: DTZ001 of the first day there is no row to make it anew
        assert _stored(opened, "prices_1h", "hour") == kept
        assert _stored(opened, "open_interest_1h", "hour") == kept
        assert rollup(opened) == (0, 0, 0, 0)
