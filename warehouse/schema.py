"""Tables, views and macros in the lake, made and kept as described: `create_or_migrate`."""

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import duckdb

from warehouse import jobs, members
from warehouse.advisory import lock_of
from warehouse.beside import Beside
from warehouse.claim import INSTALL, TRIGGER
from warehouse.empty_tables import note_empty
from warehouse.errors import LostCatalogueError, NoWarehouseError, SchemaMismatchError
from warehouse.lake import METADATA, Lake, quoted
from warehouse.place import Place
from warehouse.query_errors import query_errors
from warehouse.settings import WarehouseSettings
from warehouse.statements import Statement, statements
from warehouse.tables import TABLES, Column, Table
from warehouse.tables.history import SCHEMA_HISTORY

READY = """
SELECT (SELECT count(*) FROM pg_trigger WHERE tgname = '{trigger}')
    + (SELECT count(to_regclass(name)) FROM unnest(ARRAY[{tables}]) AS name) AS made
"""
# Name: how it is given, how DuckLake stores it. Inlined rows cost more than a small file from some thirty rows on, and
# flushing them lets readers miss rows or fail (duckdb/ducklake issue 1413; compact.py). Files are sorted when joined.
OPTIONS = {
    "data_inlining_row_limit": ("0", "0"),
    "parquet_compression": ("zstd", "zstd"),
    "sort_on_insert": ("false", "false"),
}


DROPPED = "-"


class Change(NamedTuple):
    """A change of the schema: what of, what was done, the statements that do it, and the object's new digest."""

    object: str
    what: str
    sql: tuple[str, ...]
    digest: str = ""


def create_or_migrate(
    world: Path | None = None,
    tables: Iterable[Table] = tuple(TABLES.values()),
    views: Sequence[Statement] | None = None,
    settings: WarehouseSettings | None = None,
    *,
    beside_files: bool = False,
) -> list[str]:
    """Bring the warehouse of `world` to today's description and return what was done, one line each; empty: nothing.

    Makes what is missing, adds columns, replaces views whose text changed. Raises SchemaMismatchError, changing nothing,
    where a stored column has another type than described or is not described any more, and LostCatalogueError where Parquet
    files lie without a catalogue, unless one is to be made `beside_files`.
    """
    settings = settings or WarehouseSettings()
    world = settings.world(world)
    place = Place(world, settings)
    place.make_folder()
    tables, views = list(tables), statements() if views is None else views
    if place.address and _is_current(world, settings, tables, views):
        return []
    lock = lock_of(place, settings)
    with closing(lock), lock.held():
        # the catalogue itself is made here
        opened = Lake(world, settings, read_only=False, create=True, beside_files=beside_files)
        if opened.is_shared:
            _make_ready_for_several(place)
    with opened:
        return _migrate(opened, tables, views)


def _is_current(world: Path, settings: WarehouseSettings, tables: list[Table], views: Sequence[Statement]) -> bool:
    """Tell whether a lake that others may write to just now is there and as described: then nobody has to wait."""
    try:
        opened = Lake(world, settings, read_only=False)
    except (NoWarehouseError, LostCatalogueError):
        return False
    with opened, closing(Beside(opened.place, "schema")) as session, query_errors():
        if not _is_ready_for_several(session):
            return False
        connection = opened.connection
        is_same = not _table_changes(
            connection, [SCHEMA_HISTORY, *(t for t in tables if t.name != SCHEMA_HISTORY.name)]
        )
        is_same = is_same and not _view_changes(_digests(connection), views, set())
        return is_same and not _missing_options(opened, tables) and not _is_moved(opened)


def _make_ready_for_several(place: Place) -> None:
    """Make the lists of workers and jobs, and the trigger that refuses a commit of ingest that follows another than it has
    seen."""
    with closing(Beside(place, "schema")) as session:
        if not _is_ready_for_several(session):
            for sql in (members.MAKE, jobs.MAKE, INSTALL):
                session.do(sql)


def _is_ready_for_several(session: Beside) -> bool:
    made = [members.TABLE, jobs.TABLE]
    return session.rows(READY.format(trigger=TRIGGER, tables=", ".join(map(quoted, made)))) == [(1 + len(made),)]


