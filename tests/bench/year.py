"""A lake with a year of liquidations, a month of market state, and their rollups, as `maintain` leaves it."""

import os
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter

import duckdb
from rich.console import Console
from rich.progress import track

from pipelines.derive.bars.run import rollup
from tests.bench import state, synthetic
from warehouse import lake, schema
from warehouse.compact import compact, compressed_harder
from warehouse.lake import METADATA
from warehouse.maintain import maintain
from warehouse.rollups import KINDS, mark_all
from warehouse.settings import WarehouseSettings
from warehouse.tables import TABLES
from warehouse.tables.liquidations import LIQUIDATIONS

ROWS = int(os.environ.get("LIQ_BENCH_ROWS", 10_000_000))
DAYS = 365
STATE_DAYS = 31  # no view reads single minutes of longer ago
END = synthetic.FIRST_DAY + timedelta(days=DAYS)
NOW = END - timedelta(minutes=7)
PARTS = 8  # in so many the last two days arrive, to be joined by `maintain`
NOTHING = timedelta(0)
DAY = timedelta(days=1)
CORES = 2

_COVERAGE = """
INSERT INTO feed_coverage BY NAME
SELECT minute, date_trunc('hour', minute) AS hour, venue, channel, 1.0 AS connected_share, 60 AS frames, 50 AS "rows",
    40 AS contract_seconds, 4 AS saturated_seconds, channel <> 'tickers' AS carries_liquidations
FROM range(TIMESTAMP '{since}', TIMESTAMP '{until}', INTERVAL 1 MINUTE) AS t(minute), (VALUES
    ('binance', 'forceOrder'), ('bybit', 'allLiquidation'), ('okx', 'liquidation-orders'), ('bybit', 'tickers')
) AS c(venue, channel)
"""


def build(world: Path, days: int, state_days: int, end: datetime = END) -> None:
    """Make the last days of the year of `ROWS` liquidations before `end`, and of market state, and print what that took."""
    begin = end - timedelta(days=DAYS)
    schema.create_or_migrate(world)
    with _writer(world) as warehouse:
        connection = warehouse.connection
        synthetic.prepare(connection)
        state.contracts(connection, begin)
        began = perf_counter()
        numbers = range(DAYS - days, DAYS)
        shown = track(numbers, f"{days} days of liquidations", console=Console(stderr=True), transient=True)
        with compressed_harder(warehouse, LIQUIDATIONS):
            stored = sum(_day(connection, number, begin) for number in shown)
        wrote = perf_counter()
        done = rollup(warehouse)
        rolled = perf_counter()
        maintain(warehouse, NOTHING, NOTHING)
        maintained = perf_counter()
        _add_state(warehouse, state_days, end - (END - NOW))
        print(f"{days} days, {stored:,} liquidations: {wrote - began:,.0f} s to make and store, {rolled - wrote:,.0f} s to "
              f"roll up ({done.minutes:,} minutes), {maintained - rolled:,.0f} s to maintain, "
              f"{perf_counter() - maintained:,.0f} s for {state_days} days of market state")  # fmt: skip


