"""Old accounts of commits become fewer rows, and everything that is read from them stays the same."""

import random
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from warehouse import lake
from warehouse.fold import fold
from warehouse.lake import Lake
from warehouse.runs import RUNS, joined, packed, unpacked
from warehouse.writer import append, offsets

Maker = Callable[..., pl.DataFrame]
NOON = datetime(2026, 10, 10, 12)  # noqa: DTZ001
NOW = NOON + timedelta(days=3)
TOPICS = ("raw.ticker", "raw.liquidation")


def _commits(rows: Maker, count: int = 400, seed: int = 3, older: int = 0) -> dict[str, pl.DataFrame]:
    """Return the accounts of `count` commits, ten minutes apart: two sessions that take turns, offsets with some gaps.

    Some numbers are lost, some come twice, and each other one a commit later; the first `older` have only counts.
    """
    drawn, seq, offset = random.Random(seed), {"a": 0, "b": 0}, dict.fromkeys(TOPICS, 0)
    waiting: dict[str, list[int]] = {"a": [], "b": []}
    frames: list[dict[str, Any]] = []
    commits: list[dict[str, Any]] = []
    for number in range(count):
        ts, topic, session = NOON + timedelta(minutes=10 * number), drawn.choice(TOPICS), drawn.choice("ab")
        size, first = drawn.randint(1, 9), seq[session] + 1
        seq[session] += size
        start = offset[topic] + (drawn.random() < 0.05) * 3
        offset[topic] = start + size
        seqs = [number for number in range(first, first + size) if drawn.random() > 0.02]
        now, waiting[session] = (
            waiting[session] + seqs[::2],
            seqs[1::2] + [each for each in seqs if drawn.random() < 0.02],
        )
        frames.append({
            "venue": "okx", "session": session, "transport": "ws", "kafka_topic": topic, "kafka_partition": 0,
            "frames": len(now), "seq_min": min(now, default=first), "seq_max": max(now, default=first),
            "recv_first": ts - timedelta(seconds=size), "recv_last": ts, "frames_with_rows": len(now),
            "frames_without_rows": 0, "frames_dead": 0, "ts_commit": ts,
            **({"seq_sum": sum(now)} if number < older else {"received_again": drawn.randint(0, 1), **_runs(session, now)}),
        })  # fmt: skip
        commits.append({
            "ts_commit": ts, "cluster_id": "c", "kafka_topic": topic, "kafka_partition": 0, "offset_from": start,
            "offset_next": offset[topic], "frames": size, "rows": 2 * size, "dead_letters": 0,
        })  # fmt: skip
    return {"session_frames": rows("session_frames", *frames), "ingest_commits": rows("ingest_commits", *commits)}


def _runs(session: str, numbers: list[int]) -> dict[str, Any]:
    times = [NOON + timedelta(seconds=number) for number in numbers]
    singles = pl.DataFrame([(session, number, number, ts, ts) for number, ts in zip(numbers, times, strict=True)],
                           schema={"session": pl.String(), **RUNS}, orient="row")  # fmt: skip
    return next(packed(joined(singles)).drop("session").iter_rows(named=True), {})


def _read(warehouse: Lake) -> list[Any]:
    """Return all that is read from the accounts: sessions, offsets, sums, and where offsets are missing."""
    run = warehouse.connection.execute
    gaps = """SELECT kafka_topic, before, offset_from FROM (
        SELECT *, lag(offset_next) OVER (PARTITION BY kafka_topic ORDER BY offset_from) AS before FROM ingest_commits)
        WHERE before <> offset_from ORDER BY ALL"""
    return [
        run("FROM frames_accounted ORDER BY ALL").fetchall(),
        run("FROM frame_numbers ORDER BY ALL").fetchall(),
        offsets(warehouse, "c"),
        run("SELECT kafka_topic, sum(frames), sum(rows) FROM ingest_commits GROUP BY 1 ORDER BY 1").fetchall(),
        run(gaps).fetchall(),
    ]  # fmt: skip


def _count(warehouse: Lake, table: str, where: str = "true") -> int:
    row = warehouse.connection.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchone()
    return int(row[0]) if row else 0


