"""Checks that a lake is whole: each file that its catalogue names is there and unchanged.

Files that the catalogue does not name are only counted, because a killed writer leaves some. But if the manifest, which is
written after the commit, names such a file, the catalogue is an old one: that is a fault.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.errors import WarehouseError
from warehouse.keeping.files import METADATA, Named, escaped, named, sha256
from warehouse.keeping.manifest import Entry
from warehouse.keeping.unknown import unknown
from warehouse.lake import Lake
from warehouse.messages import one_line
from warehouse.place import quoted
from warehouse.reading import CATALOGUE

ACCOUNTS = {
    "raw_frames has not the frames of raw.liquidation that session_frames counts": """
        SELECT 'session ' || session || ', partition ' || kafka_partition, coalesce(counted, 0), coalesce(stored, 0) FROM (
            SELECT session, kafka_partition, sum(frames) AS counted FROM session_frames
            WHERE kafka_topic = 'raw.liquidation' GROUP BY ALL
        ) FULL JOIN (
            SELECT session, kafka_partition, count(*) AS stored FROM raw_frames
            WHERE kafka_topic = 'raw.liquidation' GROUP BY ALL
        ) USING (session, kafka_partition)
        WHERE coalesce(counted, 0) <> coalesce(stored, 0) ORDER BY ALL
    """,
    "ingest_commits ends before a frame of raw_frames": """
        SELECT kafka_topic || ', partition ' || kafka_partition, coalesce(ends, 0), last + 1 FROM (
            SELECT kafka_topic, kafka_partition, max(kafka_offset) AS last FROM raw_frames GROUP BY ALL
        ) LEFT JOIN (
            SELECT kafka_topic, kafka_partition, max(offset_next) AS ends FROM ingest_commits GROUP BY ALL
        ) USING (kafka_topic, kafka_partition)
        WHERE ends IS NULL OR last >= ends ORDER BY ALL
    """,
}
"""What the accounts and the rows must agree on, and the rows where they do not: of what, accounted, stored."""
SHOWN = 20
NEWER = "the catalogue does not name it, and the manifest does: the catalogue is older than the files"
CHECKED = "FROM sqlite_query('{}', 'PRAGMA integrity_check(20)')"


class Verified(NamedTuple):
    """What was found: files and bytes looked at, live files that have no checksum yet, a line for each fault, and files
    that lie there and are not of the lake."""

    files: int
    size: int
    unproved: int
    faults: tuple[str, ...]
    unknown: int


def verify(lake: Lake, tell: Callable[[int], object] = id) -> Verified:
    """Look at every file of the lake and at what the accounts say of the rows, beside whoever writes.

    Of each file: is it there, has it its size, its rows (of its footer), its SHA-256 (of the manifest)? A file without a
    checksum is read whole, which finds what cannot be read, and not what reads as something else. `tell` is called with the
    bytes of each file once it was looked at. Raises WarehouseError where the catalogue cannot be read.
    """
    with _catalogue_errors(lake):
        faults = list(_of_catalogue(lake))
        files = named(lake.connection)
        entries = lake.manifest.state(lake.connection).entries
        found: dict[str, str] = {}
        for each in files:
            if fault := _of_file(lake, each, entries.get(each.path)):
                found[each.path] = fault
            tell(each.size)
        faults += _still(lake, found)
        strange = unknown(lake)
        newest = lake.manifest.state(lake.connection).entries if strange else {}
        faults += [f"{_shown(lake, each.path)}: {NEWER}" for each in strange if each.path in newest]
        if not faults:  # else rows cannot be read that are missing anyway
            faults += _of_accounts(lake)
    live = [each.path for each in files if each.end is None]
    unproved = sum(not (path in entries and entries[path].sha256) for path in live)
    return Verified(len(files), sum(each.size for each in files), unproved, tuple(faults), len(strange))


@contextmanager
def _catalogue_errors(lake: Lake) -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        raise WarehouseError(
            f"{lake.place} cannot be read: {one_line(error)}; `liq restore --help` says what helps"
        ) from error


def first_damaged(lake: Lake) -> str:
    """Return the first file that is missing, of another size, or without a whole footer; empty where none is. Local files."""
    files = lake.place.local_files
    for each in named(lake.connection) if files else []:
        assert files
        if _of_size(files / each.path, each.size) or _of_rows(lake, each):
            return str(files / each.path)
    return ""


def _of_catalogue(lake: Lake) -> Iterator[str]:
    """Yield what SQLite finds wrong in the catalogue."""
    if lake.place.sqlite:
        try:
            rows = lake.connection.execute(CHECKED.format(CATALOGUE)).fetchall()
        except duckdb.BinderException:  # a catalogue with rows in itself is attached without views
            rows = lake.connection.execute(CHECKED.format(METADATA)).fetchall()
        yield from (f"{lake.place.sqlite}: {line}" for (line,) in rows if line != "ok")


def _of_file(lake: Lake, each: Named, entry: Entry | None) -> str:
    """Return what is wrong with a file, empty where nothing is."""
    files = lake.place.local_files
    if files is None:
        return _of_remote_file(lake, each)
    path = files / each.path
    try:
        if fault := _of_size(path, each.size):
            return fault
        if entry and entry.sha256:
            if (found := sha256(path)) != entry.sha256:
                return f"changed: its SHA-256 is {found}, {entry.sha256} was written"
            return _of_rows(lake, each)
        return _of_rows(lake, each) or _of_content(path)
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"


def _of_size(path: Path, size: int) -> str:
    try:
        found = path.stat().st_size
    except FileNotFoundError:
        return "missing"
    return "" if found == size else f"has {found:,} bytes, {size:,} were written"


def _of_rows(lake: Lake, each: Named) -> str:
    assert lake.place.local_files
    try:
        rows = pq.read_metadata(lake.place.local_files / each.path).num_rows
    except (pa.ArrowException, OSError, ValueError) as error:
        return f"damaged: {one_line(error)}"
    return "" if rows == each.rows else f"has {rows:,} rows, the catalogue says {each.rows:,}"


def _of_content(path: Path) -> str:
    """Read all of a file's columns; return what that fails with."""
    try:
        with pq.ParquetFile(path) as file:
            for _ in file.iter_batches():
                pass
    except (pa.ArrowException, OSError, ValueError) as error:
        return f"damaged: {one_line(error)}"
    return ""


