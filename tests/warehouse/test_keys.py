"""Keys of state and history: a row of the past is stored once, a value of now has no key."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest

from tests.warehouse.conftest import NOON
from warehouse.lake import Lake
from warehouse.superseding import MOST_STRETCHES, stretches
from warehouse.tables import TABLES
from warehouse.writer import Appended, append

Maker = Callable[..., pl.DataFrame]
HISTORY = {
    "open_interest": {"ts": NOON, "oi_raw": 1.0, "period": "5m"},
    "klines": {"interval": "1m", "price_kind": "trade", "closed": True},
    "long_short_ratios": {"kind": "taker", "period": "5m", "closed": True},
    "funding_settlements": {"funding_rate": 0.1},
}


def _bar(moment: datetime = NOON, **more: Any) -> dict[str, Any]:
    return {"venue": "okx", "symbol": "BTC-USDT-SWAP", "ts_event": moment, **more}


@pytest.mark.parametrize(("table", "own"), HISTORY.items())
def test_a_row_of_the_past_is_stored_once_whoever_brings_it(writer: Lake, rows: Maker, table: str, own: Any) -> None:
    bars = [_bar(NOON + timedelta(minutes=5 * n), **own) for n in range(20)]
    assert append(writer, {table: rows(table, *bars[:12])})[table] == Appended(12, 0)
    assert append(writer, {table: rows(table, *bars[5:], *bars[5:])})[table] == Appended(8, 22)
    other = rows(table, *(bar | {"symbol": "ETH-USDT-SWAP"} for bar in bars))
    assert append(writer, {table: other})[table] == Appended(20, 0)


@pytest.mark.parametrize(
    ("table", "unknown"), [("open_interest", "period"), ("klines", "closed"), ("long_short_ratios", "period")]
)
def test_a_row_that_is_null_in_a_nullable_key_column_is_always_stored(
    writer: Lake, rows: Maker, table: str, unknown: str
) -> None:
    free = _bar(**HISTORY[table] | {unknown: None})
    keyed = _bar(**HISTORY[table])
    assert append(writer, {table: rows(table, free, free, keyed, keyed)})[table] == Appended(3, 1)
    assert append(writer, {table: rows(table, free, keyed)})[table] == Appended(1, 1)
    assert append(writer, {table: rows(table, free)})[table] == Appended(1, 0)


def test_a_candle_that_ran_does_not_keep_the_closed_one_out(writer: Lake, rows: Maker) -> None:
    own = HISTORY["klines"]
    for closed, stored in ((False, 1), (False, 0), (True, 1), (True, 0)):
        one = rows("klines", _bar(**own | {"closed": closed}))
        assert append(writer, {"klines": one})["klines"].rows == stored


def test_settlements_hours_apart_are_sought_in_few_scans_and_all_found(writer: Lake, rows: Maker) -> None:
    paid = [_bar(NOON - timedelta(hours=8 * n), funding_rate=0.1) for n in range(1000)]
    apart = [_bar(NOON - timedelta(days=900 + 40 * n), funding_rate=0.2) for n in range(30)]
    frame = rows("funding_settlements", *paid, *apart)
    assert append(writer, {"funding_settlements": frame})["funding_settlements"] == Appended(1030, 0)
    assert append(writer, {"funding_settlements": frame})["funding_settlements"] == Appended(0, 1030)
    assert len(stretches(frame["ts_event"])) <= MOST_STRETCHES


def test_every_keyed_table_says_by_which_time_its_keys_are_sought() -> None:
    for table in TABLES.values():
        assert bool(table.key) == bool(table.key_time)
        assert not table.key or table.key_time in table.key or table.key_slack
        assert set(table.key) <= table.types.keys()


def test_a_later_row_completes_one_that_lacks_its_interval_and_none_is_replaced_by_one_that_lacks_more(
    writer: Lake, rows: Maker
) -> None:
    def stored() -> list[tuple[Any, ...]]:
        columns = "funding_rate, interval_hours, mark_price, seq"
        return writer.connection.execute(f"SELECT {columns} FROM funding_settlements ORDER BY ts_event").fetchall()

    def take(*several: dict[str, Any]) -> Appended:
        return append(writer, {"funding_settlements": rows("funding_settlements", *several)})["funding_settlements"]

    bare = _bar(funding_rate=0.1, seq=1)
    assert take(bare, _bar(NOON + timedelta(days=40), funding_rate=0.2, seq=9)) == Appended(2, 0)
    assert take(bare | {"interval_hours": 8.0, "seq": 2}, bare | {"seq": 3}) == Appended(0, 2)
    assert stored() == [(0.1, 8.0, None, 2), (0.2, None, None, 9)]
    assert take(bare | {"mark_price": 5.0, "seq": 4}) == Appended(0, 1), "it lacks the interval"
    assert take(bare, bare | {"interval_hours": 8.0, "mark_price": 5.0, "seq": 5}) == Appended(0, 2)
    assert take(bare | {"interval_hours": 4.0, "mark_price": 6.0, "seq": 6}) == Appended(0, 1)
    assert stored() == [(0.1, 8.0, 5.0, 5), (0.2, None, None, 9)]
