"""`liq restore --from-files --without-manifest`: rows out of the Parquet files if nothing says which files are the lake.

Merged files stay beside their replacement for a while, so their rows are there twice; a deleted row is still in its file. Each
row is checked, and the rows that stay are written into files of a new lake. The old files stay.

- Of a table with a key the row of the newest file stays: a file's name has the time it was made in it (UUIDv7). Of the last
  values of buckets (`grid_key`) the one that happened last stays.
- `ingest_commits` and `session_frames`: a row stays unless another one's range of offsets or numbers holds its own, as that
  of a sum of old commits does, or a newer file has one of the same range.
- Of other tables that are only ever appended to, of equal rows one stays.
- What a delete file names is left out, by the newest delete file of each data file, which names all that the ones before did.
- Tables that are replaced in part are left empty: the flows make them anew.

Not to be known: rows that reprocessing took out of a table without a key, all those of a file, come back beside the new ones.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import pyarrow.parquet as pq

from warehouse.keeping.backup import Tell
from warehouse.keeping.files import escaped, parquet_files
from warehouse.keeping.rebuild import into_place
from warehouse.keeping.restore import Restored
from warehouse.lake import Lake
from warehouse.place import quoted
from warehouse.schema import filled_in
from warehouse.superseding import ORDER
from warehouse.tables import TABLES, Table
from warehouse.tables.history import SCHEMA_HISTORY

ACCOUNTS = {
    "ingest_commits": (("cluster_id", "kafka_topic", "kafka_partition"), "offset_from", "offset_next"),
    "session_frames": (("session", "kafka_topic", "kafka_partition"), "seq_min", "seq_max"),
}
"""What the rows of an account are of, and the columns of the range that each one is about."""
DELETES = "-delete.parquet"


def without_manifest(
    world: Path, tell: Tell, *, replace: bool = False, known: Mapping[str, Table] = TABLES
) -> Restored:
    """Make a new lake of `world` out of the rows of its files, as said above. Raises WarehouseError."""

    def build(lake: Lake, files: Path) -> None:
        found = [path for path in parquet_files(files) if path.relative_to(files).parts[0] == "main"]
        dead = _dead(path for path in found if path.name.endswith(DELETES))
        data = [path for path in found if not path.name.endswith(DELETES)]
        by_folder: dict[tuple[str, Path], list[Path]] = defaultdict(list)
        for path in data:
            by_folder[path.relative_to(files).parts[1], path.parent].append(path)
        done = 0
        for (name, _), paths in sorted(by_folder.items()):
            if name in known and known[name].append_only and name != SCHEMA_HISTORY.name:
                _take(lake, known[name], paths, dead)
            tell(done := done + len(paths), len(data))

    return into_place(world, "the rows of its files", build, replace=replace, known=known)


def _dead(deletes: Iterable[Path]) -> dict[str, Path]:
    """Return the newest delete file of each data file, by the data file's name."""
    newest: dict[str, Path] = {}
    for path in sorted(deletes, key=lambda path: path.name):
        for file in pq.read_table(path, columns=["file_path"]).column(0).unique().to_pylist():
            newest[Path(file).name] = path
    return newest


def _take(lake: Lake, table: Table, paths: list[Path], dead: Mapping[str, Path]) -> None:
    """Insert the rows that stay of the files of one partition."""
    there = {name for path in paths for name in pq.read_schema(path).names}
    lacking = ", ".join(f'NULL::{kind} AS "{name}"' for name, kind in table.types.items() if name not in there)
    columns = ", ".join(f'{filled_in(column)} AS "{column.name}"' for column in table.columns)
    listed = ", ".join(quoted(escaped(str(path))) for path in paths)
    with lake.transaction() as connection:
        connection.execute("CREATE OR REPLACE TEMP TABLE liq_dead (file VARCHAR, pos BIGINT)")
        for path in paths:
            if deletes := dead.get(path.name):
                positions = f"SELECT {quoted(str(path))}, pos FROM read_parquet({quoted(escaped(str(deletes)))})"
                connection.execute(f"INSERT INTO liq_dead {positions}")
        connection.execute(f"""
            CREATE OR REPLACE TEMP TABLE liq_rows AS
            SELECT {columns}, parse_filename(r.filename) AS liq_file, r.file_row_number AS liq_row
            FROM (SELECT *{", " * bool(lacking)}{lacking} FROM read_parquet([{listed}], union_by_name => true,
                hive_partitioning => false, filename => true, file_row_number => true)) AS r
            ANTI JOIN liq_dead AS d ON d.file = r.filename AND d.pos = r.file_row_number
        """)
        connection.execute(f"INSERT INTO {table.name} BY NAME {_staying(table)}")
        connection.execute("DROP TABLE temp.liq_rows")
        connection.execute("DROP TABLE temp.liq_dead")


def _staying(table: Table) -> str:
    """Return the query of the rows of `liq_rows` that stay."""
    distinct = "SELECT DISTINCT * EXCLUDE (liq_file, liq_row) FROM liq_rows"
    if table.name in ACCOUNTS:
        of, first, last = ACCOUNTS[table.name]
        same = " AND ".join(f"o.{name} IS NOT DISTINCT FROM r.{name}" for name in of)
        newer = f"((o.{first}, o.{last}) <> (r.{first}, r.{last}) OR o.liq_file > r.liq_file)"
        holds = f"o.{first} <= r.{first} AND o.{last} >= r.{last} AND {newer}"
        return (
            f"SELECT DISTINCT r.* EXCLUDE (liq_file, liq_row) FROM liq_rows AS r "
            f"WHERE NOT EXISTS (FROM liq_rows AS o WHERE {same} AND {holds})"
        )
    if named := table.key or table.grid_key:
        key = ", ".join(f'"{name}"' for name in named)
        whole = " AND ".join(f'"{name}" IS NOT NULL' for name in named)
        order = f"{ORDER}, " if table.grid_key else ""
        newest = f"row_number() OVER (PARTITION BY {key} ORDER BY {order}liq_file DESC, liq_row) = 1"
        return (
            f"SELECT * EXCLUDE (liq_file, liq_row) FROM liq_rows WHERE {whole} QUALIFY {newest} "
            f"UNION ALL {distinct} WHERE NOT ({whole})"
        )
    return distinct
