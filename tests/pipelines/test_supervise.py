"""Child processes: kept running, stopped in order, told of when they die."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from pipelines.up import supervise
from pipelines.up.commands import StartError, run
from pipelines.up.pauses import STEADY_S, Pauses
from pipelines.up.supervise import Child

STEADY = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print("up", flush=True)
time.sleep(99)
"""


async def _until(condition) -> None:  # type: ignore[no-untyped-def]
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_child_that_is_killed_is_started_again_and_told_of(tmp_path: Path) -> None:
    told: list[str] = []
    child = Child("steady", [sys.executable, "-c", STEADY], {}, tmp_path, told.append)
    await child.start()
    await _until(lambda: "up" in child.last_lines())
    first = child.pid
    child.kill()
    await _until(lambda: child.restarts == 1 and child.last_lines().count("up") == 2)
    assert child.pid not in (None, first)
    assert told == [f"steady ended (signal 9) and is started again in 0.5 s; log: {child.log}"]
    assert await child.stop() == 0
    assert child.pid is None


def test_a_part_that_lived_long_is_started_again_at_once_and_a_crash_loop_ever_later() -> None:
    pauses = Pauses()
    assert [pauses.after(STEADY_S + 1) for _ in range(3)] == [0.5, 0.5, 0.5]
    assert [pauses.after(1) for _ in range(8)] == [0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 30.0, 30.0]
    assert pauses.after(STEADY_S + 1) == 0.5
    assert pauses.after(1) == 0.5


async def test_a_child_whose_program_is_gone_for_a_while_is_told_of_and_started_when_it_is_back(tmp_path: Path) -> None:
    told: list[str] = []
    program = tmp_path / "program"
    program.symlink_to(sys.executable)
    child = Child("steady", [str(program), "-c", STEADY], {}, tmp_path, told.append)
    await child.start()
    await _until(lambda: "up" in child.last_lines())
    program.unlink()
    child.kill()
    await _until(lambda: any(line.startswith("steady cannot be started, tried again in ") for line in told))
    program.symlink_to(sys.executable)
    await _until(lambda: child.restarts == 1 and child.last_lines().count("up") == 2)
    await child.stop()


async def test_a_watch_outlives_whoever_read_its_lines(tmp_path: Path) -> None:
    def gone(line: str) -> None:
        raise BrokenPipeError(line)

    child = Child("steady", [sys.executable, "-c", STEADY], {}, tmp_path, gone)
    await child.start()
    await _until(lambda: "up" in child.last_lines())
    child.kill()
    await _until(lambda: child.restarts == 1 and child.pid is not None)
    await child.stop()


async def test_a_log_that_cannot_be_emptied_is_told_of_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    fails = iter([OSError(28, "No space left on device")])
    truncate = os.truncate

    def truncated(path: Path, length: int) -> None:
        for error in fails:
            raise error
        truncate(path, length)

    monkeypatch.setattr(supervise, "LOG_BYTES", 0)
    monkeypatch.setattr(supervise, "LOG_LOOK_S", 0.01)
    monkeypatch.setattr(os, "truncate", truncated)
    child = Child("steady", [sys.executable, "-c", STEADY], {}, tmp_path, told.append)
    await child.start()
    await _until(lambda: (tmp_path / "steady.log.1").exists() and told and not child.log.stat().st_size)
    await child.stop()
    assert told == ["the watch of steady failed and goes on in 0.5 s: OSError: [Errno 28] No space left on device"]


async def test_a_part_whose_log_cannot_be_written_runs_without(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file where the folder should be")
    child = Child("steady", [sys.executable, "-c", STEADY], {}, tmp_path / "logs", print)
    await child.start()
    assert child.pid is not None
    await child.stop()


async def test_what_a_part_started_ends_with_it(tmp_path: Path) -> None:
    starts = (
        "import subprocess, sys, time\n"
        f"print('up', subprocess.Popen([sys.executable, '-c', {STEADY!r}], stdout=subprocess.DEVNULL).pid, flush=True)\n"
        "time.sleep(99)"
    )
    child = Child("parent", [sys.executable, "-c", starts], {}, tmp_path, print)
    await child.start()
    await _until(lambda: "up" in child.last_lines())
    pid = int(child.last_lines().split()[1])
    child.kill()
    await _until(lambda: not _alive(pid))
    await child.stop()


async def test_a_stopped_child_is_not_started_again(tmp_path: Path) -> None:
    child = Child("steady", [sys.executable, "-c", STEADY], {}, tmp_path, print)
    await child.start()
    await _until(lambda: "up" in child.last_lines())
    await child.stop()
    assert child.restarts == 0


async def test_a_child_that_is_stopped_while_it_still_starts_has_not_failed(tmp_path: Path) -> None:
    child = Child("starting", [sys.executable, "-c", "import time; time.sleep(99)"], {}, tmp_path, print)
    await child.start()
    assert await child.stop() == 0


async def test_a_log_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "LOG_BYTES", 10_000)
    monkeypatch.setattr(supervise, "LOG_LOOK_S", 0.01)
    talks = "import time\nnumber = 0\nwhile True: number += 1; print(number, flush=True); time.sleep(0.0001)"
    child = Child("talks", [sys.executable, "-c", talks], {}, tmp_path, print)
    await child.start()
    before = tmp_path / "talks.log.1"
    await _until(lambda: before.exists() and 0 < child.log.stat().st_size < 10_000)
    await child.stop()
    assert before.stat().st_size > 10_000
    assert int(before.read_text().split()[-1]) < int(child.log.read_text().split()[-1])


async def test_a_command_that_fails_says_how_it_ended(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="exit code 3"):
        await run([sys.executable, "-c", "import sys; sys.exit(3)"], {}, tmp_path / "log")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
async def test_children_end_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    code = (
        "import asyncio, sys; from pathlib import Path; from pipelines.up.supervise import Child\n"
        f"async def main():\n    child = Child('c', [sys.executable, '-c', {STEADY!r}], {{}}, Path({str(tmp_path)!r}), print)\n"
        "    await child.start(); print(child.pid, flush=True); await asyncio.sleep(99)\nasyncio.run(main())"
    )
    supervisor = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    assert supervisor.stdout
    pid = int(await supervisor.stdout.readline())
    await _until(lambda: (tmp_path / "c.log").exists() and "up" in (tmp_path / "c.log").read_text())
    supervisor.send_signal(signal.SIGKILL)
    await supervisor.wait()
    await _until(lambda: not _alive(pid))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        state = Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
