"""Bars of liquidations equal what the rows give, whatever happened to the rows, and only what changed is computed anew."""

import math
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from liq import app
from pipelines.derive.bars import run as module
from pipelines.derive.bars.run import Rolled, rollup
from warehouse import lake, rollups
from warehouse.errors import WriteFailedError
from warehouse.lake import Lake
from warehouse.maintain import maintain
from warehouse.tables import TABLES
from warehouse.writer import Frames, append, rewrite

DAY = datetime(2026, 10, 10)  # noqa: DTZ001
NOON = DAY + timedelta(hours=12)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
BASE = {"venue": "okx", "symbol": "BTC-USDT-SWAP", "instrument": "BTC-USDT-SWAP", "base": "BTC", "quote": "USDT",
        "settle": "USDT", "contract": "linear", "kind": "perpetual", "position_side": "long", "completeness": "all",
        "qty_unit": "contract", "qty_raw": 300.0, "price_raw": 50_000.0, "price": 50_000.0, "qty_base": 0.5,
        "notional_usd": 100.1, "occurrence": 0}  # fmt: skip
UNKNOWN = dict.fromkeys(
    ("instrument", "base", "quote", "settle", "contract", "kind", "price", "qty_base", "notional_usd")
)
LISTED = {"venue": "okx", "symbol": "BTC-USDT-SWAP", "instrument": "BTC-USDT-SWAP", "base": "BTC", "quote": "USDT",
          "settle": "USDT", "contract": "linear", "kind": "perpetual", "contract_size": 0.01, "multiplier": 1,
          "valid_from": DAY, "ts_recv": DAY}  # fmt: skip


def _rows(table: str, *given: dict[str, Any]) -> pl.DataFrame:
    wanted = TABLES[table].schema
    return pl.DataFrame([dict.fromkeys(wanted, None) | row for row in given], wanted)


@pytest.fixture
def warehouse(fresh_world: Path) -> Iterator[Lake]:
    with lake.open(fresh_world, read_only=False) as opened:
        yield opened


@pytest.fixture
def put(warehouse: Lake) -> Callable[..., None]:
    """Return a function that commits one liquidation for each moment; `more`: columns that differ from the usual ones."""
    keys = iter(range(1, 10**6))

    def commit(*moments: datetime, **more: Any) -> None:
        rows = ({**BASE, "ts_event": moment, "event_key": next(keys), **more} for moment in moments)
        append(warehouse, {"liquidations": _rows("liquidations", *rows)})

    return commit


def _bars(warehouse: Lake, table: str, columns: str = "*") -> list[tuple[Any, ...]]:
    return warehouse.connection.execute(f"SELECT {columns} FROM {table} ORDER BY ALL").fetchall()


def check(warehouse: Lake) -> None:
    """Compare every bar with what plain Python adds up from the rows."""
    query = "SELECT ts_event, venue, symbol, position_side, completeness, notional_usd, qty_base FROM liquidations_filled_in"
    rows = warehouse.connection.execute(query).fetchall()
    for table, time, start in (
        ("liquidations_1m", "minute", lambda t: t.replace(second=0, microsecond=0)),
        ("liquidations_1h", "hour", lambda t: t.replace(minute=0, second=0, microsecond=0)),
        ("liquidations_1d", "day", lambda t: t.replace(hour=0, minute=0, second=0, microsecond=0)),
    ):
        groups: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
        for row in rows:
            groups.setdefault((start(row[0]), *row[1:5]), []).append(row)
        found = warehouse.connection.execute(
            f"SELECT {time}, venue, symbol, position_side, completeness, usd, qty_base, count, unpriced, largest_usd, seconds "
            f"FROM {table}"
        ).fetchall()
        wanted = {key: _sums(own) for key, own in groups.items()}
        assert {row[:5]: (round(row[5], 6), round(row[6], 6), *row[7:]) for row in found} == wanted, table
        assert len(found) == len(wanted)


