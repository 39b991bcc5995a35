"""Runs of numbers: joined they are the fewest that have every number as often, and packed into rows they come out again."""

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse import lake, schema
from warehouse.runs import RUNS, joined, of_numbers, packed, unpacked
from warehouse.tables import TABLES

NOON = datetime(2026, 10, 10, 12)  # noqa: DTZ001
Run = tuple[str, int, int]


def frame(runs: list[Run]) -> pl.DataFrame:
    """Return runs whose frames arrived a second a number after noon."""
    rows = [(session, first, last, _at(first), _at(last)) for session, first, last in runs]
    return pl.DataFrame(rows, schema={"session": pl.String(), **RUNS}, orient="row")


def _at(number: int) -> datetime:
    return NOON + timedelta(seconds=number)


def _numbers(runs: pl.DataFrame) -> Counter[tuple[str, int]]:
    return Counter((row[0], number) for row in runs.iter_rows() for number in range(row[1], row[2] + 1))


RUN = st.builds(lambda session, first, more: (session, first, first + more), st.sampled_from("ab"), st.integers(1, 30),
                st.integers(0, 6))  # fmt: skip


@settings(deadline=None)
@given(st.lists(RUN, max_size=14))
def test_joined_runs_have_every_number_as_often_and_are_the_fewest(runs: list[Run]) -> None:
    given, found = frame(runs), joined(frame(runs))
    numbers = _numbers(given)
    assert _numbers(found) == numbers
    # as many runs must begin at a number as it is there more often than the one before it
    assert found.height == sum(max(0, n - numbers[session, seq - 1]) for (session, seq), n in numbers.items())
    assert all((began, ended) == (_at(first), _at(last)) for _, first, last, began, ended in found.iter_rows())


@settings(deadline=None)
@given(st.lists(RUN, max_size=14))
def test_the_order_in_which_runs_are_joined_does_not_matter(runs: list[Run]) -> None:
    half = len(runs) // 2
    parts = pl.concat([joined(frame(runs[half:])), joined(frame(runs[:half]))])
    assert joined(parts).equals(joined(frame(runs)))


@settings(deadline=None)
@given(st.lists(RUN, max_size=14))
def test_packed_runs_come_out_as_they_went_in(runs: list[Run]) -> None:
    found = joined(frame(runs))
    rows = packed(found)
    assert rows["session"].is_unique().all()
    assert unpacked(rows).equals(found)


def test_a_world_from_before_numbers_were_kept_is_migrated_and_its_sessions_are_judged_by_count(tmp_path: Path) -> None:
    new = ("runs", "run_times", "received_again")
    accounts = TABLES["session_frames"]
    older = accounts._replace(columns=tuple(column for column in accounts.columns if column.name not in new))
    others = [table for table in TABLES.values() if table.name != older.name]
    schema.create_or_migrate(tmp_path, [older, *others], [])
    with lake.open(tmp_path, read_only=False) as opened:
        opened.connection.execute(
            "INSERT INTO session_frames BY NAME SELECT 'okx' AS venue, 'okx-' || lost AS session, 9 - lost AS frames, "
            "1 AS seq_min, 9 AS seq_max, 45 AS seq_sum, TIMESTAMP '2026-10-10' AS recv_last, recv_last AS ts_commit "
            "FROM range(2) AS t(lost)"
        )
        opened.connection.execute(
            "INSERT INTO collector_events BY NAME SELECT 'okx' AS venue, 'okx-' || lost AS session, 'stopped' AS event, "
            "9 AS frames, TIMESTAMP '2026-10-10' AS ts FROM range(2) AS t(lost)"
        )
    schema.create_or_migrate(tmp_path)
    with lake.open(tmp_path) as opened:
        found = opened.connection.execute("SELECT session, missing, whole, unknown FROM frames_accounted").fetchall()
    words = "frames only the count was kept, so missing and duplicates may cancel out"
    assert found == [("okx-0", 0, None, f"of 9 {words}"), ("okx-1", 1, False, f"of 8 {words}")]


@settings(deadline=None)
@given(st.lists(st.integers(1, 30), max_size=40))
def test_runs_made_of_numbers_are_those_of_their_single_runs_joined(numbers: list[int]) -> None:
    arrived = frame([("a", number, number) for number in numbers])["began"].dt.epoch("us")
    made = of_numbers("a", pl.Series(numbers, dtype=pl.Int64), arrived)
    assert made.equals(joined(frame([("a", number, number) for number in numbers])))