def test_sessions_offsets_and_gaps_read_the_same_from_fewer_rows(writer: Lake, rows: Maker) -> None:
    append(writer, _commits(rows))
    before, young = _read(writer), f"ts_commit >= '{NOW - timedelta(days=1)}'"
    assert len(before[4]) > 3
    assert len({row[5] for row in before[1]}) == 3, "some missing, some twice"
    assert fold(writer, NOW) > 400
    assert _read(writer) == before
    assert _count(writer, "session_frames", f"ts_commit < '{NOW - timedelta(minutes=10)}'") == 4 * 4
    assert (
        _count(writer, "session_frames", f"ts_commit < '{NOW - timedelta(minutes=10)}' AND runs IS NOT NULL") == 4 * 2
    )
    assert _count(writer, "ingest_commits", f"NOT {young}") == 3 * 2 + len(
        [1 for _, _, start in before[4] if _count(writer, "ingest_commits", f"NOT {young} AND offset_from = {start}")]
    )


def test_a_second_run_changes_nothing_and_a_later_one_goes_on(writer: Lake, rows: Maker) -> None:
    append(writer, _commits(rows))
    before = _read(writer)
    fold(writer, NOW)
    assert fold(writer, NOW) == 0
    assert fold(writer, NOW + timedelta(hours=7)) > 0
    assert _read(writer) == before


def test_the_runs_of_a_day_are_joined_to_the_longest_there_are(writer: Lake, rows: Maker) -> None:
    append(writer, _commits(rows))
    fold(writer, NOW + timedelta(days=9))
    folded = writer.connection.execute(
        "SELECT session, runs, run_times FROM session_frames WHERE runs IS NOT NULL"
    ).pl()
    assert folded.height == 4 * 2, "a row a day and session"
    for row in folded.iter_slices(1):
        assert joined(unpacked(row)).equals(unpacked(row))


def test_rows_of_counts_alone_are_folded_apart_from_those_with_numbers(writer: Lake, rows: Maker) -> None:
    append(writer, _commits(rows, older=200))
    before = _read(writer)
    assert fold(writer, NOW + timedelta(days=9)) > 300
    assert _read(writer) == before
    assert writer.connection.execute(
        "SELECT bool_and(unknown LIKE '%only the count was kept%') FROM frames_accounted"
    ).fetchone() == (True,)
    assert (
        _count(writer, "session_frames", "seq_sum IS NOT NULL AND (runs IS NOT NULL OR received_again IS NOT NULL)")
        == 0
    )


def test_rows_left_out_are_summed_by_day_and_table(writer: Lake, rows: Maker) -> None:
    left = [{"ts_commit": NOON + timedelta(hours=n), "table": "liquidations", "rows": n} for n in range(1, 6)]
    append(writer, {"commit_duplicates": rows("commit_duplicates", *left)})
    assert fold(writer, NOW) == 4
    assert writer.connection.execute("FROM commit_duplicates").fetchall() == [
        (NOON + timedelta(hours=5), "liquidations", 15)
    ]


CHILD = """
import sys
from datetime import datetime
from pathlib import Path
from warehouse import lake
from warehouse.fold import fold
with lake.open(Path(sys.argv[1]), read_only=False) as opened:
    print("begun", flush=True)
    fold(opened, datetime.fromisoformat(sys.argv[2]))
"""


def test_killed_at_any_moment_it_leaves_all_that_is_read_as_it_was(writer: Lake, world: Path, rows: Maker) -> None:
    append(writer, _commits(rows))
    before = _read(writer)
    for hours in range(0, 24, 6):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(world), str(NOW + timedelta(hours=hours))], stdout=subprocess.PIPE
        )
        assert child.stdout
        assert child.stdout.readline() == b"begun\n"
        folded = _count(writer, "session_frames")
        while child.poll() is None and _count(writer, "session_frames") == folded:
            pass
        child.send_signal(signal.SIGKILL)
        child.wait()
        with lake.open(world) as reader:
            assert _read(reader) == before
