"""With the manifest lost, too, the rows themselves are sorted out, and what cannot be known is not guessed at."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from typer.testing import Result

from tests.warehouse.keeping.destroyed import contents, fill, lose_catalogue
from warehouse import lake
from warehouse.lake import Lake
from warehouse.maintain import maintain
from warehouse.tables import TABLES

pytestmark = pytest.mark.local("a catalogue made again from files in a folder")

Maker = Callable[..., pl.DataFrame]
AT_ONCE = timedelta(0)


def test_without_a_manifest_nothing_is_guessed_unless_it_is_asked_for(
    filled: Path, writer: Lake, liq: Callable[..., Result]
) -> None:
    writer.close()
    lose_catalogue(filled)
    for manifest in (filled / "lake/files").glob("manifest-*"):
        manifest.unlink()
    done = liq("restore", "--from-files")
    assert (done.exit_code, "give --without-manifest" in done.stderr) == (1, True)
    assert not lake.exists(filled)


def test_without_a_manifest_rows_come_back_once_though_their_files_were_joined_deleted_from_and_summed(
    filled: Path, writer: Lake, rows: Maker, liquidations: Maker, liq: Callable[..., Result]
) -> None:
    fill(writer, rows, liquidations, first=10)
    maintain(writer, AT_ONCE, timedelta(hours=1))  # joined: old files and new ones lie side by side
    with writer.transaction() as connection:
        connection.execute("DELETE FROM liquidations WHERE event_key % 11 = 2")
    before = contents(filled)
    writer.close()
    lose_catalogue(filled)
    for manifest in (filled / "lake/files").glob("manifest-*"):
        manifest.unlink()
    done = liq("restore", "--from-files", "--without-manifest")
    assert (done.exit_code, done.stderr) == (0, "")
    after = contents(filled)
    gone_whole = set(after["liquidations"]) - set(before["liquidations"])
    for name in ("raw_frames", "session_frames", "ingest_commits", "offsets"):
        assert after[name] == before[name], name
    assert set(after["liquidations"]) >= set(before["liquidations"])
    assert len(after["liquidations"]) == len(set(after["liquidations"]))
    assert gone_whole  # all rows of a file were deleted, which leaves no mark beside it: they come back
    assert done.stdout.count("files do not belong to it") == 1


def test_without_a_manifest_a_row_that_was_replaced_gives_way_to_the_newer_one(
    filled: Path, writer: Lake, liquidations: Maker, liq: Callable[..., Result]
) -> None:
    old = [row for row in contents(filled)["liquidations"] if 101.0 in row]
    keys = [(row[list(TABLES["liquidations"].schema).index("event_key")]) for row in old]
    with writer.transaction() as connection:
        connection.execute("CREATE TEMP TABLE again AS FROM liquidations WHERE notional_usd = 101")
        connection.execute("DELETE FROM liquidations WHERE notional_usd = 101")
        connection.execute("INSERT INTO liquidations SELECT * REPLACE (77.0 AS notional_usd) FROM again")
    writer.close()
    lose_catalogue(filled)
    for manifest in (filled / "lake/files").glob("manifest-*"):
        manifest.unlink()
    assert liq("restore", "--from-files", "--without-manifest").exit_code == 0
    with lake.open(filled) as reader:
        found = reader.connection.execute(
            "SELECT event_key, notional_usd FROM liquidations WHERE event_key IN $keys", {"keys": keys}
        )
        assert sorted(found.fetchall()) == sorted((key, 77.0) for key in keys)
