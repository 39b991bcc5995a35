"""Merges many small files into few, without any effect on readers of a SQLite catalogue.

DuckLake's own merge and flush take rows out of the catalogue that a reader may be about to read: DuckDB's SQLite scanner
fixes the range of rowids in one SQLite snapshot and reads them in a later one, so a query beside a merge can miss a whole
table (measured: 4 of 100 queries beside constant merging). Here rows are read, deleted and written anew in one ordinary
transaction, which only adds to the catalogue and marks what has ended; `expire` removes that when no query needs it.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple

import duckdb

from warehouse.errors import WriteFailedError
from warehouse.lake import METADATA, Lake, quoted
from warehouse.messages import one_line
from warehouse.tables import Table

MB = 1_000_000
# Files up to so many bytes are joined once there are so many of them in one partition, so each row is rewritten a few times
TIERS = ((1 * MB, 2), (16 * MB, 8))
TARGET_BYTES = 64 * MB
MOST_FILES = 200
"""So many are joined in one transaction, as writers wait for it."""
PASSES = 2
"""What many groups of so many files became is joined once more. What is committed meanwhile is left to the next run."""
SMALL_FILES = f"""
SELECT any_value(table_name), count(*) AS files FROM (
    SELECT t.table_name, f.data_file_id, list(p.partition_value ORDER BY p.partition_key_index) AS own
    FROM {METADATA}.ducklake_data_file AS f
    JOIN {METADATA}.ducklake_table AS t ON t.table_id = f.table_id AND t.end_snapshot IS NULL
    LEFT JOIN {METADATA}.ducklake_file_partition_value AS p ON p.data_file_id = f.data_file_id
    WHERE f.end_snapshot IS NULL AND f.file_size_bytes < {TIERS[-1][0]}
    GROUP BY ALL
) GROUP BY table_name, own ORDER BY files DESC LIMIT 1
"""


class File(NamedTuple):
    """A live data file: its partition's values in order, its first row id, rows and bytes."""

    partition: tuple[str, ...]
    first_row: int
    rows: int
    size: int


def compact(lake: Lake, table: Table) -> tuple[int, int]:
    """Join the small files of each partition of `table`, in its sort order; return (files joined, files they became).

    One transaction per group of files, each under the write lock. Afterwards a partition has at most one file of less than
    1 MB, eight of 1 to 16 MB, larger ones, and what was committed meanwhile. Raises WriteFailedError; groups done stay done.
    """
    joined = made = 0
    for _ in range(PASSES):
        groups = list(_groups(_files(lake, table)))
        _join(lake, table, groups)
        joined, made = joined + sum(map(len, groups)), made + len(groups)
        if all(len(group) < MOST_FILES for group in groups):
            break
    return joined, made


def crowded(connection: duckdb.DuckDBPyConnection) -> tuple[str, int]:
    """Return how many files of less than 16 MB the partition with the most has, and its table. Raises duckdb.Error."""
    row = connection.execute(SMALL_FILES).fetchone()
    return (str(row[0]), int(row[1])) if row else ("", 0)


def _join(lake: Lake, table: Table, groups: list[list[File]]) -> None:
    if not groups:
        return
    with compressed_harder(lake, table):
        for group in groups:
            with lake.transaction() as connection:
                _rewrite(connection, table, group)


@contextmanager
def compressed_harder(lake: Lake, table: Table) -> Iterator[None]:
    """Write files of `table` with its zstd_joined in the block; should it not end, `schema` or the next one sets it right."""
    if not table.zstd_joined:
        yield
        return
    try:
        _set_level(lake, table, table.zstd_joined)
        yield
    finally:
        _set_level(lake, table, table.zstd_level)


def _set_level(lake: Lake, table: Table, level: int) -> None:
    call = f"CALL lake.set_option('parquet_compression_level', '{level}', table_name => {quoted(table.name)})"
    with lake.write_lock():
        try:
            lake.connection.execute(call)
        except duckdb.Error as error:
            raise WriteFailedError(f"{call} failed in {lake.world}: {one_line(error, lake.place.folder)}") from error


