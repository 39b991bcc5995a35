"""What a user reads of an error that DuckDB or the disk raised."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import duckdb
import polars as pl
import pytest

from warehouse import lake, schema
from warehouse.errors import WriteFailedError
from warehouse.messages import VERIFY, one_line
from warehouse.writer import append

Maker = Callable[..., pl.DataFrame]
DAMAGED = (
    "Invalid Input Error: No magic bytes found at end of file '/x/a.parquet'",
    "Invalid Input Error: File '/x/a.parquet' too small to be a Parquet file",
    "Invalid Input Error: Invalid footer length provided for file '/x/a.parquet'",
    'Invalid Input Error: Failed to read file "/x/a.parquet": ZSTD Decompression failure',
    'IO Error: Cannot open file "/x/a.parquet": No such file or directory',
    "TProtocolException: Invalid data",
    "don't know what type: ",
    "Payload value bigger than allowed. Corrupted file?",
)
OTHER = ("Catalog Error: Table with name x does not exist!", 'IO Error: Cannot open file "/x/a.csv": No such file')


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_file_is_told_to_be_one(text: str) -> None:
    assert one_line(duckdb.Error(text)).endswith(f"; {VERIFY}")


@pytest.mark.parametrize("text", OTHER)
def test_other_errors_say_nothing_of_damage(text: str) -> None:
    assert one_line(duckdb.Error(text)) == text


def test_a_full_disk_is_told_with_the_file_and_the_free_bytes(tmp_path: Path) -> None:
    file = tmp_path / "lake/files/main/a.parquet"
    told = one_line(duckdb.IOException(f'IO Error: Could not write file "{file}": No space left on device'))
    assert told.startswith(f'IO Error: Could not write file "{file}": No space left on device ({file}: ')
    assert told.endswith(" bytes are free there)")
    for text in (
        'Failed to execute query "COMMIT": database or disk is full',
        "failed to offload data block of size 256",
    ):
        assert f"({tmp_path}: " in one_line(duckdb.Error(text), tmp_path)


def test_an_error_of_the_disk_on_one_that_is_not_full_is_told_as_it_is(tmp_path: Path) -> None:
    assert one_line(duckdb.Error("disk I/O error"), tmp_path) == "disk I/O error"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MB, where this user may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", place], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no disk can be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


@pytest.mark.local("a full disk with the catalogue and the files")
def test_a_writer_on_a_full_disk_names_the_path_and_the_free_bytes(small_disk: Path, liquidations: Maker) -> None:
    schema.create_or_migrate(small_disk)
    with lake.open(small_disk, read_only=False) as writer:
        append(writer, {"liquidations": liquidations(1)})
        fill = small_disk / "fill"
        with suppress(OSError), fill.open("wb", buffering=0) as file:
            while file.write(b"x" * 4096):
                pass
        told = rf"nothing was stored in .* \({small_disk}/lake.*: [\d,]+ bytes are free there\)"
        with pytest.raises(WriteFailedError, match=told):
            append(writer, {"liquidations": liquidations(1, first=5)})
        fill.unlink()
        append(writer, {"liquidations": liquidations(1, first=9)})
        assert writer.connection.execute("SELECT count(*) FROM liquidations").fetchone() == (2,)


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files as Linux does")
def test_an_intermediate_result_that_fits_neither_memory_nor_disk_is_told_with_where(world: Path) -> None:
    with lake.open(world, unlocked=True) as reader:
        reader.connection.execute("SET memory_limit = '60MB'; SET max_temp_directory_size = '1MB'")
        sql = (
            "SELECT count(DISTINCT a), count(DISTINCT b) FROM (SELECT random() AS a, uuid() AS b FROM range(4_000_000))"
        )
        with pytest.raises(duckdb.Error) as raised:
            reader.connection.execute(sql).fetchall()
        assert f"({reader.place.folder}: " in one_line(raised.value, reader.place.folder)