def _sums(rows: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    usd = [row[5] for row in rows if row[5] is not None]
    coins = [row[6] for row in rows if row[6] is not None]
    seconds = {row[0].replace(microsecond=0) for row in rows}
    return (round(math.fsum(usd), 6), round(math.fsum(coins), 6), len(rows), len(rows) - len(usd),
            max(usd, default=None), len(seconds))  # fmt: skip


def test_bars_hold_the_sums_of_the_rows(warehouse: Lake, put: Callable[..., None]) -> None:
    put(NOON, NOON + SECOND / 2, NOON + 59 * SECOND, NOON + MINUTE, NOON + HOUR, NOON + 12 * HOUR)
    put(NOON, NOON + SECOND, position_side="short", notional_usd=7.0)
    put(NOON, completeness="one_per_second", venue="binance")
    put(NOON, notional_usd=None, qty_base=None)
    assert rollup(warehouse).days == 2
    check(warehouse)
    assert _bars(warehouse, "liquidations_1d", "day, sum(count) OVER (PARTITION BY day)")[0] == (DAY, 9)


def test_run_again_nothing_is_left_to_do(warehouse: Lake, put: Callable[..., None]) -> None:
    put(NOON, NOON + HOUR)
    rollup(warehouse)
    before = {table: _bars(warehouse, table) for table in ("liquidations_1m", "liquidations_1h", "liquidations_1d")}
    snapshot = warehouse.connection.execute("SELECT max(snapshot_id) FROM ducklake_snapshots('lake')").fetchone()
    assert rollup(warehouse) == Rolled(0, 0, 0, 0)
    assert (
        warehouse.connection.execute("SELECT max(snapshot_id) FROM ducklake_snapshots('lake')").fetchone() == snapshot
    )
    rollup(warehouse, everything=True)
    assert {table: _bars(warehouse, table) for table in before} == before


def test_a_late_row_touches_its_own_minute_only(warehouse: Lake, put: Callable[..., None]) -> None:
    put(*(DAY + n * MINUTE for n in range(1440)))
    rollup(warehouse)
    rowids = _bars(warehouse, "liquidations_1m", "minute, rowid")
    put(NOON + SECOND)
    assert rollup(warehouse) == Rolled(1, 1, 0, 0)
    changed = {row[0] for row in set(rowids) ^ set(_bars(warehouse, "liquidations_1m", "minute, rowid"))}
    assert changed == {NOON}
    check(warehouse)


def test_a_row_stored_before_touches_nothing(warehouse: Lake) -> None:
    once = _rows("liquidations", {**BASE, "ts_event": NOON, "event_key": 1})
    append(warehouse, {"liquidations": once})
    rollup(warehouse)
    append(warehouse, {"liquidations": once})
    assert rollup(warehouse) == Rolled(0, 0, 0, 0)


def test_rows_are_completed_when_their_contract_is_described_later(warehouse: Lake, put: Callable[..., None]) -> None:
    put(NOON, NOON + HOUR, **UNKNOWN)
    put(NOON - HOUR, venue="bybit")
    rollup(warehouse)
    assert {row[0] for row in _bars(warehouse, "liquidations_1d", "usd")} == {0.0, 100.1}
    append(warehouse, {"instruments": _rows("instruments", LISTED)})
    assert rollup(warehouse) == Rolled(2, 1, 1, 0)  # not the minute of the whole row
    assert _bars(warehouse, "liquidations_1h", "base, usd") == [("BTC", 100.1), ("BTC", 150_000.0), ("BTC", 150_000.0)]
    append(
        warehouse, {"instruments": _rows("instruments", {**LISTED, "valid_from": NOON + MINUTE, "contract_size": 0.1})}
    )
    assert rollup(warehouse).contracts == 1
    assert {row[0] for row in _bars(warehouse, "liquidations_1h", "usd")} == {100.1, 150_000.0, 1_500_000.0}
    check(warehouse)


def test_rewritten_rows_change_the_minute_they_left_and_the_one_they_came_to(warehouse: Lake) -> None:
    trace = {"ts_recv": NOON, "kafka_topic": "raw.liquidation", "kafka_partition": 0, "kafka_offset": 1, "session": "s",
             "seq": 1}  # fmt: skip
    wrong = _rows("liquidations", {**BASE, **trace, "ts_event": NOON - 2 * HOUR, "event_key": 1})
    append(warehouse, {"liquidations": wrong, "raw_frames": _rows("raw_frames", trace)})
    rollup(warehouse)
    right = _rows("liquidations", {**BASE, **trace, "ts_event": NOON, "event_key": 1, "notional_usd": 5.0})
    frames = Frames(NOON, NOON + MINUTE, ("raw.liquidation",), 1)
    rewrite(warehouse, {"liquidations": right}, frames)
    assert rollup(warehouse) == Rolled(2, 1, 0, 0)
    assert _bars(warehouse, "liquidations_1m", "minute, usd") == [(NOON, 5.0)]
    rewrite(warehouse, {"liquidations": right}, frames)
    assert rollup(warehouse) == Rolled(0, 0, 0, 0)
    rewrite(warehouse, {"liquidations": right.clear()}, frames)
    rollup(warehouse)
    assert [_bars(warehouse, table) for table in ("liquidations_1m", "liquidations_1h", "liquidations_1d")] == [[]] * 3


def test_joining_files_touches_nothing(warehouse: Lake, put: Callable[..., None]) -> None:
    for n in range(4):
        put(NOON + n * HOUR)
        rollup(warehouse)
    put(NOON)
    maintain(warehouse, timedelta(0), timedelta(0))
    assert rollup(warehouse) == Rolled(1, 1, 0, 0)
    maintain(warehouse, timedelta(0), timedelta(0))
    assert rollup(warehouse) == Rolled(0, 0, 0, 0)
    check(warehouse)


def test_a_day_that_fails_stays_pending_and_its_bars_as_they_were(
    warehouse: Lake, put: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(NOON)
    rollup(warehouse)
    before = _bars(warehouse, "liquidations_1m")
    put(NOON + SECOND, NOON - 24 * HOUR)
    own = rollups.KINDS["liquidations"]
    broken = own._replace(bars=(*own.bars[:2], own.bars[2]._replace(length="1 GONE"), *own.bars[3:]))
    monkeypatch.setitem(rollups.KINDS, "liquidations", broken)
    with pytest.raises((WriteFailedError, FileNotFoundError)):
        rollup(warehouse)
    assert _bars(warehouse, "liquidations_1m") == before
    monkeypatch.undo()
    assert rollup(warehouse) == Rolled(2, 2, 0, 0)
    check(warehouse)


def test_days_done_before_a_stop_are_not_done_again(
    warehouse: Lake, put: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(NOON, NOON - 24 * HOUR, NOON - 48 * HOUR)
    done: list[datetime] = []

    def stopped(opened: Lake, stretch: rollups.Stretch) -> tuple[int, int]:
        if done:
            raise KeyboardInterrupt
        done.append(stretch.since)
        return rollups.roll(opened, stretch)

    monkeypatch.setattr(rollups, "MOST_ROWS", 1)
    monkeypatch.setattr(module, "roll", stopped)
    with pytest.raises(KeyboardInterrupt):
        rollup(warehouse, everything=True)
    monkeypatch.undo()
    assert done == [DAY]
    assert rollup(warehouse).days == 2
    check(warehouse)


def test_a_warehouse_older_than_its_rollups_is_rolled_whole(warehouse: Lake, put: Callable[..., None]) -> None:
    put(NOON, NOON - 24 * HOUR)
    with warehouse.transaction() as connection:
        connection.execute("DELETE FROM rollup_pending")
    assert rollup(warehouse).days == 2
    check(warehouse)


def test_the_command_brings_bars_up_to_date_and_says_what_it_did(
    warehouse: Lake, put: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(NOON, NOON + HOUR)
    rollup(warehouse)
    put(NOON + SECOND)
    monkeypatch.setenv("LIQ_DATA", str(warehouse.world))
    assert (
        CliRunner().invoke(app, ["rollup"]).stdout
        == "computed again: minutes of liquidations 1, on days 1; other bars 0\n"
    )
    assert (
        CliRunner().invoke(app, ["rollup", "--all"]).stdout
        == "computed again: minutes of liquidations 1,440, on days 1; other bars 0\n"
    )
    check(warehouse)


def test_a_minute_is_noted_once_until_somebody_else_commits(warehouse: Lake, put: Callable[..., None]) -> None:
    def notes() -> list[tuple[Any, ...]]:
        return _bars(warehouse, "rollup_pending", "since, until")

    put(NOON - HOUR)
    rollup(warehouse)
    put(NOON)
    put(NOON + SECOND)
    put(NOON + 2 * SECOND, NOON + MINUTE)
    assert notes() == [(NOON, NOON + MINUTE), (NOON, NOON + 2 * MINUTE)]
    with lake.open(warehouse.world, read_only=False) as other:
        assert rollup(other).minutes == 2
    put(NOON + 3 * SECOND)  # noted before, and taken in since
    assert notes() == [(NOON, NOON + MINUTE)]
    assert rollup(warehouse).minutes == 1
    check(warehouse)


def test_what_a_transaction_rolled_back_had_noted_is_noted_again(
    warehouse: Lake, put: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(NOON - HOUR)
    rollup(warehouse)
    put(NOON)

    def fails(*_: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr("warehouse.writer.Appended", fails)  # after the note, before the commit
        with pytest.raises(RuntimeError):
            put(NOON + HOUR)
    put(NOON + HOUR)
    assert rollup(warehouse).minutes == 2
    check(warehouse)