def _files(lake: Lake, table: Table) -> list[File]:
    rows = lake.connection.execute(
        f"""
        SELECT coalesce(list(p.partition_value ORDER BY p.partition_key_index) FILTER (p.data_file_id IS NOT NULL), []),
            f.row_id_start, f.record_count, f.file_size_bytes
        FROM {METADATA}.ducklake_data_file AS f
        JOIN {METADATA}.ducklake_table AS t ON t.table_id = f.table_id AND t.end_snapshot IS NULL
        LEFT JOIN {METADATA}.ducklake_file_partition_value AS p ON p.data_file_id = f.data_file_id
        WHERE t.table_name = ? AND f.end_snapshot IS NULL AND f.row_id_start IS NOT NULL
        GROUP BY f.data_file_id, f.row_id_start, f.record_count, f.file_size_bytes
        """,
        [table.name],
    ).fetchall()
    return sorted(File(tuple(partition), *rest) for partition, *rest in rows)


def _groups(files: list[File]) -> Iterator[list[File]]:
    """Yield the groups to join: of one partition and tier, oldest rows first, up to the target size or MOST_FILES together."""
    for _, partition in groupby(files, key=lambda file: file.partition):
        members = list(partition)
        floor = 0
        for ceiling, least in TIERS:
            tier = [file for file in members if floor <= file.size < ceiling]
            floor = ceiling
            if len(tier) >= least:
                yield from (group for group in _up_to_target(tier) if len(group) > 1)


def _up_to_target(tier: list[File]) -> Iterator[list[File]]:
    group: list[File] = []
    for file in tier:
        if len(group) == MOST_FILES or (group and sum(member.size for member in group) + file.size > TARGET_BYTES):
            yield group
            group = []
        group.append(file)
    yield group


def _rewrite(connection: duckdb.DuckDBPyConnection, table: Table, group: list[File]) -> None:
    where = " AND ".join([*_in_partition(table, group[0].partition), _in_rows(group)])
    order = f" ORDER BY {', '.join(table.sort)}" if table.sort else ""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE liq_compacted AS FROM {table.name} WHERE {where}")
    connection.execute(f"DELETE FROM {table.name} WHERE {where}")
    connection.execute(f"INSERT INTO {table.name} FROM liq_compacted{order}")
    connection.execute("DROP TABLE temp.liq_compacted")


def _in_rows(group: list[File]) -> str:
    """Return the condition on row ids that holds for exactly the rows of the files; runs without a gap are one range."""
    runs: list[list[int]] = []
    for file in sorted(group, key=lambda file: file.first_row):
        if runs and runs[-1][1] == file.first_row:
            runs[-1][1] += file.rows
        else:
            runs.append([file.first_row, file.first_row + file.rows])
    return "(" + " OR ".join(f"rowid BETWEEN {first} AND {end - 1}" for first, end in runs) + ")"


def _in_partition(table: Table, values: tuple[str, ...]) -> Iterator[str]:
    """Yield the conditions that make DuckLake open the files of this partition only."""
    if len(values) != len(table.partition):  # written before the table was partitioned so
        return
    parts = [
        match.groups()
        for expression in table.partition
        if (match := re.match(r"(year|month|day)\((\w+)\)$", expression))
    ]
    if [part for part, _ in parts] == ["year", "month", "day"][: len(values)] and len(parts) == len(values) >= 2:
        first = datetime(*(int(value) for value in (*values, "1")[:3]))  # type: ignore[arg-type]  # noqa: DTZ001
        after = first + timedelta(days=1) if len(values) == 3 else (first + timedelta(days=31)).replace(day=1)
        yield f"{parts[0][1]} >= TIMESTAMP {quoted(str(first))}"
        yield f"{parts[0][1]} < TIMESTAMP {quoted(str(after))}"
