"""What `liq up` writes down of its parts, and that there is one of it in a world."""

import asyncio
import os
import sys
from pathlib import Path

import pytest
from rich.console import Console

from pipelines.errors import AlreadyRunningError
from pipelines.ingest.alone import alone, is_held
from pipelines.up import board
from pipelines.up.commands import StartError
from pipelines.up.demo import fresh
from pipelines.up.parts import Parts
from pipelines.up.up import start_alerts, unless_stopped

SLEEPS = [sys.executable, "-c", "import time; time.sleep(99)"]


async def test_the_parts_that_run_are_written_down_with_where_their_figures_are(tmp_path: Path) -> None:
    parts = Parts(tmp_path, print)
    child = await parts.add("ingest", SLEEPS, metrics="LIQ_INGEST_METRICS_PORT")
    found = board.read(tmp_path)
    assert found is not None
    assert found.pid == os.getpid()
    part = found.part("ingest")
    assert part is not None
    assert (part.pid, part.restarts) == (child.pid, 0)
    assert part.at.startswith("http://127.0.0.1:")
    await parts.stop()
    stopped = board.read(tmp_path)
    assert stopped is not None
    assert [part.name for part in stopped.parts] == ["up"]
    board.remove(tmp_path)
    assert board.read(tmp_path) is None


async def test_kafka_is_stopped_after_whatever_writes_to_it(tmp_path: Path) -> None:
    stopped: list[str] = []

    class Part:
        restarts, short_lives, since_s, pid = 0, 0, 0.0, 1

        def __init__(self, name: str) -> None:
            self.name = name

        async def stop(self) -> int:
            stopped.append(self.name)
            return 0

    parts = Parts(tmp_path, print)
    parts.kept = [Part(name) for name in ("collect", "kafka", "prefect", "ingest")]
    await parts.stop()
    assert stopped == ["ingest", "prefect", "collect", "kafka"]


def test_a_second_up_in_a_world_is_refused_and_a_demo_does_not_empty_the_folder_of_a_running_one(
    tmp_path: Path,
) -> None:
    with alone(tmp_path, board.LOCK, "`liq up`"):
        assert is_held(tmp_path, board.LOCK)
        with pytest.raises(AlreadyRunningError, match="`liq up` runs in"), alone(tmp_path, board.LOCK, "`liq up`"):
            pass
        with pytest.raises(AlreadyRunningError):
            fresh(tmp_path)
    assert not is_held(tmp_path, board.LOCK)


async def test_ctrl_c_ends_a_start_that_takes_for_ever_and_what_it_started() -> None:
    stop, ended = asyncio.Event(), []

    async def for_ever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cleaned up")

    waiting = asyncio.create_task(unless_stopped(stop, for_ever()))
    await asyncio.sleep(0.01)
    stop.set()
    assert not await asyncio.wait_for(waiting, 60)
    assert ended == ["cleaned up"]


async def test_a_start_that_fails_says_so_and_one_that_ends_goes_on() -> None:
    async def fails() -> None:
        raise StartError("no")

    with pytest.raises(StartError):
        await unless_stopped(asyncio.Event(), fails())
    assert await unless_stopped(asyncio.Event(), asyncio.sleep(0))


async def test_alerts_are_a_part_where_there_are_rules(tmp_path: Path) -> None:
    parts = Parts(tmp_path, print)
    await start_alerts(parts, Console(quiet=True))
    assert parts.parts() == []
    (tmp_path / "alerts.toml").write_text('[[rule]]\nname = "disk"\nkind = "disk"\n')
    await start_alerts(parts, Console(quiet=True))
    log = tmp_path / "logs" / "alerts.log"
    async with asyncio.timeout(60):
        while not (log.exists() and "Watching by 1 rules" in log.read_text()):
            await asyncio.sleep(0.1)
    assert await parts.stop("alerts") == {"alerts": 0}
