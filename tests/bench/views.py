"""How long the views that a page needs take on 100 million liquidations of a year, on two cores.

Beside them: the same on a lake with a tenth of the days, the same SQL by plain DuckDB over the same Parquet files, and by
chDB. LIQ_BENCH_ROWS makes it smaller. Each figure is the median of five runs after one that is not counted.
"""

import asyncio
import subprocess
from collections.abc import Callable, Iterable
from datetime import timedelta
from os.path import commonpath
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import NamedTuple

import duckdb

from tests.bench import year
from tests.foreign import install
from warehouse import lake
from warehouse.settings import WarehouseSettings
from warehouse.statements import statements
from warehouse.tables import TABLES

RUNS = 5
CORES = 2
PAGE_MS, HEATMAP_MS, YEAR_MS = 100, 300, 1_000
MONTH = f"TIMESTAMP '{year.NOW - timedelta(days=30)}'"


class Query(NamedTuple):
    """What is timed: the SQL, the view or macro it needs (empty: none), the aim in ms (0: none)."""

    name: str
    sql: str
    needs: str = ""
    aim_ms: int = 0


PAGE = ("liquidation_totals", "liquidation_totals_by_coin", "liquidation_totals_by_venue", "liquidation_totals_overall",
        "liquidation_feed", "liquidation_largest", "liquidations_by_minute", "funding_current",
        "open_interest_current")  # fmt: skip
VIEWS = (
    *(Query(view, f"FROM {view}", view, PAGE_MS) for view in PAGE),
    *(Query(view, f"FROM {view}", view) for view in ("liquidation_imbalance", "market_stress")),
    Query(
        "liquidation_heatmap_realised", "FROM liquidation_heatmap_realised", "liquidation_heatmap_realised", HEATMAP_MS
    ),
    Query("heatmap, BTC, 30 days", f"FROM heatmap('BTC/USDT:USDT', {MONTH})", "heatmap", HEATMAP_MS),
    Query("year by day and coin", "SELECT day, base, sum(usd) FROM liquidations_1d GROUP BY ALL", "", YEAR_MS),
)
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
    """Make both lakes and print every time."""
    await asyncio.to_thread(_run, world)


def _run(world: Path) -> None:
    whole, tenth = world / "year", world / "tenth"
    year.build(whole, year.DAYS)
    year.build(tenth, year.DAYS // 10)
    year.sizes(whole)
    _views(whole, tenth)
    _beside(whole, world)


def _views(whole: Path, tenth: Path) -> None:
    with _reader(whole) as large, _reader(tenth) as small:
        known = {found.name for found in statements()}
        plain = _plain(_files(large))
        print(
            f"\n{'ms on two cores':38}{'year':>8}{'aim':>7}{'a tenth':>9}{'ratio':>7}{'plain DuckDB':>14}{'ratio':>7}"
        )
        for query in VIEWS:
            if query.needs and query.needs not in known:
                continue
            ours, less, bare = (_timed(c, query.sql) for c in (large.connection, small.connection, plain))
            print(f"{query.name:38}{ours:>8.0f}{query.aim_ms or '-':>7}{less:>9.0f}{ours / less:>7.2f}"
                  f"{bare:>14.0f}{ours / bare:>7.2f}")  # fmt: skip


def _beside(whole: Path, world: Path) -> None:
    with _reader(whole) as large:
        files = _files(large)["liquidations"]
        plain = _plain({"liquidations": files})
        ours = [_timed(large.connection, query.sql.format(liquidations="liquidations")) for query in PLAIN]
        bare = [_timed(plain, query.sql.format(liquidations="liquidations")) for query in PLAIN]
    theirs = _chdb(files, world)
    print(
        f"\n{'ms on two cores, rows':38}{'ours':>8}{'plain DuckDB':>14}{'ratio, aim 1.2':>16}{'chDB':>9}{'chDB / ours':>13}"
    )
    for query, us, them, chdb in zip(PLAIN, ours, bare, theirs, strict=True):
        print(f"{query.name:38}{us:>8.0f}{them:>14.0f}{us / them:>16.2f}{chdb:>9.0f}{chdb / us:>13.2f}")


def _reader(world: Path) -> lake.Lake:
    opened = lake.open(world, settings=WarehouseSettings(duckdb_threads=CORES))
    opened.connection.execute(f"SET VARIABLE as_of = TIMESTAMP '{year.NOW}'")
    return opened


def _timed(connection: duckdb.DuckDBPyConnection, sql: str) -> float:
    """Return the median time in ms until all rows are there."""
    return _median(lambda: connection.execute(sql).to_arrow_table())


def _median(call: Callable[[], object]) -> float:
    call()
    times = []
    for _ in range(RUNS):
        began = perf_counter()
        call()
        times.append((perf_counter() - began) * 1e3)
    return median(times)


def _files(opened: lake.Lake) -> dict[str, list[str]]:
    """Return the live files of each table."""
    query = "SELECT data_file FROM ducklake_list_files('lake', '{}')"
    return {name: [path for (path,) in opened.connection.execute(query.format(name)).fetchall()] for name in TABLES}


def _plain(files: dict[str, list[str]]) -> duckdb.DuckDBPyConnection:
    """Return a DuckDB without a catalogue: tables are views over their files, ours stand above them unchanged."""
    connection = duckdb.connect(config={"threads": CORES})
    for name, own in files.items():
        columns = ", ".join(f'NULL::{column.type} AS "{column.name}"' for column in TABLES[name].columns)
        source = f"FROM read_parquet({own})" if own else f"SELECT {columns} WHERE false"
        connection.execute(f"CREATE VIEW {name} AS {source}")
    for statement in statements() if len(files) > 1 else ():
        connection.execute(statement.create())
    connection.execute(f"SET VARIABLE as_of = TIMESTAMP '{year.NOW}'")
    return connection


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
        queries=[query.sql.format(liquidations=source) for query in PLAIN], runs=RUNS, cores=CORES))  # fmt: skip
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