def _migrate(opened: Lake, tables: list[Table], views: Sequence[Statement]) -> list[str]:
    with opened.transaction() as connection:
        changes = _table_changes(connection, [SCHEMA_HISTORY, *(t for t in tables if t.name != SCHEMA_HISTORY.name)])
        for change in changes:
            _apply(connection, change)
        view_changes = _view_changes(_digests(connection), views, {change.object.split()[1] for change in changes})
        for change in view_changes:
            _apply(connection, change)
        changes += view_changes
        _record(connection, changes)
    _set_options(opened, tables)
    note_empty(opened)
    return [f"{change.object}: {change.what}" for change in changes] + _note_place(opened)


def _apply(connection: duckdb.DuckDBPyConnection, change: Change) -> None:
    for sql in change.sql:
        connection.execute(sql)


def _table_changes(connection: duckdb.DuckDBPyConnection, tables: list[Table]) -> list[Change]:
    stored = _stored(connection)
    if told := [line for table in tables for line in _mismatches(table, stored.get(table.name, {}))]:
        raise SchemaMismatchError("; ".join(told))
    digests = _digests(connection) if SCHEMA_HISTORY.name in stored else {}
    return [change for table in tables for change in _changes_of(table, stored.get(table.name), digests)]


def _stored(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """Return the types of the stored tables' columns. `duckdb_columns()` would plan every view for that."""
    names = connection.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = 'lake'").fetchall()
    described = "SELECT column_name, column_type FROM (DESCRIBE lake.main.{})"
    return {name: dict(connection.execute(described.format(_named(name))).fetchall()) for (name,) in names}


def _named(name: str) -> str:
    """Return the name of a table as SQL, whatever it is."""
    return '"' + name.replace('"', '""') + '"'


def _mismatches(table: Table, stored: dict[str, str]) -> Iterable[str]:
    for name, kind in stored.items():
        if name not in table.types:
            yield f"{table.name}.{name} is stored but not described here (dropped, or written by a newer version)"
        elif table.types[name] != kind:
            yield f"{table.name}.{name} is stored as {kind} but described as {table.types[name]}"


def _changes_of(table: Table, stored: dict[str, str] | None, digests: dict[str, str]) -> Iterable[Change]:
    digest = hashlib.md5(repr(table).encode(), usedforsecurity=False).hexdigest()
    name = f"table {table.name}"
    if stored is None:
        columns = ", ".join(f'"{column}" {kind}' for column, kind in table.types.items())
        yield Change(name, "created", (f"CREATE TABLE {table.name} ({columns})", *_layout(table)), digest)
        return
    added = [column for column in table.columns if column.name not in stored]
    for column in added:
        kind = f'ALTER TABLE {table.name} ADD COLUMN "{column.name}" {column.type}'
        yield Change(name, f"column {column.name} added", (kind,))
    if filling := (*filled(table, added), *(column.when_added for column in added if column.when_added)):
        yield Change(name, "rows of before filled in", filling)
    if digests.get(name) != digest:
        yield Change(name, "described anew", tuple(_layout(table)), digest)


def filled(table: Table, columns: Iterable[Column]) -> Iterable[str]:
    """Yield the statement, if one is needed, that fills in what rows stored before there were these columns are made of.

    One for all of them: it writes the rows anew, and there may be millions.
    """
    if made := [column for column in columns if column.made_of]:
        values = ", ".join(f'"{column.name}" = {filled_in(column)}' for column in made)
        lacks = " OR ".join(f'"{column.name}" IS NULL AND ({column.made_of}) IS NOT NULL' for column in made)
        yield f"UPDATE {table.name} SET {values} WHERE {lacks}"


def filled_in(column: Column) -> str:
    """Return the SQL of a column's value, where it may be of a row that was stored before there was the column."""
    return f'coalesce("{column.name}", {column.made_of})' if column.made_of else f'"{column.name}"'


def _layout(table: Table) -> Iterable[str]:
    yield f"ALTER TABLE {table.name} " + (
        f"SET PARTITIONED BY ({', '.join(table.partition)})" if table.partition else "RESET PARTITIONED BY"
    )
    yield f"ALTER TABLE {table.name} " + (
        f"SET SORTED BY ({', '.join(table.sort)})" if table.sort else "RESET SORTED BY"
    )
    yield f"COMMENT ON TABLE {table.name} IS {quoted(table.grain)}"
    for column in table.columns:
        text = f"{column.meaning} [{column.unit}]" if column.unit else column.meaning
        yield f'COMMENT ON COLUMN {table.name}."{column.name}" IS {quoted(text)}'


def _digests(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    query = f"SELECT object, max_by(digest, version) FROM {SCHEMA_HISTORY.name} WHERE digest <> '' GROUP BY object"
    return dict(connection.execute(query).fetchall())


def _view_changes(digests: dict[str, str], views: Sequence[Statement], changed: set[str]) -> list[Change]:
    """Return what to do about views and macros, given the names of the tables that changed.

    A view keeps the column types it was made with, so it is renewed with whatever it reads.
    """
    kept = {f"{view.kind} {view.name}" for view in views}
    stored = {name for name, digest in digests.items() if name.startswith(("view ", "macro ")) and digest != DROPPED}
    changes = [
        Change(name, "dropped", ('DROP {} IF EXISTS "{}"'.format(*name.split()),), DROPPED)
        for name in sorted(stored - kept)
    ]
    renewed = set(changed)
    for view in views:
        name = f"{view.kind} {view.name}"
        if name not in stored or digests[name] != view.digest or view.words & renewed:
            renewed.add(view.name)
            changes.append(Change(name, "replaced" if name in stored else "created", _create(view), view.digest))
    return changes


def _create(view: Statement) -> tuple[str, ...]:
    if view.kind == "macro":
        return (view.create(),)
    return (view.create(), f'COMMENT ON VIEW "{view.name}" IS {quoted(f"{view.purpose} {view.notes}".strip())}')


def _record(connection: duckdb.DuckDBPyConnection, changes: list[Change]) -> None:
    if changes:
        version = connection.execute(f"SELECT coalesce(max(version), 0) + 1 FROM {SCHEMA_HISTORY.name}").fetchone()
        rows = [(version[0] if version else 1, change.object, change.what, change.digest) for change in changes]
        now = "now() AT TIME ZONE 'UTC'"
        insert = f"INSERT INTO {SCHEMA_HISTORY.name} SELECT {now}, unnest(?), unnest(?), unnest(?), unnest(?)"
        connection.execute(insert, [list(column) for column in zip(*rows, strict=True)])


def _note_place(opened: Lake) -> list[str]:
    """Write down where the files are now, for readers who attach the catalogue alone, when the world was moved."""
    if not _is_moved(opened):
        return []
    files = opened.place.files
    with opened.write_lock():
        opened.connection.execute(
            f"UPDATE {METADATA}.ducklake_metadata SET value = {quoted(files)} WHERE key = 'data_path'"
        )
    return [f"files: moved to {files}"]


def _is_moved(opened: Lake) -> bool:
    path = f"SELECT value FROM {METADATA}.ducklake_metadata WHERE key = 'data_path'"
    return opened.connection.execute(path).fetchone() != (opened.place.files,)


def _missing_options(opened: Lake, tables: list[Table]) -> list[str]:
    """Return the calls that set what is not set as described."""
    query = "SELECT option_name, scope_entry, value FROM ducklake_options('lake')"
    stored = {(name, entry): value for name, entry, value in opened.connection.execute(query).fetchall()}
    wanted: dict[tuple[str, str | None], tuple[str, str]] = {(name, None): values for name, values in OPTIONS.items()}
    levels = {f"main.{table.name}": str(table.zstd_level) for table in tables}
    wanted |= {("parquet_compression_level", name): (level, level) for name, level in levels.items()}
    return [
        f"CALL lake.set_option({quoted(name)}, {quoted(given)}"
        + (f", table_name => {quoted(entry.removeprefix('main.'))})" if entry else ")")
        for (name, entry), (given, kept) in wanted.items()
        if stored.get((name, entry)) != kept
    ]


def _set_options(opened: Lake, tables: list[Table]) -> None:
    if calls := _missing_options(opened, tables):
        with opened.transaction() as connection:
            for call in calls:
                connection.execute(call)
