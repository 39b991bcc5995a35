"""The lake with its catalogue in PostgreSQL and its files on S3: the same tables, writers, readers and upkeep."""

import os
import re
import shutil
import traceback
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import duckdb
import polars as pl
import pytest
from typer.testing import CliRunner

from collectors.ports import free_port
from liq import app
from tests.warehouse.conftest import NOON
from tests.warehouse.servers import PASSWORD, S3, SECRET, Postgres
from tests.warehouse.test_model import walk
from warehouse import lake, schema
from warehouse import query as asking
from warehouse.errors import NoWarehouseError, WarehouseError
from warehouse.extensions import load
from warehouse.maintain import maintain
from warehouse.settings import WarehouseSettings
from warehouse.writer import append

Maker = Callable[..., pl.DataFrame]
AT_ONCE = timedelta(0)
PLACES = ("on_postgres", "on_s3")


@pytest.fixture(params=PLACES)
def elsewhere(request: pytest.FixtureRequest) -> str:
    request.getfixturevalue(request.param)
    return str(request.param)


def _files(world: Path) -> list[str]:
    with lake.open(world) as reader:
        query = f"SELECT file FROM glob('{reader.place.files}**/*.parquet')"
        return [file for (file,) in reader.connection.execute(query).fetchall()]


def test_after_any_sequence_of_steps_the_lake_holds_what_the_model_holds(tmp_path: Path, elsewhere: str) -> None:
    walk(tmp_path, seed=7, steps=15)


def test_a_warehouse_is_made_once_written_read_and_kept_tidy(
    tmp_path: Path, elsewhere: str, liquidations: Maker
) -> None:
    with pytest.raises(NoWarehouseError, match="no warehouse in the PostgreSQL database"):
        lake.open(tmp_path)
    with pytest.raises(NoWarehouseError):
        lake.open(tmp_path, read_only=False)
    assert not lake.exists(tmp_path)
    assert schema.create_or_migrate(tmp_path)
    assert schema.create_or_migrate(tmp_path) == []
    assert lake.exists(tmp_path)

    with lake.open(tmp_path, read_only=False) as writer, lake.open(tmp_path) as reader:
        for key in range(4):
            append(writer, {"liquidations": liquidations(1, first=key)})
        counted = "SELECT count(*), sum(notional_usd) FROM liquidations"
        before = asking.run(reader, counted).frame()
        assert before.item(0, 0) == 4
        done = maintain(writer, keep_snapshots=AT_ONCE, keep_files=AT_ONCE)
        assert done.files_joined >= 4
        assert done.files_deleted >= done.files_joined
        assert asking.run(reader, counted).frame().equals(before)
        for view in ("liquidation_totals", "liquidation_feed", "funding_current", "frames_accounted"):
            asking.run(reader, f"FROM {view}")
    assert len([file for file in _files(tmp_path) if "/liquidations/" in file]) == 1
    assert any(tmp_path.rglob("*.parquet")) == (elsewhere == "on_postgres")
    assert not any(tmp_path.rglob("*.sqlite"))


