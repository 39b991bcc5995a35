"""The manifest: a file beside the Parquet files that says which of them are the lake, with each one's rows and SHA-256.

The process with the write lock updates it after every commit. If the catalogue is lost, the manifest shows which files are
current and which were replaced; if it is not lost, the checksums find a changed bit. Lines of JSON:

    {"file": path, "table": name, "rows": n, "bytes": n, "sha256": hex}               a data file was added
    {"file": path, ..., "deletes_from": path}                  rows of that data file were taken out, by this file alone
    {"gone": path}                                                                    it belongs to the lake no longer
    {"after": n}                                                                      what follows came after commit n
    {"snapshot": n, "at": time}                                                       so the lake was after commit n

Lines between "after" and "snapshot" count together or not at all, because a machine may lose power in between. `liq maintain`
rewrites the file with the current files only. Its name has the catalogue's id.
"""

import json
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from warehouse.commits import Made
from warehouse.keeping.files import Named, current_snapshot, identity, named, named_since, sha256
from warehouse.place import Place

logger = logging.getLogger(__name__)

PREFIX, SUFFIX = "manifest-", ".jsonl"
TAIL_BYTES = 1 << 16
FEW_BYTES = 64_000_000


class Entry(NamedTuple):
    """A file of the lake. `sha256` is empty where it is not known yet."""

    path: str
    table: str
    deletes_from: str
    rows: int
    size: int
    sha256: str


class State(NamedTuple):
    """What a manifest says: the files of the lake by path after commit `snapshot`, made at `at` (ISO, UTC)."""

    snapshot: int
    at: str
    entries: dict[str, Entry]


NOTHING = State(-1, "", {})


class Manifest:
    """The manifest of the catalogue that a writer's connection has attached. Only SQLite catalogues with local files have one
    that follows every commit; others get theirs from upkeep and backups."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._path: Path | None = None
        self._seen = (-1, -1)  # bytes of the file and snapshot, after the last line of this process

    def follow(self, connection: duckdb.DuckDBPyConnection) -> Made | None:
        """Write down what was committed since the last line, and return what that made; None where it is not looked at.

        The caller holds the write lock. Raises duckdb.Error, OSError.
        """
        if self._place.local_files is None or self._place.sqlite is None:
            return None
        path = self.path(connection)
        size = path.stat().st_size if path.exists() else -1
        last = self._seen[1] if self._seen[0] == size else last_snapshot(path)
        if last < 0:
            self.rewrite(connection, _sums_of_few(connection, self._place.local_files))
            return None
        snapshot, snapshots, changed = named_since(connection, last)
        if snapshot < last:  # an older catalogue was put in the place of this one
            logger.warning("the catalogue is of commit %d and the manifest of %d: it is written anew", snapshot, last)
            self.rewrite(connection, sums(read(path)))
        elif snapshot > last:
            begin = json.dumps({"after": last})
            _append(path, [begin, *_changes(changed, self._place.local_files), _commit(snapshot)])
            self._seen = (path.stat().st_size, snapshot)
        sizes = [each.size for each in changed if each.begin > last and not each.deletes_from]
        return Made(len(sizes), sum(sizes), snapshots)

    def rewrite(self, connection: duckdb.DuckDBPyConnection, known: Mapping[str, str]) -> None:
        """Write the manifest anew from the catalogue; `known`: SHA-256 by path. The caller holds the write lock.

        Raises duckdb.Error, OSError.
        """
        if self._place.local_files is None:
            return
        path, snapshot = self.path(connection), current_snapshot(connection)
        write(path, [each for each in named(connection) if each.end is None], known, snapshot)
        self._seen = (path.stat().st_size, snapshot)

    def state(self, connection: duckdb.DuckDBPyConnection) -> State:
        """Return what the manifest says now, `NOTHING` where there is none."""
        return read(self.path(connection)) if self._place.local_files else NOTHING

    def path(self, connection: duckdb.DuckDBPyConnection) -> Path:
        """Return where the manifest is. Only for local files."""
        if self._path is None:
            assert self._place.local_files
            self._path = self._place.local_files / f"{PREFIX}{identity(connection)[:8]}{SUFFIX}"
        return self._path


def manifests(files: Path) -> list[Path]:
    """Return the manifests in the place of the files, newest first."""
    found = [path for path in files.iterdir() if path.name.startswith(PREFIX) and path.suffix == SUFFIX]
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)


def write(path: Path, live: Iterable[Named], known: Mapping[str, str], snapshot: int) -> None:
    """Write a manifest of the files `live`, with their SHA-256 where `known`, at once or not at all. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    with new.open("w") as file:
        file.writelines(f"{_added(each, known.get(each.path, ''))}\n" for each in live)
        file.write(_commit(snapshot) + "\n")
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def sums(state: State) -> dict[str, str]:
    """Return the SHA-256 of each file that has one, by path."""
    return {path: entry.sha256 for path, entry in state.entries.items() if entry.sha256}


