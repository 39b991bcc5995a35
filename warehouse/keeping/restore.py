"""`liq restore`: a lake from its backup, or with the newest whole copy of its catalogue."""

import fcntl
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from warehouse import lake, schema
from warehouse.advisory import lock_of
from warehouse.errors import WarehouseBusyError, WarehouseError
from warehouse.keeping import postgres
from warehouse.keeping.backup import CATALOGUE, DUMP, FILES, Tell, copy_file, copy_files
from warehouse.keeping.copies import copies, written
from warehouse.keeping.files import Named, named, named_in, parquet_files
from warehouse.keeping.manifest import manifests, read, sums
from warehouse.keeping.unknown import unknown
from warehouse.place import Place
from warehouse.settings import WarehouseSettings
from warehouse.statements import Statement
from warehouse.tables import TABLES, Table

INGEST_LOCK = "ingest.lock"  # `pipelines/ingest/alone.py`
STAGING = "lake.restoring"
LOCK_S = 10.0


class Restored(NamedTuple):
    """What a restore did. `source`: what the lake was made of; `files`: how many its catalogue names, those of
    older snapshots too; `unknown`: how many lie there that
    are not of it; `aside`: where what was there before is; `faults`: what stood in the way: with any, nothing was changed;
    `left_out`: files that are damaged and that it does without."""

    source: str
    files: int = 0
    unknown: int = 0
    aside: str = ""
    faults: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def from_backup(
    world: Path, source: Path, tell: Tell, *, replace: bool = False, known: Mapping[str, Table] = TABLES
) -> Restored:
    """Make the lake of `world` what the backup `source` has, every file compared with its SHA-256 where that is known.

    A lake that is there is left alone, or, `replace`, put aside whole. Stopped in the middle, it goes on where it was when it
    is called again. Raises WarehouseError.
    """
    place = Place(world, WarehouseSettings())
    backup = Place(source.expanduser().absolute(), WarehouseSettings(catalogue="", files=""))
    if place.sqlite is None:
        return _from_dump(place, backup, tell)
    assert backup.sqlite
    if not backup.sqlite.is_file():
        raise WarehouseError(f"no backup in {source}: {backup.sqlite} is not there")
    with alone(place):
        _refuse_what_is_there(place, replace)
        staging, names = world / STAGING, _names(backup.sqlite)
        for path in set(parquet_files(staging / FILES)) - {staging / FILES / each.path for each in names}:
            path.unlink()  # of another backup, whose restore was stopped
        if faults := _copy_back(backup, _files_of(place, staging), names, tell):
            return Restored(str(source), faults=faults)
        copy_file(backup.sqlite, staging / CATALOGUE, backup.sqlite.stat().st_size, "")
        aside = put_aside(place.folder)
        staging.rename(place.folder)
    return opened(world, str(source), aside, known)


def from_copy(world: Path, *, replace: bool = False, known: Mapping[str, Table] = TABLES) -> Restored:
    """Put the newest copy of the catalogue all of whose files are there in the place of the catalogue that is lost.

    A catalogue that is there is left alone, or, `replace`, put aside. Raises WarehouseError.
    """
    place = Place(world, WarehouseSettings())
    if place.sqlite is None or place.local_files is None:
        raise WarehouseError(
            "only a SQLite catalogue has copies beside the data; PostgreSQL's is restored from a backup"
        )
    with alone(place):
        if place.sqlite.exists() and not replace:
            raise WarehouseError(f"{place.sqlite} exists already: --replace moves it aside")
        copied = _newest_whole(place, place.local_files)
        new = place.sqlite.with_suffix(".new")
        copy_file(copied, new, copied.stat().st_size, "")
        aside = put_aside_catalogue(place.sqlite)
        new.replace(place.sqlite)
    return opened(world, f"the copy of {written(copied)}", aside, known)


@contextmanager
def alone(place: Place) -> Iterator[None]:
    """Keep others from writing to the lake for the block. Raises WarehouseBusyError where ingest runs."""
    place.make_folder()
    lock = lock_of(place, WarehouseSettings(lock_timeout_s=LOCK_S))
    with (place.world / INGEST_LOCK).open("a") as file, closing(lock), lock.held():
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WarehouseBusyError(f"ingest runs in {place.world}: stop everything that writes to it first") from None
        yield


