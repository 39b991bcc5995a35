import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from warehouse import lake, schema
from warehouse.errors import WarehouseBusyError, WriteFailedError, WrongColumnsError
from warehouse.lake import Lake
from warehouse.settings import WarehouseSettings
from warehouse.tables import Column, Table
from warehouse.writer import Appended, append, offsets, replace

Maker = Callable[..., pl.DataFrame]
DAY = timedelta(days=1)
LEVELS = Table("levels", "one level", (Column("day", "INTEGER", ""), Column("usd", "DOUBLE", "")), append_only=False)
FILE = pytest.mark.local("the lock of a file; test_shared.py has that of PostgreSQL")


def _count(opened: Lake, table: str) -> int:
    return int(opened.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # type: ignore[index]


def test_a_row_whose_key_is_stored_is_not_stored_again(writer: Lake, liquidations: Maker) -> None:
    size = 400
    assert append(writer, {"liquidations": liquidations(size)}) == {"liquidations": Appended(size, 0)}
    again = pl.concat([liquidations(size), liquidations(2, first=9_000)])
    assert append(writer, {"liquidations": again}) == {"liquidations": Appended(2, size)}
    assert _count(writer, "liquidations") == size + 2


def test_a_key_repeated_in_the_batch_is_stored_once(writer: Lake, liquidations: Maker) -> None:
    twice = pl.concat([liquidations(5), liquidations(5, venue="okx")])
    assert append(writer, {"liquidations": twice})["liquidations"] == Appended(5, 5)
    assert writer.connection.execute("SELECT DISTINCT venue FROM liquidations").fetchall() == [("bybit",)]


def test_a_text_with_a_nul_is_stored_with_another_sign_for_it_and_stops_nothing(
    writer: Lake, liquidations: Maker
) -> None:
    odd = liquidations(3).with_columns(symbol=pl.lit("BTC\0USDT"))
    assert append(writer, {"liquidations": odd})["liquidations"] == Appended(3, 0)
    assert append(writer, {"liquidations": odd})["liquidations"] == Appended(0, 3)
    assert writer.connection.execute("SELECT DISTINCT symbol FROM liquidations").fetchall() == [("BTC\ufffdUSDT",)]


@pytest.mark.parametrize("symbols", [["A", "B", "C\0"], ["A\0", "B", "B"], ["B", "\0", "B"]])
def test_a_nul_is_found_wherever_it_stands_in_a_batch(writer: Lake, liquidations: Maker, symbols: list[str]) -> None:
    odd = liquidations(3).with_columns(symbol=pl.Series(symbols), quote=pl.Series([None, *symbols[1:]]))
    append(writer, {"liquidations": odd})
    found = writer.connection.execute("SELECT symbol, quote FROM liquidations ORDER BY ts_event").fetchall()
    shown = [symbol.replace("\0", "\ufffd") for symbol in symbols]
    assert found == list(zip(shown, [None, *shown[1:]], strict=True))


def test_duplicates_are_found_on_days_far_apart_in_one_batch(writer: Lake, liquidations: Maker) -> None:
    days = [liquidations(60, datetime(2026, 1, 1) + DAY * number, 1000 * number) for number in (0, 40, 200)]  # noqa: DTZ001
    append(writer, {"liquidations": pl.concat(days)})
    new = liquidations(7, datetime(2026, 5, 5), 77_000)  # noqa: DTZ001
    assert append(writer, {"liquidations": pl.concat([*days, new])})["liquidations"] == Appended(7, 180)


def test_equal_times_with_other_keys_are_other_rows(writer: Lake, liquidations: Maker) -> None:
    one = liquidations(1)
    burst = pl.concat(
        [one, one.with_columns(occurrence=pl.lit(1, pl.Int32)), one.with_columns(event_key=pl.lit(9, pl.UInt64))]
    )
    assert append(writer, {"liquidations": burst})["liquidations"] == Appended(3, 0)


def test_columns_come_in_any_order_and_an_empty_frame_is_nothing(writer: Lake, liquidations: Maker) -> None:
    frame = liquidations(4)
    done = append(writer, {"liquidations": frame.select(reversed(frame.columns)), "raw_frames": _empty("raw_frames")})
    assert done == {"liquidations": Appended(4, 0), "raw_frames": Appended(0, 0)}
    assert writer.connection.execute("SELECT sum(notional_usd) FROM liquidations").fetchone() == (406.0,)


def _empty(table: str) -> pl.DataFrame:
    return schema.TABLES[table].schema.to_frame()


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda frame: frame.drop("venue"), "liquidations: the frame lacks venue"),
        (lambda frame: frame.with_columns(extra=1), "liquidations: the table has no column extra"),
        (
            lambda frame: frame.with_columns(pl.col("seq").cast(pl.String)),
            "liquidations.seq takes Int64, the frame has String",
        ),
        (lambda frame: frame.with_columns(event_key=pl.lit(None, pl.UInt64)), "event_key is part of the key"),
        (
            lambda frame: frame.with_columns(pl.col("ts_event").dt.replace_time_zone("UTC")),
            "liquidations.ts_event takes",
        ),
    ],
)
def test_a_wrong_column_is_named_and_nothing_is_written(
    writer: Lake, liquidations: Maker, commit: Maker, spoil: Callable[[pl.DataFrame], pl.DataFrame], told: str
) -> None:
    with pytest.raises(WrongColumnsError, match=told):
        append(writer, {"ingest_commits": commit(1), "liquidations": spoil(liquidations(2))})
    assert _count(writer, "ingest_commits") == 0


