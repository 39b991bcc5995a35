"""How long views take over a year of liquidations and a month of market state of 700 contracts, on two cores.

    python -m tests.bench views                                  10 million liquidations
    LIQ_BENCH_ROWS=100000000 python -m tests.bench views         100 million
    LIQ_BENCH_WORLD=/somewhere python -m tests.bench views       the lakes are made there, kept, and found again

The lakes are kept in the user's cache (`kept.py`). Beside each of what a page needs: the same on a lake with a
tenth of the days, and the same SQL by plain DuckDB over the same Parquet files. Plain DuckDB has no statistics of files and
opens all of a table, which is what it would do and flatters us where there are hundreds; so it is timed a second time, given
only those that DuckLake finds to be needed. For plain sums also chDB. Figures are medians of several runs after one that is not
counted, those that are compared taken in turns, all in one process with the files in memory. What takes longer than a second
is run once, and stopped after ten. CPU is of our own run, all threads: what is left of the time on a machine that does
nothing else.
"""

import asyncio
import resource
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from os.path import commonpath
from pathlib import Path
from statistics import median
from threading import Timer
from time import perf_counter
from typing import NamedTuple

import duckdb

from tests.bench import plain, year
from tests.bench.kept import kept
from tests.bench.plain import CORES
from tests.foreign import install
from warehouse import lake
from warehouse.catalogue import example
from warehouse.settings import WarehouseSettings
from warehouse.statements import statements

RUNS, FEWER = 5, 2
SLOW_MS, LIMIT_S = 1_000, 10
PAGE_MS, HEATMAP_MS, YEAR_MS = 100, 300, 1_000
MONTH = f"TIMESTAMP '{year.NOW - timedelta(days=30)}'"


class Query(NamedTuple):
    """What is timed: the SQL, and the aim in ms (0: none)."""

    name: str
    sql: str
    aim_ms: int = 0


LIQUIDATIONS = ("liquidation_totals", "liquidation_totals_by_coin", "liquidation_totals_by_venue",
                "liquidation_totals_overall", "liquidation_feed", "liquidation_largest", "liquidations_by_minute")  # fmt: skip
STATE = ("funding_current", "open_interest_current", "open_interest_by_coin", "open_interest_by_venue")
PAGE = (
    *(Query(view, f"FROM {view}", PAGE_MS) for view in LIQUIDATIONS),
    *(Query(view, f"FROM {view}", PAGE_MS) for view in STATE),
    Query("liquidation_heatmap_realised", "FROM liquidation_heatmap_realised", HEATMAP_MS),
    Query("heatmap, BTC, 30 days", f"FROM heatmap('BTC/USDT:USDT', {MONTH})", HEATMAP_MS),
    Query("year by day and coin", "SELECT day, base, sum(usd) FROM liquidations_1d GROUP BY ALL", YEAR_MS),
)
INSTEAD = {
    "liquidations_filled_in": "SELECT base, sum(notional_usd) FROM liquidations_filled_in "
    "WHERE ts_event > as_of() - INTERVAL 1 DAY GROUP BY base",
    "open_interest_at": "FROM open_interest_at(as_of() - INTERVAL 1 HOUR)",
}
"""What is asked of views that are too large to be asked whole, and of macros whose example is of another time."""
# SQL that all three understand
PLAIN = (
    Query(
        "24 hours by coin and side",
        "SELECT base, position_side, sum(notional_usd) AS usd, count(*) AS n FROM {liquidations} "
        f"WHERE ts_event > TIMESTAMP '{year.NOW - timedelta(days=1)}' GROUP BY base, position_side",
    ),
    Query(
        "30 days of BTC by hour and price",
        "SELECT date_trunc('hour', ts_event) AS h, floor(price / 200) AS p, position_side, sum(notional_usd) AS usd "
        f"FROM {{liquidations}} WHERE base = 'BTC' AND ts_event > {MONTH} GROUP BY h, p, position_side",
    ),
    Query(
        "year of rows by day",
        "SELECT CAST(ts_event AS DATE) AS d, sum(notional_usd) AS usd FROM {liquidations} GROUP BY d",
    ),
)


async def run(world: Path) -> None:
    """Print every time; make the lakes where they are not there."""
    await asyncio.to_thread(_run, world)


