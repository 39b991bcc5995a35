"""`liq backup`: copies a lake, also while it is written, to a folder that is itself a world."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from warehouse.errors import WarehouseError
from warehouse.keeping import postgres
from warehouse.keeping.copies import copy
from warehouse.keeping.files import Named, identity, is_below, lying, named, named_in, scheduled
from warehouse.keeping.manifest import read, sums, write
from warehouse.keeping.record import kept
from warehouse.lake import Lake
from warehouse.lock import write_lock
from warehouse.place import Place

CHUNK = 1 << 20
CATALOGUE, DUMP, FILES, MARK = "catalog.sqlite", "catalogue.dump", "files", "backup.json"
LOCK = "backup.lock"

Tell = Callable[[int, int], object]
"""Called with the bytes done and all."""


class BackedUp(NamedTuple):
    """What a backup did: files and bytes copied, files that it had already, files deleted as the lake has them no longer,
    and a line for each file that could not be copied as it was written."""

    copied: int
    size: int
    kept: int
    deleted: int
    faults: tuple[str, ...]


def backup(lake: Lake, target: Path, tell: Tell) -> BackedUp:
    """Copy the lake as it is now into the world `target`, first the catalogue, then the files that it names.

    Made again into the same folder it copies only what is new, and deletes what the backup before named and this one does
    not. Until all is copied the folder stays the backup that it was. Each copied file is compared with its SHA-256 where that
    is known. With the catalogue in PostgreSQL, `pg_dump` makes its dump; files on S3 are listed, not copied. Raises
    WarehouseError, and WarehouseBusyError where another backup into the same folder is under way.
    """
    into = _folder(lake, target)
    with kept(lake.place, alone=False), write_lock(into / LOCK, 0):
        known = sums(lake.manifest.state(lake.connection))
        if lake.place.sqlite is None:
            return _with_dump(lake, into, known, tell)
        new = into / "catalog.new.sqlite"
        copy(lake.place.sqlite, new)
        names = named_in(new)
        done, found = copy_files(lake.place, into / FILES, names, known, tell)
        if not done.faults:
            gone = {each.path for each in named_in(into / CATALOGUE)} if (into / CATALOGUE).exists() else set()
            _write_manifest(lake, into / FILES, names, found)
            for rest in ("-wal", "-shm"):
                (into / f"{CATALOGUE}{rest}").unlink(missing_ok=True)
            new.replace(into / CATALOGUE)
            done = done._replace(deleted=_drop(into, gone, names))
        new.unlink(missing_ok=True)
    return done


def _folder(lake: Lake, target: Path) -> Path:
    """Return the lake's folder in the backup, marked as one. Raises WarehouseError where `target` is something else."""
    target, own = target.expanduser().absolute(), identity(lake.connection)
    for part in (lake.world, *([lake.place.local_files] if lake.place.local_files else [])):
        if target.resolve().is_relative_to(part.resolve()) or part.resolve().is_relative_to(target.resolve()):
            raise WarehouseError(f"one of {target} and {part} is inside the other: name another folder for the backup")
    if not target.exists():
        target.mkdir(mode=0o700, parents=True)
    into = target / "lake"
    into.mkdir(mode=0o700, exist_ok=True)
    mark = into / MARK
    if any(into.iterdir()) and _marked(mark) != own:
        raise WarehouseError(
            f"{into} is no backup of this warehouse, and is left alone: name another folder for the backup"
        )
    mark.write_text(json.dumps({"lake": own, "begun": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}) + "\n")
    return into


def _marked(mark: Path) -> str:
    """Return which lake a folder is the backup of, empty where it is none."""
    try:
        return str(json.loads(mark.read_text())["lake"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def copy_files(
    place: Place, into: Path, names: Iterable[Named], known: dict[str, str], tell: Tell
) -> tuple[BackedUp, dict[str, str]]:
    """Copy the files of a place that are not there yet; return what was done and the SHA-256 of each, where known."""
    names = list({each.path: each for each in names}.values())
    if place.local_files is None:
        into.mkdir(exist_ok=True)
        (into.parent / "files.txt").write_text("".join(f"{place.files}{each.path}\n" for each in names))
        return BackedUp(0, 0, len(names), 0, ()), {}
    copied = size = done = 0
    all_bytes, found, faults = sum(each.size for each in names), dict(known), []
    for each in names:
        source, target = place.local_files / each.path, into / each.path
        if not is_below(each.path):
            faults.append(f"{each.path}: lies outside {place.files}")
        elif not (target.is_file() and target.stat().st_size == each.size):
            try:
                found[each.path] = copy_file(source, target, each.size, known.get(each.path, ""))
            except OSError as error:
                faults.append(f"{source}: {error.strerror or error}")
            except WarehouseError as error:
                faults.append(str(error))
            copied, size = copied + 1, size + each.size
        done += each.size
        tell(done, all_bytes)
    return BackedUp(copied, size, len(names) - copied, 0, tuple(faults)), found


def copy_file(source: Path, target: Path, size: int, expected: str) -> str:
    """Copy a file whole or not at all and return its SHA-256.

    Raises OSError, and WarehouseError where it has not `size` bytes or its SHA-256 is not `expected` (empty: any).
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    new, hashed = target.with_name(target.name + ".new"), hashlib.sha256()
    try:
        with source.open("rb") as read, new.open("wb") as written:
            while chunk := read.read(CHUNK):
                hashed.update(chunk)
                written.write(chunk)
            copied = written.tell()
            written.flush()
            os.fsync(written.fileno())
        if copied != size:
            raise WarehouseError(f"{source} has {copied:,} bytes, but {size:,} were written")
        if expected and hashed.hexdigest() != expected:
            raise WarehouseError(
                f"{source} has changed: its SHA-256 is {hashed.hexdigest()}, it was written with {expected}"
            )
        new.replace(target)
    finally:
        new.unlink(missing_ok=True)
    return hashed.hexdigest()


def _write_manifest(lake: Lake, files: Path, names: Iterable[Named], known: dict[str, str]) -> None:
    """Write the backup's own manifest, so that it can be verified and restored without its catalogue."""
    live = [each for each in names if each.end is None]
    write(files / lake.manifest.path(lake.connection).name, live, known, max((each.begin for each in live), default=0))


def _drop(into: Path, before: set[str], names: Iterable[Named]) -> int:
    """Delete the files that only the backup before named; return how many."""
    gone = [path for path in before - {each.path for each in names} if is_below(path)]
    for path in gone:
        (into / FILES / path).unlink(missing_ok=True)
    return len(gone)


def _with_dump(lake: Lake, into: Path, known: dict[str, str], tell: Tell) -> BackedUp:
    new = into / "catalogue.new.dump"
    postgres.dump(lake.place, new)
    # named after the dump: what it names is named still, or waits to be deleted, which nobody does now
    names = named(lake.connection)
    lie = lying(lake.place, lake.connection) if lake.place.local_files else {}
    waiting = [path for path, relative in scheduled(lake.connection) if relative and path in lie]
    names += [Named(path, "", "", 0, lie[path], 0, 0) for path in waiting]
    done, found = copy_files(lake.place, into / FILES, names, known, tell)
    if done.faults:
        new.unlink()
        return done
    gone: set[str] = set()
    if lake.place.local_files:
        gone = set(read(into / FILES / lake.manifest.path(lake.connection).name).entries)
        _write_manifest(lake, into / FILES, names, found)
    new.replace(into / DUMP)
    return done._replace(deleted=_drop(into, gone, names))