def test_files_of_others_in_a_folder_that_was_named_are_left_alone(
    world: Path, tmp_path_factory: pytest.TempPathFactory, liquidations: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path_factory.mktemp("shared")
    monkeypatch.setenv("LIQ_FILES", str(shared))
    theirs = shared / "main" / "liquidations" / "theirs.parquet"
    with lake.open(world, read_only=False) as writer:
        append(writer, {"liquidations": liquidations(3)})
        shutil.copy(next(shared.rglob("*.parquet")), theirs)
        os.utime(theirs, (0, 0))
        maintain(writer, keep_snapshots=AT_ONCE, keep_files=AT_ONCE)
    assert theirs.exists()


def test_a_setting_of_the_warehouse_that_is_set_to_nothing_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LIQ_DATA", "LIQ_S3_TLS", "LIQ_DUCKDB_THREADS", "LIQ_LOCK_TIMEOUT_S"):
        monkeypatch.setenv(name, "")
    found = WarehouseSettings()
    assert (str(found.data), found.s3_tls, found.duckdb_threads, found.lock_timeout_s) == ("data/live", True, 0, 600)


def test_an_error_shows_no_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for form in (
        "host=127.0.0.1 port=1 user=liq password='{}' dbname=none",
        "host=127.0.0.1 port=1 user=liq password = {} dbname=none",
        "postgresql://liq:{}@127.0.0.1:1/none",
        "postgresql://liq@127.0.0.1:1/none?password={}",
    ):
        monkeypatch.setenv("LIQ_CATALOGUE", form.format(PASSWORD))
        _refused(tmp_path)


FORMS = (
    "host=127.0.0.1 port={port} password='{quoted}' user=liq dbname={name}",
    "password = {escaped} host=127.0.0.1 port={port} user=liq dbname={name}",
    "postgresql://liq:{encoded}@127.0.0.1:{port}/{name}",
    "postgres://liq@127.0.0.1:{port}/{name}?password={encoded}&connect_timeout=9",
    "postgresql://127.0.0.1:{port}/{name}?user=liq&password={encoded}",
)


@pytest.mark.parametrize("form", FORMS)
def test_a_password_is_taken_out_of_every_form_of_an_address_and_still_opens_it(
    tmp_path: Path, postgres_server: Postgres, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    password = "it's a \\ {secret} @/?&=%"
    name = f"form{FORMS.index(form)}"
    postgres_server.database(name)
    postgres_server.change_password(password)
    try:
        escaped = re.sub(r"([\\' ])", r"\\\1", password)
        forms = {
            "quoted": re.sub(r"([\\'])", r"\\\1", password),
            "escaped": escaped,
            "encoded": quote(password, safe=""),
        }
        monkeypatch.setenv("LIQ_CATALOGUE", form.format(port=postgres_server.port, name=name, **forms))
        assert schema.create_or_migrate(tmp_path)
        attach = lake.Place(tmp_path, WarehouseSettings()).attach(read_only=True)
        assert "secret" not in attach
        assert f"{name}" in attach
    finally:
        postgres_server.change_password(PASSWORD)


def test_an_error_of_duckdb_shows_no_password_once_the_database_has_gone(
    tmp_path: Path, on_postgres: None, postgres_server: Postgres, liquidations: Maker
) -> None:
    schema.create_or_migrate(tmp_path)
    name = f"liq_{abs(hash(tmp_path)):x}"
    with lake.open(tmp_path, read_only=False) as writer:
        postgres_server.drop(name)
        with pytest.raises(WarehouseError) as raised:
            append(writer, {"liquidations": liquidations(1)})
        with pytest.raises(duckdb.Error) as bare:
            writer.connection.execute("FROM liquidations")
    for error in (raised.value, bare.value):
        told = "".join(traceback.format_exception(error))
        assert name in told
        assert PASSWORD not in told


def _refused(world: Path) -> None:
    for attempt in (lake.open, lake.exists, schema.create_or_migrate):
        with pytest.raises(WarehouseError, match=r"LIQ_CATALOGUE cannot be opened: .*Connection refused") as raised:
            attempt(world)
        assert PASSWORD not in "".join(traceback.format_exception(raised.value))


def test_a_wrong_key_of_the_bucket_is_told_and_not_shown(
    tmp_path: Path, on_s3: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIQ_S3_SECRET", "wrong" + SECRET)
    with pytest.raises(WarehouseError, match=r"cannot be opened: .*s3://lake/.* 403 .*LIQ_S3_SECRET") as raised:
        schema.create_or_migrate(tmp_path)
    assert SECRET not in "".join(traceback.format_exception(raised.value))


def test_with_files_on_s3_any_duckdb_reads_it_and_a_server_that_is_away_and_a_file_that_is_gone_are_told(
    tmp_path: Path, on_s3: None, s3_server: S3, liquidations: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema.create_or_migrate(tmp_path)
    with lake.open(tmp_path, read_only=False) as writer:
        append(writer, {"liquidations": liquidations(3)})
        place = writer.place
    with closing(duckdb.connect()) as plain:
        load(plain, place.extensions)
        plain.execute(place.secret())
        plain.execute(f"ATTACH 'ducklake:postgres:{place.address}' AS liq (READ_ONLY)")
        plain.execute("USE liq")
        plain.execute(f"SET VARIABLE as_of = TIMESTAMP '{NOON + timedelta(minutes=5)}'")
        told = plain.execute("SELECT hours, count FROM liquidation_totals ORDER BY hours").fetchall()
        assert told == [(1, 3), (4, 3), (12, 3), (24, 3)]
    with monkeypatch.context() as away:
        away.setenv("LIQ_S3_ENDPOINT", f"127.0.0.1:{free_port()}")
        with pytest.raises(WarehouseError, match="Could not connect to server"):
            schema.create_or_migrate(tmp_path)
    (gone,) = (file for file in _files(tmp_path) if "/liquidations/" in file)
    s3_server.remove(gone.removeprefix("s3://lake/"))
    monkeypatch.setenv("LIQ_DATA", str(tmp_path))
    for words in (["sql", "SELECT sum(notional_usd) FROM liquidations"], ["verify"]):
        done = CliRunner().invoke(app, words, prog_name="liq")
        assert done.exit_code == 1
        name = gone.rpartition("/")[2]
        if words == ["verify"]:
            assert any(line.endswith(f"{name}: missing") for line in done.stdout.splitlines()), done.output
        else:
            assert len(done.stderr.splitlines()) == 1, done.stderr
            assert name in done.stderr
            assert "`liq verify` names each one" in done.stderr
