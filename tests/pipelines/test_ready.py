"""A command that gets ready, and begins when it is told to."""

import asyncio
import sys
from pathlib import Path

import pytest

from pipelines.up.commands import StartError, ready

WAITS = "import sys, pathlib; pathlib.Path(sys.argv[1], 'ready').touch(); sys.stdin.read(); {then}"
BEGINS = "pathlib.Path(sys.argv[1], 'began').touch()"


def command(folder: Path, then: str) -> list[str]:
    return [sys.executable, "-c", WAITS.format(then=then), str(folder)]


async def until_ready(folder: Path) -> None:
    while not (folder / "ready").exists():
        await asyncio.sleep(0.01)


async def test_it_begins_when_it_is_told_to_and_not_before(tmp_path: Path) -> None:
    async with ready(command(tmp_path, BEGINS), {}, tmp_path / "log") as begin:
        await until_ready(tmp_path)
        assert not (tmp_path / "began").exists()
        await begin()
    assert (tmp_path / "began").exists()


async def test_one_that_fails_says_so_with_the_end_of_its_log(tmp_path: Path) -> None:
    async with ready(command(tmp_path, "sys.exit('no lake here')"), {}, tmp_path / "log") as begin:
        with pytest.raises(StartError, match=r"exit code 1.*no lake here"):
            await begin()


async def test_one_that_is_not_told_to_begin_never_does(tmp_path: Path) -> None:
    async with ready(command(tmp_path, BEGINS), {}, tmp_path / "log"):
        await until_ready(tmp_path)
    assert not (tmp_path / "began").exists()
