"""`liq restore --from-files`: makes a new catalogue from the Parquet files that are there and the manifest beside them.

The manifest says which files the lake had after its last commit, so the rows are exactly those of that commit: no replaced file
and no deleted row comes back. The files stay where they are; none is copied or rewritten.
"""

import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq

from warehouse import schema
from warehouse.errors import WarehouseError, WriteFailedError
from warehouse.keeping.backup import CATALOGUE, Tell
from warehouse.keeping.copies import copy
from warehouse.keeping.files import escaped, sha256
from warehouse.keeping.manifest import NOTHING, Entry, State, manifests, read
from warehouse.keeping.restore import Restored, alone, opened, put_aside_catalogue, views_of
from warehouse.lake import Lake
from warehouse.place import Place, quoted
from warehouse.settings import WarehouseSettings
from warehouse.tables import TABLES, Table
from warehouse.tables.history import SCHEMA_HISTORY

STAGING = "lake.rebuilding"
INTERNAL = "_ducklake_internal"
"""How the columns begin that DuckLake itself adds to files."""


def from_files(
    world: Path,
    tell: Tell,
    *,
    replace: bool = False,
    without_damaged: bool = False,
    known: Mapping[str, Table] = TABLES,
) -> Restored:
    """Make a catalogue for the files of `world` as the newest manifest says, for the tables `known`.

    A catalogue that is there is left alone, or, `replace`, put aside. With any file missing nothing is changed, or,
    `without_damaged`, the lake does without it, as without those whose SHA-256 is another. Raises WarehouseError.
    """
    _, files = _free(world, replace)
    state = _newest(files)
    source = f"the files of commit {state.snapshot}, {state.at}"
    tables = {SCHEMA_HISTORY.name: SCHEMA_HISTORY, **known}
    faults = {
        entry.path: fault
        for entry in state.entries.values()
        if (fault := _fault(files, entry, tables, without_damaged))
    }
    if faults and not without_damaged:
        return Restored(source, faults=tuple(faults.values()))
    whole = [entry for entry in state.entries.values() if not {entry.path, entry.deletes_from} & faults.keys()]

    def build(lake: Lake, _files: Path) -> None:
        by_table: dict[str, list[Entry]] = defaultdict(list)
        for entry in whole:
            by_table[entry.table].append(entry)
        done = 0
        for name, own in by_table.items():
            add(lake, tables[name], [entry.path for entry in own if not entry.deletes_from])
            delete(lake, tables[name], [entry for entry in own if entry.deletes_from])
            tell(done := done + len(own), len(whole))

    return into_place(world, source, build, replace=replace, known=known)._replace(left_out=tuple(faults.values()))


def into_place(
    world: Path,
    source: str,
    build: Callable[[Lake, Path], None],
    *,
    replace: bool,
    known: Mapping[str, Table],
) -> Restored:
    """Make a catalogue beside the lake's folder, let `build` fill it with what is in the folder of the files, and put it in
    the place of the one that is lost. Manifests of catalogues that are no more are renamed. Raises WarehouseError.
    """
    catalogue, files = _free(world, replace)
    before = manifests(files)
    with alone(Place(world, WarehouseSettings())):
        shutil.rmtree(world / STAGING, ignore_errors=True)
        settings = WarehouseSettings(catalogue="", files=str(files))
        schema.create_or_migrate(world / STAGING, known.values(), views_of(known), settings, beside_files=True)
        with Lake(world / STAGING, settings, read_only=False, beside_files=True) as lake:
            build(lake, files)
            _fill_in(lake, known)
        made = world / STAGING / CATALOGUE
        copy(world / STAGING / "lake" / CATALOGUE, made)
        aside = put_aside_catalogue(catalogue)
        made.replace(catalogue)
        shutil.rmtree(world / STAGING)
    done = opened(world, source, aside, known)
    for manifest in before:
        manifest.rename(manifest.with_suffix(f".before-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"))
    return done


