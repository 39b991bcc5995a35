"""Ingest in a process of its own: it ends with whoever started it, says why it failed, and has nothing of Prefect."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collectors.topics import TICKER
from pipelines.errors import EndedError
from pipelines.ingest.alone import LOCK, alone, is_held
from pipelines.ingest.apart import _shown, apart
from tests.pipelines.test_ingest import liquidations, publish
from tests.pipelines.venue_frames import START_MS, Session, bybit_ticker
from warehouse import lake

STARTER = "import asyncio; from pipelines.ingest.apart import apart; asyncio.run(apart(True, print))"


async def becomes(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(120):
        while not condition():
            await asyncio.sleep(0.02)


async def started() -> asyncio.subprocess.Process:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return await asyncio.create_subprocess_exec(sys.executable, "-c", STARTER, **pipes)


def children(pid: int) -> list[int]:
    return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


@pytest.fixture
def world(tmp_path: Path, fresh_kafka: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIQ_DATA", str(tmp_path))
    monkeypatch.setenv("LIQ_KAFKA_BOOTSTRAP", fresh_kafka["bootstrap_servers"])
    return tmp_path


async def test_it_returns_what_was_committed_and_tells_the_last_line(world: Path) -> None:
    told: list[str] = []
    rows = await apart(False, told.append)
    assert rows["records"] == 0
    assert [line.split(",")[0] for line in told] == ["committed 0 records in 0 commits"]


async def test_it_commits_without_the_libraries_that_it_does_not_use(world: Path, kafka: dict[str, Any]) -> None:
    told = [bybit_ticker(START_MS, "snapshot", 1, markPrice="1"), bybit_ticker(START_MS + 1, "delta", 2, markPrice="2")]
    bybit = Session("bybit", "linear-1-bbbb")
    states = [bybit.frame("tickers", "BTCUSDT", each, START_MS, TICKER) for each in told]
    for again in (False, True):  # the second time a stored row is superseded
        await publish(kafka, [*liquidations(50), states[again]])
        rows = await apart(False, print)
        assert (rows["mark_prices"], rows["liquidations"]) == (1, 0 if again else 50)
    with lake.open(world) as warehouse:
        counted = "SELECT (SELECT count(*) FROM liquidations), (SELECT max(mark_price) FROM mark_prices)"
        assert warehouse.connection.execute(counted).fetchall() == [(50, 2.0)]


async def test_told_to_end_it_ends_in_good_order(world: Path) -> None:
    starter = await started()
    await becomes(lambda: is_held(world, LOCK))
    starter.send_signal(signal.SIGTERM)
    said, _ = await asyncio.wait_for(starter.communicate(), 120)
    assert starter.returncode == 0
    assert said.startswith(b"committed 0 records")
    assert not is_held(world, LOCK)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent is gone")
async def test_killed_with_its_starter_it_leaves_the_world_to_the_next(world: Path) -> None:
    starter = await started()
    await becomes(lambda: is_held(world, LOCK))
    (inner,) = children(starter.pid)
    starter.kill()
    await starter.wait()
    await becomes(lambda: not is_held(world, LOCK))
    await becomes(lambda: not Path(f"/proc/{inner}").exists())


async def test_its_error_is_that_of_the_flow(world: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with alone(world), pytest.raises(EndedError, match=r"liq ingest: an ingest runs in .* already") as found:
        await apart(False, print)
    assert found.value.code == 1
    assert str(found.value) in capfd.readouterr().err


async def test_killed_alone_it_fails_the_flow(world: Path) -> None:
    running = asyncio.create_task(apart(True, print))
    await becomes(lambda: is_held(world, LOCK))
    os.kill(max(children(os.getpid())), signal.SIGKILL)
    with pytest.raises(EndedError) as found:
        await running
    assert found.value.code == -signal.SIGKILL


def test_it_imports_nothing_of_prefect_or_of_terminals() -> None:
    code = "import sys; import pipelines.ingest.__main__; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"prefect", "typer", "rich", "httpx", "matplotlib", "websockets"}.isdisjoint(done.stdout.split())


async def test_a_process_whose_starter_was_gone_before_does_nothing(world: Path) -> None:
    inner = await asyncio.create_subprocess_exec(sys.executable, "-m", "pipelines.ingest", "--of", "1")
    assert await inner.wait() == 1
    assert not (world / LOCK).exists()


async def test_the_last_line_is_told_alone_however_the_lines_come() -> None:
    lines = asyncio.StreamReader()
    showing = asyncio.create_task(_shown(lines))
    for part in (b"a line a minute\n", b"liq ingest: an ingest runs", b" already\n"):
        lines.feed_data(part)
        await asyncio.sleep(0)
    lines.feed_eof()
    assert await showing == "liq ingest: an ingest runs already"


def test_an_ingest_beside_another_says_so_at_once_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIQ_DATA", str(tmp_path))
    with alone(tmp_path):
        for more in ([], ["--follow"]):
            ended = subprocess.run(
                [sys.executable, "-m", "liq", "ingest", *more], capture_output=True, text=True, timeout=60, check=False
            )
            assert ended.returncode == 1
            assert ended.stderr.strip().splitlines()[-1].startswith(f"liq ingest: an ingest runs in {tmp_path} already")
            assert "Traceback" not in ended.stderr
            assert "Prefect" not in ended.stderr


def test_a_kafka_that_is_away_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIQ_DATA", str(tmp_path))
    monkeypatch.setenv("LIQ_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    ended = subprocess.run(
        [sys.executable, "-m", "liq", "ingest"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, "Traceback" in ended.stderr) == (1, False), ended.stderr
    assert "Kafka at 127.0.0.1:1" in ended.stderr.strip().splitlines()[-1]


def test_a_wrong_setting_ends_liq_up_before_anything_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIQ_DATA", str(tmp_path))
    monkeypatch.setenv("LIQ_GRID_S", "abc")
    ended = subprocess.run([sys.executable, "-m", "liq", "up"], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, "LIQ_GRID_S" in ended.stderr) == (2, True), ended.stderr
    assert list(tmp_path.iterdir()) == []
