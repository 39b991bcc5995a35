"""Commands of `liq` as processes that run to their end."""

import asyncio
import os
import shlex
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import IO

from pipelines.errors import PipelineError
from pipelines.processes import die_with_parent
from pipelines.up.pauses import RESTART_AFTER_S

Run = Callable[[], Awaitable[None]]
"""What makes a command that is ready begin, and waits for its end."""
Tell = Callable[[str], None]
"""Where lines for a person go."""


class StartError(PipelineError):
    """A part did not start; carries its last log lines."""


def liq(*arguments: str) -> list[str]:
    """Return the command line that runs `liq` with this interpreter, wherever it is installed."""
    return [sys.executable, "-m", "liq", *arguments]


def own_name() -> str:
    """Return how `liq` is typed in this folder: by its name where the shell finds it, else by its path."""
    ours = Path(sys.executable).with_name("liq")
    found = shutil.which("liq")
    if found and ours.exists() and Path(found).samefile(ours):
        return "liq"
    if ours.exists():
        return shlex.quote(str(ours.relative_to(Path.cwd()) if ours.is_relative_to(Path.cwd()) else ours))
    return f"{shlex.quote(sys.executable)} -m liq"


def ending(code: int) -> str:
    """Say an exit code in words: `exit code 1`, `signal 9`."""
    return f"signal {-code}" if code < 0 else f"exit code {code}"


async def run(command: Sequence[str], env: Mapping[str, str], log: Path | None = None) -> None:
    """Run a command to its end, with our own output or into a log file. Raises StartError when it fails.

    Where whoever waits is cancelled, the command is killed. Ctrl-C does not reach it: whoever waits decides what that means.
    """
    if log:
        log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") if log else nullcontext() as into:
        process = await _started(command, env, into, asyncio.subprocess.DEVNULL)
        try:
            code = await process.wait()
        finally:
            await _gone(process)
    if code:
        raise StartError(f"`{_typed(command)}` ended with {ending(code)}" + (_end_of(log) if log else ""))


@asynccontextmanager
async def ready(command: Sequence[str], env: Mapping[str, str], log: Path) -> AsyncIterator[Run]:
    """Start a command that gets ready and begins when its standard input ends; give what makes it begin and waits for its end.

    That raises StartError where it fails. The command is killed where the block is left before.
    """
    with log.open("ab") as into:
        process = await _started(command, env, into, asyncio.subprocess.PIPE)

    async def begin() -> None:
        if process.stdin:
            process.stdin.close()
        if code := await process.wait():
            raise StartError(f"`{_typed(command)}` ended with {ending(code)}{_end_of(log)}")

    try:
        yield begin
    finally:
        await _gone(process)


def _typed(command: Sequence[str]) -> str:
    """Return a command of this interpreter as a person types it."""
    _, module, *rest = command[1:]
    return shlex.join([*(["liq"] if module == "liq" else ["python", "-m", module]), *rest])


def _end_of(log: Path) -> str:
    lines = log.read_text(errors="replace").split("\n")
    return f"; its log, {log}, ends with: {next((line for line in reversed(lines) if line.strip()), 'nothing')}"


async def _started(
    command: Sequence[str], env: Mapping[str, str], into: IO[bytes] | None, stdin: int
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **env}, stdin=stdin, stdout=into, stderr=into, start_new_session=True,
        preexec_fn=partial(die_with_parent, signal.SIGTERM),
    )  # fmt: skip


async def _gone(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.wait()


async def often(times: int, command: Sequence[str], env: Mapping[str, str], log: Path | None = None) -> None:
    """Run a command that may be repeated, again where it fails. Raises StartError when it failed so many times."""
    for turn in range(times - 1):
        try:
            await run(command, env, log)
        except StartError:
            await asyncio.sleep(RESTART_AFTER_S[min(turn, len(RESTART_AFTER_S) - 1)])
        else:
            return
    await run(command, env, log)
