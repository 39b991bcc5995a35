"""Child processes that are kept running: started with their log in a file, restarted when they die, stopped in order."""

import asyncio
import ctypes
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path

from pipelines.errors import PipelineError

RESTART_AFTER_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
STEADY_S = 60.0
STOP_WITHIN_S = 30.0
LOG_BYTES = 16 * 1024 * 1024  # then it begins anew; the one before stays beside it
LOG_LOOK_S = 60.0


def liq(*arguments: str) -> list[str]:
    """Return the command line that runs `liq` with this interpreter, wherever it is installed."""
    return [sys.executable, "-m", "liq", *arguments]


class StartError(PipelineError):
    """A part did not start; carries its last log lines."""


class Child:
    """One part of the pipeline as a child process. `tell` gets one line whenever it had to be started again."""

    def __init__(
        self, name: str, command: Sequence[str], env: Mapping[str, str], logs: Path, tell: Callable[[str], None]
    ) -> None:
        self.name = name
        self.log = logs / f"{name}.log"
        self.restarts = 0
        self._command = list(command)
        self._env = {**os.environ, **env}
        self._tell = tell
        self._process: asyncio.subprocess.Process | None = None
        self._watches: list[asyncio.Task[None]] = []
        self._stopping = False

    @property
    def pid(self) -> int | None:
        """The running process, None when there is none."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def start(self) -> None:
        """Start the process and keep it running until `stop`."""
        await self._spawn()
        self._watches = [asyncio.create_task(self._keep()), asyncio.create_task(self._turn_log())]

    async def stop(self) -> int | None:
        """Send SIGTERM, wait, and return the exit code; SIGKILL after `STOP_WITHIN_S`."""
        self._stopping = True
        for watch in self._watches:
            watch.cancel()
        if self._process is None:
            return None
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self._process.wait(), STOP_WITHIN_S)
            except TimeoutError:
                self._tell(f"{self.name} did not stop within {STOP_WITHIN_S:.0f} s and was killed")
                self._process.kill()
                await self._process.wait()
        return self._process.returncode

    def kill(self) -> None:
        """Kill the process at once (SIGKILL), as a crash would; it is started again."""
        if self._process and self._process.returncode is None:
            self._process.kill()

    def last_lines(self, count: int = 15) -> str:
        """Return the end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:]) if self.log.exists() else ""

    async def _spawn(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, env=self._env,
                start_new_session=True, preexec_fn=_die_with_parent,
            )  # fmt: skip

    async def _keep(self) -> None:
        failures = 0
        while not self._stopping and self._process:
            began = time.monotonic()
            code = await self._process.wait()
            if self._stopping:
                return
            failures = 0 if time.monotonic() - began > STEADY_S else failures + 1
            delay = RESTART_AFTER_S[min(failures, len(RESTART_AFTER_S)) - 1]
            self._tell(f"{self.name} ended ({ending(code)}) and is started again in {delay:g} s; log: {self.log}")
            await asyncio.sleep(delay)
            self.restarts += 1
            await self._spawn()

    async def _turn_log(self) -> None:
        """Keep the log small. It is emptied in place, as the child holds it open: what it says in that instant is lost."""
        while True:
            await asyncio.sleep(LOG_LOOK_S)
            with suppress(FileNotFoundError):  # somebody has taken it away
                await self._turn_if_large()

    async def _turn_if_large(self) -> None:
        if self.log.stat().st_size > LOG_BYTES:
            with suppress(OSError):  # a full disk; then without the copy
                await asyncio.to_thread(shutil.copyfile, self.log, f"{self.log}.1")
            os.truncate(self.log, 0)


def _die_with_parent() -> None:
    """Have Linux send SIGTERM to this child when the supervisor is gone, however it went."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def ending(code: int) -> str:
    """Say an exit code in words: `exit code 1`, `signal 9`."""
    return f"signal {-code}" if code < 0 else f"exit code {code}"


async def run(command: Sequence[str], env: Mapping[str, str], log: Path | None = None) -> None:
    """Run a command to its end, with our own output or into a log file. Raises StartError when it fails."""
    with log.open("ab") if log else nullcontext() as into:
        process = await asyncio.create_subprocess_exec(*command, env={**os.environ, **env}, stdout=into, stderr=into)
        code = await process.wait()
    if code:
        raise StartError(f"`liq {' '.join(command[3:])}` ended with {ending(code)}" + (f"; log: {log}" if log else ""))
