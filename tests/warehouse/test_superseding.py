"""The last value of a grid bucket: of rows with one grid_key that of the latest frame stays, in how many parts it comes."""

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.warehouse.conftest import NOON
from warehouse.lake import Lake
from warehouse.tables import TABLES
from warehouse.writer import Appended, append

Maker = Callable[..., pl.DataFrame]
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


def mark(offset: int, arrived: Any = NOON, event: Any = None, **other: Any) -> dict[str, Any]:
    bucket = arrived.replace(second=0, microsecond=0)
    return {
        "venue": "bybit", "symbol": "BTCUSDT", "channel": "tickers", "ts_arrival": bucket, "ts": bucket, "ts_recv": arrived,
        "ts_event": event or arrived, "mark_price": float(offset), "multiplier": 1, "kafka_topic": "raw.ticker",
        "kafka_partition": 0, "kafka_offset": offset, "session": "bybit-a", "seq": offset, "source": "live",
    } | other  # fmt: skip


def stored(lake: Lake, what: str = "mark_price") -> list[Any]:
    found = lake.connection.execute(f"SELECT {what} FROM mark_prices ORDER BY ts_arrival, kafka_offset").fetchall()
    return [value for (value,) in found]


def test_a_later_frame_of_a_stored_bucket_takes_the_place_of_its_row(writer: Lake, rows: Maker) -> None:
    assert append(writer, {"mark_prices": rows("mark_prices", mark(1), mark(2, NOON + HOUR))})[
        "mark_prices"
    ] == Appended(2, 0)
    assert append(writer, {"mark_prices": rows("mark_prices", mark(3, NOON + SECOND))})["mark_prices"] == Appended(1, 0)
    assert stored(writer) == [3.0, 2.0]
    again = rows("mark_prices", mark(1), mark(3, NOON + SECOND), mark(2, NOON + HOUR))
    assert append(writer, {"mark_prices": again})["mark_prices"] == Appended(0, 3)
    assert stored(writer) == [3.0, 2.0]


def test_a_frame_that_waited_does_not_take_the_place_of_a_later_value_that_came_sooner(
    writer: Lake, rows: Maker
) -> None:
    later = mark(14, NOON + 14 * SECOND, ts_append=NOON + 14 * SECOND)
    waited = mark(20, NOON + 11 * SECOND, ts_append=NOON + 21 * SECOND)
    for commits in ([later, waited], [waited, later]):
        for each in commits:
            append(writer, {"mark_prices": rows("mark_prices", each)})
        assert stored(writer) == [14.0]
    writer.connection.execute("DELETE FROM mark_prices")
    append(writer, {"mark_prices": rows("mark_prices", later, waited)})
    assert stored(writer) == [14.0]


def test_another_channel_contract_or_bucket_is_another_row(writer: Lake, rows: Maker) -> None:
    others = [mark(2, channel="markPrice"), mark(3, symbol="ETHUSDT"), mark(4, venue="okx"), mark(5, NOON + HOUR)]
    append(writer, {"mark_prices": rows("mark_prices", mark(1))})
    append(writer, {"mark_prices": rows("mark_prices", *others)})
    assert sorted(stored(writer)) == [1.0, 2.0, 3.0, 4.0, 5.0]


def test_rows_without_a_bucket_are_always_stored(writer: Lake, rows: Maker) -> None:
    of_before = rows("mark_prices", mark(1, channel=None, ts_arrival=None))
    for _ in range(2):
        append(writer, {"mark_prices": of_before})
    assert stored(writer) == [1.0, 1.0]


def test_after_a_topic_is_made_anew_the_frame_that_the_broker_took_last_stays_though_its_offset_is_lower(
    writer: Lake, rows: Maker
) -> None:
    old = mark(900, ts_append=NOON + SECOND)
    new = mark(2, NOON + SECOND, ts_append=NOON + 2 * SECOND)
    append(writer, {"mark_prices": rows("mark_prices", old)})
    assert append(writer, {"mark_prices": rows("mark_prices", new)})["mark_prices"] == Appended(1, 0)
    assert stored(writer) == [2.0]
    assert append(writer, {"mark_prices": rows("mark_prices", old)})["mark_prices"] == Appended(0, 1)
    assert append(writer, {"mark_prices": rows("mark_prices", new, old)})["mark_prices"] == Appended(0, 2)
    other = [mark(900, NOON + HOUR, ts_append=NOON + HOUR), mark(2, NOON + HOUR, ts_append=NOON + HOUR + SECOND)]
    append(writer, {"mark_prices": rows("mark_prices", *other)})
    assert stored(writer) == [2.0, 2.0]


def test_of_one_millisecond_and_where_the_append_time_is_not_known_the_highest_offset_stays(
    writer: Lake, rows: Maker
) -> None:
    append(writer, {"mark_prices": rows("mark_prices", mark(3))})
    for offset, took, stays in ((2, NOON, 3.0), (4, NOON, 4.0), (6, NOON, 6.0), (5, NOON, 6.0), (7, None, 7.0)):
        append(writer, {"mark_prices": rows("mark_prices", mark(offset, ts_append=took))})
        assert stored(writer) == [stays]
    both = [mark(8, NOON + HOUR, ts_append=NOON), mark(9, NOON + HOUR, ts_append=NOON), mark(1, NOON + HOUR)]
    append(writer, {"mark_prices": rows("mark_prices", *both)})
    assert stored(writer) == [7.0, 9.0]


def test_bars_count_both_the_row_that_came_and_the_one_that_went(writer: Lake, rows: Maker) -> None:
    append(writer, {"mark_prices": rows("mark_prices", mark(1, event=NOON - SECOND))})
    writer.connection.execute("DELETE FROM rollup_pending")
    append(writer, {"mark_prices": rows("mark_prices", mark(2, NOON + SECOND))})
    pending = writer.connection.execute("SELECT min(since), max(until) FROM rollup_pending").fetchone()
    assert pending == (NOON - HOUR, NOON + 2 * HOUR)


def test_every_table_of_buckets_has_what_is_asked_of_it() -> None:
    found = [table for table in TABLES.values() if table.grid_key]
    assert {table.name for table in found} == {"mark_prices", "funding_rates", "open_interest"}
    for table in found:
        assert table.column(table.grid_key[-1]).type == "TIMESTAMP"
        assert {"ts_recv", "ts_append", "kafka_offset"} <= table.types.keys()


@given(st.permutations([(offset, offset // 4) for offset in range(12)]), st.sets(st.integers(1, 11)))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_in_whatever_order_and_parts_it_comes_the_table_is_the_same(
    writer: Lake, rows: Maker, order: list[tuple[int, int]], cuts: set[int]
) -> None:
    writer.connection.execute("DELETE FROM mark_prices")
    ends = [0, *sorted(cuts), len(order)]
    for start, end in pairwise(ends):
        part = [mark(offset, NOON + bucket * timedelta(minutes=1)) for offset, bucket in order[start:end]]
        append(writer, {"mark_prices": rows("mark_prices", *part)})
    assert stored(writer) == [3.0, 7.0, 11.0]
