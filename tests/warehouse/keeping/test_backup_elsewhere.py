"""A backup of a lake with its catalogue in PostgreSQL, or its files on S3."""

import os
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from typer.testing import Result

from tests.warehouse.keeping.destroyed import contents, fill, quiet
from tests.warehouse.servers import PASSWORD, Postgres
from warehouse import lake, schema
from warehouse.errors import WarehouseError
from warehouse.keeping import postgres
from warehouse.keeping.backup import backup
from warehouse.settings import WarehouseSettings
from warehouse.writer import append

Maker = Callable[..., pl.DataFrame]


def test_a_catalogue_in_postgresql_is_dumped_and_restored(
    tmp_path: Path, on_postgres: None, postgres_server: Postgres, rows: Maker, liquidations: Maker, target: Path,
    monkeypatch: pytest.MonkeyPatch, liq: Callable[..., Result],
) -> None:  # fmt: skip
    world = tmp_path / "on postgres"
    schema.create_or_migrate(world)
    with lake.open(world, read_only=False) as writer:
        fill(writer, rows, liquidations)
    before = contents(world)
    done = liq("backup", target, world=world)
    assert (done.exit_code, done.stderr) == (0, "")
    assert PASSWORD.encode() not in (target / "lake/catalogue.dump").read_bytes()
    again = liq("restore", target, world=world)
    assert (again.exit_code, "has a warehouse already: name an empty database" in again.stderr) == (1, True)
    monkeypatch.setenv("LIQ_CATALOGUE", postgres_server.database("restored"))
    elsewhere = tmp_path / "elsewhere"
    done = liq("restore", target, world=elsewhere)
    assert (done.exit_code, done.stderr) == (0, "")
    assert contents(elsewhere) == before
    assert liq("verify", world=elsewhere).exit_code == 0
    assert liq("maintain", world=elsewhere).exit_code == 0


def test_no_program_of_postgresqls_is_given_a_password_to_show(
    tmp_path: Path, on_postgres: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []

    def run(words: list[str], **more: object) -> object:
        seen.append(words)
        return type("Done", (), {"returncode": 1, "stderr": f"host=x password={PASSWORD} refused"})()

    monkeypatch.setattr(postgres.subprocess, "run", run)
    place = lake.Place(tmp_path, WarehouseSettings())
    for attempt in (postgres.dump, postgres.restore):
        with pytest.raises(WarehouseError, match="failed: host=x password=… refused"):
            attempt(place, tmp_path / "dump")
    assert PASSWORD not in repr(seen)
    monkeypatch.setattr(postgres.shutil, "which", lambda name: None)
    with pytest.raises(WarehouseError, match="pg_dump is not installed here"):
        postgres.dump(place, tmp_path / "dump")


def test_files_on_s3_are_listed_for_the_buckets_own_tools(
    tmp_path: Path, on_s3: None, liquidations: Maker, target: Path
) -> None:
    schema.create_or_migrate(tmp_path)
    with lake.open(tmp_path, read_only=False) as writer:
        append(writer, {"liquidations": liquidations(5)})
        done = backup(writer, target, quiet)
    listed = (target / "lake/files.txt").read_text().splitlines()
    assert (done.copied, done.kept) == (0, len(listed))
    assert any(line.startswith(os.environ["LIQ_FILES"] + "/main/liquidations/") for line in listed)
    assert (target / "lake/catalogue.dump").stat().st_size > 0


def test_a_dump_of_a_catalogue_whose_files_are_on_s3_is_restored_and_goes_on_without_what_came_later(
    tmp_path: Path, on_s3: None, postgres_server: Postgres, rows: Maker, liquidations: Maker, target: Path,
    monkeypatch: pytest.MonkeyPatch, liq: Callable[..., Result],
) -> None:  # fmt: skip
    world = tmp_path / "on s3"
    schema.create_or_migrate(world)
    with lake.open(world, read_only=False) as writer:
        fill(writer, rows, liquidations)
        before = contents(world)
        backup(writer, target, quiet)
        append(writer, {"liquidations": liquidations(5, first=10**6)})
    monkeypatch.setenv("LIQ_CATALOGUE", postgres_server.database("restored_on_s3"))
    again = tmp_path / "again"
    done = liq("restore", target, world=again)
    assert (done.exit_code, done.stderr) == (0, "")
    assert f"{len((target / 'lake/files.txt').read_text().splitlines()):,} files of every snapshot" in done.stdout
    assert contents(again) == before
    with lake.open(again, read_only=False) as writer:
        append(writer, {"liquidations": liquidations(5, first=10**6)})
    verified = liq("verify", world=again)
    assert verified.exit_code == 0, verified.stdout
    assert "files there do not belong to it" in verified.stdout
    assert "their contents were not read" in verified.stdout