def add(world: Path, now: datetime) -> tuple[datetime, int]:
    """Bring a lake up to `now`: liquidations, coverage, market state and bars of the time that is missing.

    Return where that time begins, and how many liquidations came.
    """
    with _writer(world) as warehouse:
        connection = warehouse.connection
        synthetic.prepare(connection)
        state.prepare(connection)
        (end, stored), *_ = connection.execute(
            "SELECT (SELECT max(minute) + INTERVAL 1 MINUTE FROM feed_coverage), count(*) FROM liquidations"
        ).fetchall()
        added, days = 0, max(0, -((end - now) // DAY))
        for number in range(DAYS, DAYS + days):
            rows = synthetic.rows_of_day(number % DAYS, ROWS, DAYS)
            query = synthetic.day(number, rows, stored + added, end - DAYS * DAY)
            order = f"WHERE ts_event < TIMESTAMP '{now}' ORDER BY {', '.join(LIQUIDATIONS.sort)}"
            ((count,),) = connection.execute(f"INSERT INTO liquidations BY NAME FROM ({query}) {order}").fetchall()
            added += count
        connection.execute(_COVERAGE.format(since=end, until=now))
        state.add(warehouse, now)
        _mark(connection, end, now)
        rollup(warehouse)
        maintain(warehouse, NOTHING, NOTHING)
    return end, added


def _mark(connection: duckdb.DuckDBPyConnection, since: datetime, until: datetime) -> None:
    """Mark the bars of these days as to be made anew, as rows stored by SQL note nothing."""
    day = since.replace(hour=0, minute=0)
    for name in KINDS:
        connection.execute(
            "INSERT INTO rollup_pending (bars, since, until) SELECT ?, day, day + INTERVAL 1 DAY "
            "FROM range(?::TIMESTAMP, ?::TIMESTAMP, INTERVAL 1 DAY) AS t(day)", [name, day, until]
        )  # fmt: skip


def _writer(world: Path) -> lake.Lake:
    return lake.open(world, read_only=False, settings=WarehouseSettings(duckdb_threads=CORES))


def _add_state(warehouse: lake.Lake, days: int, now: datetime) -> None:
    """Add market state and its bars, the fresh files left as they are."""
    state.build(warehouse, now, days)
    mark_all(warehouse, ("prices", "open_interest"))  # stored by SQL, so nothing was noted
    rollup(warehouse)
    for name in ("prices_1h", "prices_1d", "open_interest_1h"):
        compact(warehouse, TABLES[name])
    maintain(warehouse, NOTHING, NOTHING, {})


def _day(connection: duckdb.DuckDBPyConnection, number: int, begin: datetime) -> int:
    """Store one day; the last two in parts."""
    rows = synthetic.rows_of_day(number, ROWS, DAYS)
    since = begin + timedelta(days=number)
    query = synthetic.day(number, rows, number * ROWS // DAYS, begin)
    order = f"ORDER BY {', '.join(LIQUIDATIONS.sort)}"
    if number < DAYS - 2:
        connection.execute(f"INSERT INTO liquidations BY NAME FROM ({query}) {order}")
    else:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE made_day AS {query}")
        for part in range(PARTS):
            where = f"hour(ts_event) // {24 // PARTS} = {part}"
            connection.execute(f"INSERT INTO liquidations BY NAME FROM temp.made_day WHERE {where} {order}")
        connection.execute("DROP TABLE temp.made_day")
    connection.execute(_COVERAGE.format(since=since, until=since + timedelta(days=1)))
    return rows


def sizes(world: Path) -> None:
    """Print bytes a row on disk of the larger tables, and what takes them in a liquidation."""
    with lake.open(world) as warehouse:
        found = warehouse.connection.execute(
            f"SELECT t.table_name, count(*), sum(record_count)::BIGINT, sum(file_size_bytes)::BIGINT "
            f"FROM {METADATA}.ducklake_data_file AS f JOIN {METADATA}.ducklake_table AS t USING (table_id) "
            f"WHERE f.end_snapshot IS NULL GROUP BY ALL HAVING sum(record_count) > 10000 ORDER BY 4 DESC"
        ).fetchall()
        print(f"\n{'on disk':24}{'files':>7}{'rows':>14}{'MB':>9}{'bytes a row':>13}")
        for name, files, rows, size in found:
            print(f"{name:24}{files:>7,}{rows:>14,}{size / 1e6:>9,.1f}{size / rows:>13.1f}")
        names = [path for (path,) in warehouse.connection.execute(
            "SELECT data_file FROM ducklake_list_files('lake', 'liquidations') ORDER BY 1 LIMIT 5").fetchall()]  # fmt: skip
        columns = warehouse.connection.execute(
            f"SELECT path_in_schema, sum(total_compressed_size) / sum(num_values) AS bytes FROM parquet_metadata({names}) "
            f"GROUP BY 1 HAVING bytes >= 0.1 ORDER BY 2 DESC"
        ).fetchall()
        print(
            "bytes of a liquidation: " + ", ".join(f"{name} {size:.1f}" for name, size in columns) + ", the rest less"
        )
    print(f"catalogue: {(lake.folder(world) / 'catalog.sqlite').stat().st_size / 1e6:,.1f} MB")