def _run(world: Path) -> None:
    whole = kept("year", lambda folder: year.build(folder, year.DAYS, year.STATE_DAYS))
    tenth = kept("tenth", lambda folder: year.build(folder, year.DAYS // 10, year.STATE_DAYS // 10))
    year.sizes(whole)
    with _reader(whole) as large, _reader(tenth) as small:
        _page(large, small)
        _beside(large, world)
        _others(large)


def _page(large: lake.Lake, small: lake.Lake) -> None:
    every = plain.files(large)
    bare = plain.connect(every)
    print(f"\n{'what a page needs, ms':30}{'ours':>6}{'CPU':>6}{'aim':>6}{'year / tenth':>14}"
          f"{'plain':>7}{'ours / it':>11}{'plain, same files':>19}{'ours / it':>11}")  # fmt: skip
    for query in PAGE:
        with plain.connect(plain.files_of(large, query.sql, every)) as same:
            (ours, cpu, _), (all_ms, *_), (same_ms, *_), (tenth_ms, *_) = _timed(
                query.sql, RUNS, large.connection, bare, same, small.connection
            )
        missed = " " if ours <= query.aim_ms else "!"
        print(f"{query.name:30}{ours:>6.0f}{cpu:>6.0f}{query.aim_ms:>6}{missed}{ours / tenth_ms:>13.2f}"
              f"{all_ms:>7.0f}{ours / all_ms:>11.2f}{same_ms:>19.0f}{ours / same_ms:>11.2f}")  # fmt: skip


def _beside(large: lake.Lake, world: Path) -> None:
    files = plain.files(large)["liquidations"]
    bare = plain.connect({"liquidations": files})
    theirs = _chdb(files, world)
    print(f"\n{'sums of rows, ms':34}{'ours':>7}{'plain':>7}{'ours / plain':>14}{'chDB':>7}{'chDB / ours':>13}")
    for query, chdb in zip(PLAIN, theirs, strict=True):
        sql = query.sql.format(liquidations="liquidations")
        (ours, *_), (theirs_ms, *_) = _timed(sql, FEWER, large.connection, bare)
        print(f"{query.name:34}{ours:>7.0f}{theirs_ms:>7.0f}{ours / theirs_ms:>14.2f}{chdb:>7.0f}{chdb / ours:>13.2f}")


def _others(large: lake.Lake) -> None:
    """Print the time of every other view, and of every macro by its example."""
    shown = {query.name for query in PAGE}
    print(f"\n{'the others, ms':34}{'ours':>7}{'CPU':>6}{'rows':>10}")
    for found in statements():
        sql = INSTEAD.get(found.name) or (f"FROM {found.name}" if found.kind == "view" else example(found))
        if found.name in shown or not sql:
            continue
        name = sql.removeprefix("FROM ") if found.kind == "macro" else found.name
        try:
            ((ours, cpu, rows),) = _timed(sql, FEWER, large.connection)
        except duckdb.InterruptException:
            print(f"{name[:33]:34}   over {LIMIT_S} s")
        else:
            print(f"{name[:33]:34}{ours:>7.0f}{cpu:>6.0f}{rows:>10,}")


def _reader(world: Path) -> lake.Lake:
    opened = lake.open(world, settings=WarehouseSettings(duckdb_threads=CORES))
    opened.connection.execute(f"SET VARIABLE as_of = TIMESTAMP '{year.NOW}'")
    return opened


class Time(NamedTuple):
    """Wall and CPU time in ms until all rows are there, and how many there are."""

    wall: float
    cpu: float
    rows: int


def _timed(sql: str, runs: int, *connections: duckdb.DuckDBPyConnection) -> list[Time]:
    """Return the median of each connection; they take turns. Raises duckdb.InterruptException after LIMIT_S."""
    first = [_once(connection, sql) for connection in connections]
    if max(each.wall for each in first) > SLOW_MS:
        return first
    times = [[_once(connection, sql) for connection in connections] for _ in range(runs)]
    return [
        Time(median(t.wall for t in own), median(t.cpu for t in own), own[0].rows) for own in zip(*times, strict=True)
    ]


def _once(connection: duckdb.DuckDBPyConnection, sql: str) -> Time:
    began, cpu = perf_counter(), _cpu_s()
    with _limited(connection):
        rows = connection.execute(sql).to_arrow_table().num_rows
    return Time((perf_counter() - began) * 1e3, (_cpu_s() - cpu) * 1e3, rows)


@contextmanager
def _limited(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    timer = Timer(LIMIT_S, connection.interrupt)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _chdb(files: Iterable[str], world: Path) -> list[float]:
    """Return chDB's times, in a process of its own with its own environment; nothing where it cannot be had."""
    try:
        python = install.chdb_python()
    except install.UnavailableError as error:
        print(f"chDB is left out: {error}")
        return [0.0] * len(PLAIN)
    folder = Path(commonpath(list(files)))  # `maintain` has left no file there that is out of use
    source = f"file('{folder}/**/*.parquet', Parquet)"
    script = world / "chdb_times.py"
    script.write_text(_CHDB.format(
        queries=[query.sql.format(liquidations=source) for query in PLAIN], runs=FEWER, cores=CORES))  # fmt: skip
    done = subprocess.run([python, str(script)], capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"chDB is left out: {done.stderr.strip().splitlines()[-1][:200]}")
        return [0.0] * len(PLAIN)
    return [float(line) for line in done.stdout.split()]


_CHDB = """
import statistics, time
from chdb.session import Session

session = Session()
session.query("SET max_threads = {cores}")
for query in {queries!r}:
    times = []
    for _ in range({runs} + 1):
        began = time.perf_counter()
        session.query(query, "Arrow")
        times.append((time.perf_counter() - began) * 1e3)
    print(statistics.median(times[1:]))
"""