def read(path: Path) -> State:
    """Return what a manifest says; `NOTHING` where it is not there or has no whole commit."""
    if not path.exists():
        return NOTHING
    entries: dict[str, Entry] = {}
    snapshot, at = NOTHING.snapshot, NOTHING.at
    waiting: list[dict[str, Any]] = []
    for line in _lines(path):
        if "after" in line:
            waiting.clear()
        elif "snapshot" not in line:
            waiting.append(line)
        if "snapshot" not in line:
            continue
        for change in waiting:
            _take(entries, change)
        waiting.clear()
        snapshot, at = int(line["snapshot"]), str(line["at"])
    return State(snapshot, at, _live(entries)) if snapshot >= 0 else NOTHING


def _live(entries: dict[str, Entry]) -> dict[str, Entry]:
    """Leave out delete files whose data file is gone, and those that another one took the place of: DuckLake drops them."""
    newest = {entry.deletes_from: path for path, entry in entries.items() if entry.deletes_from in entries}
    return {
        path: entry
        for path, entry in entries.items()
        if not entry.deletes_from or newest.get(entry.deletes_from) == path
    }


def last_snapshot(path: Path) -> int:
    """Return the last commit that the manifest has whole, -1 where there is none."""
    if not path.exists():
        return NOTHING.snapshot
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL_BYTES))
        tail = file.read().splitlines()
    for line in reversed(tail):
        found = _parsed(line)
        if "snapshot" in found:
            return int(found["snapshot"])
    return read(path).snapshot


def _take(entries: dict[str, Entry], change: dict[str, Any]) -> None:
    if "gone" in change:
        entries.pop(change["gone"], None)
    elif "file" in change:
        entries.pop(change["file"], None)  # the newest line is the last
        entries[change["file"]] = Entry(
            change["file"], change["table"], change.get("deletes_from", ""), change["rows"], change["bytes"],
            change.get("sha256", ""),
        )  # fmt: skip


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        yield from (found for line in file if (found := _parsed(line)))


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:  # torn by a machine that lost power
        return {}
    return found if isinstance(found, dict) else {}


def _changes(changed: Iterable[Named], files: Path) -> Iterator[str]:
    for each in sorted(changed, key=lambda each: (each.begin, each.deletes_from != "")):
        if each.end is None:
            yield _added(each, _hashed(files / each.path))
        else:
            yield json.dumps({"gone": each.path})


def _sums_of_few(connection: duckdb.DuckDBPyConnection, files: Path) -> dict[str, str]:
    """Return the checksums of all live files by path; none where reading them would take long, which upkeep may."""
    live = [each for each in named(connection) if each.end is None]
    if sum(each.size for each in live) > FEW_BYTES:
        return {}
    return {each.path: _hashed(files / each.path) for each in live}


def _hashed(path: Path) -> str:
    try:
        return sha256(path)
    except OSError as error:
        logger.warning("no checksum of %s was written down: %s", path, error)
        return ""


def _added(each: Named, known: str) -> str:
    line = {"file": each.path, "table": each.table, "rows": each.rows, "bytes": each.size}
    if each.deletes_from:
        line["deletes_from"] = each.deletes_from
    return json.dumps(line | ({"sha256": known} if known else {}))


def _commit(snapshot: int) -> str:
    return json.dumps({"snapshot": snapshot, "at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")})


def _append(path: Path, lines: list[str]) -> None:
    with path.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(0, end - 1))
        torn = file.read() not in (b"", b"\n")
        file.seek(0, os.SEEK_END)
        file.write(("\n" * torn + "\n".join(lines) + "\n").encode())