def _fill_in(lake: Lake, known: Mapping[str, Table]) -> None:
    """Give rows of files that are older than a column what it is made of, as a migration does."""
    with lake.transaction() as connection:
        for table in known.values():
            for statement in schema.filled(table, table.columns):
                connection.execute(statement)


def _free(world: Path, replace: bool) -> tuple[Path, Path]:
    """Return where the catalogue goes and where the files are. Raises WarehouseError where one is there and is to stay."""
    place = Place(world, WarehouseSettings())
    if place.sqlite is None or place.local_files is None:
        raise WarehouseError(
            "a catalogue is made from files only where both are on this machine; else restore a backup"
        )
    if not place.local_files.is_dir():
        raise WarehouseError(f"there are no files in {place.files}")
    if place.sqlite.exists() and not replace:
        raise WarehouseError(f"{place.sqlite} exists already: --replace moves it aside")
    return place.sqlite, place.local_files


def _newest(files: Path) -> State:
    newest = max((read(path) for path in manifests(files)), key=lambda state: state.at, default=NOTHING)
    if newest.snapshot < 0:
        raise WarehouseError(
            f"no manifest in {files}, so files of the lake cannot be told from those that were replaced: restore a backup or a "
            "copy, or give --without-manifest, and read in warehouse/README.md what that cannot know"
        )
    return newest


def _fault(files: Path, entry: Entry, known: Mapping[str, Table], hashed: bool) -> str:
    """Return a line on what is wrong with a file, empty where it can be taken; `hashed`: its SHA-256 is looked at, too."""
    path = files / entry.path
    if not path.is_file():
        return f"{path}: missing"
    if path.stat().st_size != entry.size:
        return f"{path}: has {path.stat().st_size:,} bytes, {entry.size:,} were written"
    if entry.table not in known:
        return f"{path}: this version has no table {entry.table}"
    if hashed and entry.sha256 and sha256(path) != entry.sha256:
        return f"{path}: changed: its SHA-256 is not what was written"
    return ""


def add(lake: Lake, table: Table, paths: Iterable[str]) -> None:
    """Make data files those of a table. Raises WriteFailedError naming the file that cannot be."""
    # DuckLake 1.0 gives all partition values of a file one number, so files are added to a table without partitions: then they
    # have none, and are found by their statistics
    with lake.transaction() as connection:
        connection.execute(f"ALTER TABLE {table.name} RESET PARTITIONED BY")
    with lake.transaction() as connection:
        for path in paths:
            full = lake.place.files + path
            odd = {name for name in pq.read_schema(full).names if name not in table.types}
            if foreign := [name for name in odd if not name.startswith(INTERNAL)]:
                raise WriteFailedError(f"{full} has columns that {table.name} has not: {', '.join(sorted(foreign))}")
            options = "allow_missing => true, hive_partitioning => false" + ", ignore_extra_columns => true" * bool(odd)
            name = f"'lake', {quoted(table.name)}, {quoted(escaped(full))}"
            connection.execute(f"CALL ducklake_add_data_files({name}, {options})")
    if table.partition:
        with lake.transaction() as connection:
            connection.execute(f"ALTER TABLE {table.name} SET PARTITIONED BY ({', '.join(table.partition)})")


def delete(lake: Lake, table: Table, deletes: Iterable[Entry]) -> None:
    """Take out the rows of a table that its delete files name by file and position."""
    with lake.transaction() as connection:
        connection.execute("CREATE OR REPLACE TEMP TABLE liq_dead (file VARCHAR, pos BIGINT)")
        for entry in deletes:
            names = quoted(lake.place.files + entry.deletes_from), quoted(escaped(lake.place.files + entry.path))
            connection.execute(f"INSERT INTO liq_dead SELECT {names[0]}, pos FROM read_parquet({names[1]})")
        where = "(filename, file_row_number) IN (SELECT (file, pos) FROM liq_dead)"
        if connection.execute("FROM liq_dead LIMIT 1").fetchone():
            connection.execute(f"DELETE FROM {table.name} WHERE {where}")
        connection.execute("DROP TABLE temp.liq_dead")