def _of_remote_file(lake: Lake, each: Named) -> str:
    name = quoted(escaped(lake.place.files + each.path))
    try:
        row = lake.connection.execute(f"SELECT num_rows, file_size_bytes FROM parquet_file_metadata({name})").fetchone()
    except duckdb.Error as error:
        return "missing" if "404" in str(error) or "No files found" in str(error) else f"damaged: {one_line(error)}"
    rows, size = row or (0, 0)
    if size not in (None, each.size):
        return f"has {size:,} bytes, {each.size:,} were written"
    return "" if rows == each.rows else f"has {rows:,} rows, the catalogue says {each.rows:,}"


def _still(lake: Lake, found: dict[str, str]) -> list[str]:
    """Return a line for each file that the catalogue still names: upkeep may have deleted the others meanwhile."""
    names = {each.path for each in named(lake.connection)} if found else set()
    return [f"{_shown(lake, path)}: {fault}" for path, fault in found.items() if path in names]


def _of_accounts(lake: Lake) -> Iterable[str]:
    for what, query in ACCOUNTS.items():
        rows = lake.connection.execute(query).fetchall()
        yield from (
            f"{what}: {of}: {accounted:,} accounted, {stored:,} stored" for of, accounted, stored in rows[:SHOWN]
        )
        if len(rows) > SHOWN:
            yield f"{what}: and {len(rows) - SHOWN:,} more"


def _shown(lake: Lake, path: str) -> str:
    return f"{lake.place.files}{path}"
