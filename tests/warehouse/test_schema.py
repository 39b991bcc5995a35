from datetime import timedelta
from pathlib import Path

import pytest

from warehouse import lake, schema
from warehouse.errors import NoWarehouseError, SchemaMismatchError
from warehouse.maintain import maintain
from warehouse.statements import Statement
from warehouse.tables import TABLES, Column, Table
from warehouse.tables.table import by_day

THING = Table("thing", "one thing", (Column("a", "INTEGER", "A number"), Column("t", "TIMESTAMP", "When", "UTC")),
              partition=by_day("t"), sort=("t",))  # fmt: skip


def _view(body: str, name: str = "things") -> Statement:
    return Statement("view", name, "()", "things", "", body)


def _columns(world: Path, table: str) -> dict[str, str]:
    with lake.open(world) as opened:
        found = opened.connection.execute(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ?", [table]
        )
        return dict(found.fetchall())


def test_every_described_table_is_made_with_its_columns_and_types(world: Path) -> None:
    with lake.open(world) as opened:
        found = opened.connection.execute("SELECT table_name, column_name, data_type FROM duckdb_columns()").fetchall()
    described = [(table.name, *column) for table in TABLES.values() for column in table.types.items()]
    assert set(described) <= set(found)


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    schema.create_or_migrate(tmp_path)
    assert schema.create_or_migrate(tmp_path) == []


def test_a_new_column_is_added_and_old_rows_have_null_there_or_what_it_is_made_of(tmp_path: Path) -> None:
    schema.create_or_migrate(tmp_path, [THING], [])
    with lake.open(tmp_path, read_only=False) as opened:
        opened.connection.execute("INSERT INTO thing VALUES (1, NULL)")
    twice = Column("twice", "BIGINT", "Twice a", made_of="2 * a")
    wider = THING._replace(columns=(*THING.columns, Column("b", "VARCHAR", "A word"), twice))
    assert "table thing: column b added" in schema.create_or_migrate(tmp_path, [wider], [])
    with lake.open(tmp_path) as opened:
        assert opened.connection.execute("SELECT a, b, twice FROM thing").fetchall() == [(1, None, 2)]


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ((Column("a", "BIGINT", ""), THING.columns[1]), "thing.a is stored as INTEGER but described as BIGINT"),
        ((THING.columns[1],), "thing.a is stored but not described"),
    ],
)
def test_a_changed_type_or_lost_column_is_told_and_nothing_is_changed(
    tmp_path: Path, columns: tuple[Column, ...], told: str
) -> None:
    schema.create_or_migrate(tmp_path, [THING], [])
    changed = THING._replace(columns=(*columns, Column("new", "VARCHAR", "")))
    with pytest.raises(SchemaMismatchError, match=told):
        schema.create_or_migrate(tmp_path, [changed], [])
    assert _columns(tmp_path, "thing") == THING.types


def test_a_view_is_made_again_only_when_its_text_or_what_it_reads_changed(tmp_path: Path) -> None:
    reading, other = _view("SELECT a FROM thing"), _view("SELECT 1 AS one", "other")
    schema.create_or_migrate(tmp_path, [THING], [reading, other])
    assert schema.create_or_migrate(tmp_path, [THING], [reading, other]) == []
    changed = _view("SELECT a + 1 AS a FROM thing")
    assert schema.create_or_migrate(tmp_path, [THING], [changed, other]) == ["view things: replaced"]
    regrouped = THING._replace(grain="one thing more")
    assert schema.create_or_migrate(tmp_path, [regrouped], [changed, other]) == [
        "table thing: described anew",
        "view things: replaced",
    ]


def test_a_view_without_a_file_goes_and_a_users_own_view_stays(tmp_path: Path) -> None:
    schema.create_or_migrate(tmp_path, [THING], [_view("SELECT a FROM thing")])
    with lake.open(tmp_path, read_only=False) as opened:
        opened.connection.execute("CREATE VIEW mine AS SELECT 7 AS seven")
    assert schema.create_or_migrate(tmp_path, [THING], []) == ["view things: dropped"]
    assert schema.create_or_migrate(tmp_path, [THING], []) == []
    with lake.open(tmp_path) as opened:
        assert opened.connection.execute("FROM mine").fetchall() == [(7,)]


def test_the_history_numbers_each_migration(tmp_path: Path) -> None:
    schema.create_or_migrate(tmp_path, [THING], [])
    schema.create_or_migrate(tmp_path, [THING._replace(grain="another")], [])
    with lake.open(tmp_path) as opened:
        found = opened.connection.execute(
            "SELECT version, change FROM schema_history WHERE object = 'table thing' ORDER BY 1"
        )
        assert found.fetchall() == [(1, "created"), (2, "described anew")]


@pytest.mark.local("names the world's folder; test_place.py has what names PostgreSQL")
def test_a_missing_warehouse_is_told_with_its_folder_and_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(NoWarehouseError, match=rf"no warehouse in {tmp_path}: run `liq demo`"):
        lake.open(tmp_path)


@pytest.mark.local("a folder that is moved")
def test_a_moved_world_is_read_and_maintained(tmp_path: Path) -> None:
    schema.create_or_migrate(tmp_path / "before", [THING], [])
    with lake.open(tmp_path / "before", read_only=False) as opened:
        opened.connection.execute("INSERT INTO thing SELECT i, NULL FROM range(1000) AS r(i)")
    (tmp_path / "before").rename(tmp_path / "after")
    with lake.open(tmp_path / "after", read_only=False) as opened:
        maintain(opened, timedelta(0), timedelta(0), {"thing": THING})
        assert opened.connection.execute("SELECT count(*), sum(a) FROM thing").fetchall() == [(1000, 499500)]