def opened(world: Path, source: str, aside: str, known: Mapping[str, Table] = TABLES) -> Restored:
    """Bring a lake that was put in place to today's schema, write its manifest, and say what it is."""
    schema.create_or_migrate(world, known.values(), views_of(known))
    with lake.open(world, read_only=False) as warehouse:
        files = warehouse.place.local_files
        if files is None:
            return Restored(source, len({each.path for each in named(warehouse.connection)}), aside=aside)
        hashes = {path: sha for each in reversed(manifests(files)) for path, sha in sums(read(each)).items()}
        with warehouse.write_lock():
            warehouse.manifest.rewrite(warehouse.connection, hashes)
        files_named = len({each.path for each in named(warehouse.connection)})
        return Restored(source, files_named, len(unknown(warehouse)), aside)


def views_of(known: Mapping[str, Table]) -> list[Statement] | None:
    """Return the views that go with tables: all of them with all tables, which None asks for, none with others."""
    return None if known is TABLES else []


def put_aside(folder: Path) -> str:
    """Rename a folder with anything in it so that it is kept beside; return the new name, empty where there was nothing."""
    kept = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"]
    if not kept:
        shutil.rmtree(folder, ignore_errors=True)
        return ""
    return str(folder.rename(_beside(folder)))


def put_aside_catalogue(catalogue: Path) -> str:
    """Rename a catalogue, with what SQLite keeps beside it; return the new name, empty where there was none."""
    if not catalogue.exists():
        for rest in ("-wal", "-shm"):
            catalogue.with_name(catalogue.name + rest).unlink(missing_ok=True)
        return ""
    aside = _beside(catalogue)
    for rest in ("", "-wal", "-shm"):
        if (part := catalogue.with_name(catalogue.name + rest)).exists():
            part.rename(aside.with_name(aside.name + rest))
    return str(aside)


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.stem}.before-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}{path.suffix}")


def _refuse_what_is_there(place: Place, replace: bool) -> None:
    lying = place.owns_files and place.local_files and any(parquet_files(place.local_files))
    if not replace and ((place.sqlite and place.sqlite.exists()) or lying):
        raise WarehouseError(
            f"{place.folder} has a warehouse already, or files of one: --replace moves the folder aside"
        )


def _files_of(place: Place, staging: Path) -> Path:
    """Return where files are copied to: into what becomes the lake's folder, or where LIQ_FILES has them."""
    if place.local_files is None:
        raise WarehouseError(f"copy the files of the backup to {place.files} yourself, and unset LIQ_FILES meanwhile")
    return staging / FILES if place.owns_files else place.local_files


def _names(catalogue: Path) -> list[Named]:
    try:
        return named_in(catalogue)
    except sqlite3.Error as error:
        raise WarehouseError(f"{catalogue} cannot be read: {error}") from error


def _copy_back(backup: Place, into: Path, names: Iterable[Named], tell: Tell) -> tuple[str, ...]:
    assert backup.local_files
    known = {path: sha for each in manifests(backup.local_files) for path, sha in sums(read(each)).items()}
    done, _ = copy_files(backup, into, names, known, tell)
    for manifest in manifests(backup.local_files):
        shutil.copyfile(manifest, into / manifest.name)
    return done.faults


def _from_dump(place: Place, backup: Place, tell: Tell) -> Restored:
    """Restore the dump of PostgreSQL's, after the files that it names."""
    dumped = backup.folder / DUMP
    if not dumped.is_file():
        raise WarehouseError(f"no backup of a catalogue in PostgreSQL in {backup.folder}: {dumped} is not there")
    if lake.exists(place.world):
        raise WarehouseError("the database of LIQ_CATALOGUE has a warehouse already: name an empty database")
    with alone(place):
        if place.local_files and backup.local_files:
            paths = {path: path.stat().st_size for path in parquet_files(backup.local_files)}
            names = [
                Named(str(path.relative_to(backup.local_files)), "", "", 0, size, 0, 0) for path, size in paths.items()
            ]
            if faults := _copy_back(backup, place.local_files, names, tell):
                return Restored(str(dumped), faults=faults)
        postgres.restore(place, dumped)
    return opened(place.world, str(dumped), "")


def _newest_whole(place: Place, files: Path) -> Path:
    """Return the newest copy whose files are all there. Raises WarehouseError where there is none."""
    told = []
    for copied in copies(place.folder):
        live = [each for each in _names(copied) if each.end is None]
        gone = [each.path for each in live if not (files / each.path).is_file()]
        if not gone:
            return copied
        told.append(f"the copy of {written(copied)} names {len(gone):,} files that are gone, such as {gone[0]}")
    raise WarehouseError(
        f"no usable copy of the catalogue in {place.folder / 'copies'}: {'; '.join(told) or 'there is none'}"
    )