def test_a_failed_transaction_stores_nothing_of_any_table(writer: Lake, liquidations: Maker, commit: Maker) -> None:
    gone = {**schema.TABLES, "gone": schema.TABLES["ingest_commits"]._replace(name="gone")}
    with pytest.raises(WriteFailedError, match="nothing was stored"):
        append(writer, {"liquidations": liquidations(300), "ingest_commits": commit(5), "gone": commit(5)}, gone)
    assert (_count(writer, "liquidations"), offsets(writer, "c1")) == (0, {})
    assert append(writer, {"liquidations": liquidations(300)})["liquidations"].rows == 300


def test_offsets_are_the_highest_of_each_partition_of_this_cluster(writer: Lake, commit: Maker) -> None:
    for frame in (commit(10), commit(30), commit(20), commit(7, partition=1), commit(99, cluster="c2")):
        append(writer, {"ingest_commits": frame})
    assert offsets(writer, "c1") == {("raw.liquidation", 0): 30, ("raw.liquidation", 1): 7}
    assert offsets(writer, "c3") == {}


def test_replace_takes_the_place_of_what_it_covers(tmp_path: Path) -> None:
    known = {"levels": LEVELS}
    schema.create_or_migrate(tmp_path, [LEVELS], [])
    with lake.open(tmp_path, read_only=False) as opened:
        append(opened, {"levels": pl.DataFrame({"day": [1, 2, 3], "usd": [1.0, 2.0, 3.0]}, LEVELS.schema)}, known)
        new = pl.DataFrame({"day": [2, 2], "usd": [5.0, 6.0]}, LEVELS.schema)
        assert replace(opened, "levels", new, "day = 2", known) == (1, 2)
        assert replace(opened, "levels", new, "day = 2", known) == (2, 2)
        assert opened.connection.execute("FROM levels ORDER BY ALL").fetchall() == [
            (1, 1.0),
            (2, 5.0),
            (2, 6.0),
            (3, 3.0),
        ]
        with pytest.raises(ValueError, match="append-only"):
            replace(opened, "liquidations", new, "true")


def test_two_writers_take_turns(world: Path, liquidations: Maker, commit: Maker) -> None:
    def write(first: int) -> None:
        with lake.open(world, read_only=False) as opened:
            for turn in range(10):
                append(
                    opened, {"liquidations": liquidations(60, first=first + 100 * turn), "ingest_commits": commit(turn)}
                )

    threads = [threading.Thread(target=write, args=(start,)) for start in (0, 10_000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with lake.open(world) as opened:
        assert (_count(opened, "liquidations"), _count(opened, "ingest_commits")) == (1200, 20)


@FILE
def test_a_writer_that_waits_too_long_is_told_who_holds_the_lock(world: Path, commit: Maker) -> None:
    with lake.open(world, read_only=False) as holder, holder.write_lock():
        impatient = lake.open(world, read_only=False, settings=WarehouseSettings(lock_timeout_s=0.05))
        with impatient, pytest.raises(WarehouseBusyError, match=r"write.lock has been locked .* by process \d+"):
            append(impatient, {"ingest_commits": commit(1)})


@FILE
def test_a_long_wait_for_the_lock_is_logged_and_ends_when_it_is_free(
    world: Path, commit: Maker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("warehouse.lock.TELL_AFTER_S", 0.0)
    with lake.open(world, read_only=False) as holder, lake.open(world, read_only=False) as waiting:
        with holder.write_lock():
            thread = threading.Thread(target=append, args=(waiting, {"ingest_commits": commit(1)}))
            thread.start()
            while not caplog.messages:
                assert thread.is_alive()
        thread.join()
        assert caplog.messages[0].startswith(f"waiting for the write lock {world}/lake/write.lock, held by process")
        assert offsets(waiting, "c1") == {("raw.liquidation", 0): 1}


NUMBERS = st.floats(allow_nan=False) | st.sampled_from([0.1 + 0.2, 1e-8, 123456789.123456])
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(st.tuples(NUMBERS, TEXTS, st.integers(0, 2**64 - 1)), min_size=1, max_size=5), large=st.booleans()
)
def test_what_is_read_is_what_was_written(
    writer: Lake, liquidations: Maker, values: list[tuple[float, str, int]], large: bool
) -> None:
    stored_before = _count(writer, "liquidations")
    start = datetime(2026, 1, 1) + timedelta(hours=stored_before)  # noqa: DTZ001
    repeated = values * (20 if large else 1)
    frame = pl.concat(
        liquidations(1, start + timedelta(microseconds=number), key, price=price, symbol=symbol)
        for number, (price, symbol, key) in enumerate(repeated)
    )
    append(writer, {"liquidations": frame})
    stored = writer.connection.execute("FROM liquidations WHERE ts_event >= ? ORDER BY ts_event", [start]).pl()
    assert stored.equals(frame)


def test_rows_left_out_as_stored_before_are_counted_in_the_same_commit(writer: Lake, liquidations: Maker) -> None:
    append(writer, {"liquidations": liquidations(10)})
    assert writer.connection.execute("FROM commit_duplicates").fetchall() == []
    append(writer, {"liquidations": liquidations(14)})
    assert writer.connection.execute('SELECT "table", rows FROM commit_duplicates').fetchall() == [("liquidations", 10)]
