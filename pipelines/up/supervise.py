"""Child processes that are kept running: started with their log in a file, restarted when they die, stopped in order."""

import asyncio
import os
import shutil
import signal
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO

from collectors.errors import described
from pipelines.processes import die_with_parent
from pipelines.up.commands import Tell, ending
from pipelines.up.pauses import Pauses

STOP_WITHIN_S = 30.0
LOG_BYTES = 16 * 1024 * 1024  # then it begins anew; the one before stays beside it
LOG_LOOK_S = 60.0


class Child:
    """One part of the pipeline as a child process. `tell` gets one line whenever it had to be started again.

    `changed` is called whenever it has died or is another process; it must not raise.
    """

    def __init__(
        self, name: str, command: Sequence[str], env: Mapping[str, str], logs: Path, tell: Tell,
        changed: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        self.name = name
        self.log = logs / f"{name}.log"
        self.restarts = 0
        self._command = list(command)
        self._env = {**os.environ, **env}
        self._tell = quiet(tell)
        self._changed = changed
        self.since_s = 0.0
        self._pauses = Pauses()
        self._process: asyncio.subprocess.Process | None = None
        self._watches: list[asyncio.Task[None]] = []
        self._starting = asyncio.Lock()
        self._stopping = False

    @property
    def pid(self) -> int | None:
        """The running process, None when there is none."""
        return self._process.pid if self._process and self._process.returncode is None else None

    @property
    def short_lives(self) -> int:
        """How often in a row it ended soon after its start."""
        return self._pauses.short_lives

    async def start(self) -> None:
        """Start the process and keep it running until `stop`. Raises OSError where it cannot be started at all."""
        await self._spawn()
        self._changed()
        self._watches = [
            asyncio.create_task(lasting(work, f"the watch of {self.name}", self._tell))
            for work in (self._keep, self._turn_log)
        ]

    async def stop(self) -> int | None:
        """Send SIGTERM, wait, and return the exit code; SIGKILL after `STOP_WITHIN_S`.

        Where SIGTERM itself ended it, it was still starting and had nothing to hand over: that is 0, too.
        """
        self._stopping = True
        async with self._starting:  # a process that is being started now is stopped, too
            for watch in self._watches:
                watch.cancel()
        if self._process is None:
            return None
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self._process.wait(), STOP_WITHIN_S)
            except TimeoutError:
                self._tell(f"{self.name} did not stop within {STOP_WITHIN_S:.0f} s and was killed")
                self.kill()
                await self._process.wait()
        _end_group(self._process.pid)
        return 0 if self._process.returncode == -signal.SIGTERM else self._process.returncode

    def kill(self) -> None:
        """Kill the process at once (SIGKILL), as a crash would; it is started again."""
        if self._process and self._process.returncode is None:
            self._process.kill()

    def last_lines(self, count: int = 15) -> str:
        """Return the end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:]) if self.log.exists() else ""

    async def _spawn(self) -> None:
        async with self._starting:
            if self._stopping:
                return
            with _appended(self.log) as log:
                self._process = await asyncio.create_subprocess_exec(
                    *self._command, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, env=self._env,
                    start_new_session=True, preexec_fn=partial(die_with_parent, signal.SIGTERM),
                )  # fmt: skip
            self.since_s = time.time()

    async def _keep(self) -> None:
        while not self._stopping and self._process:
            began = time.monotonic()
            code = await self._process.wait()
            if self._stopping:
                return
            _end_group(self._process.pid)
            pause = self._pauses.after(time.monotonic() - began)
            self._changed()
            self._tell(f"{self.name} ended ({ending(code)}) and is started again in {pause:g} s; log: {self.log}")
            await asyncio.sleep(pause)
            await self._spawn_again()
            self.restarts += 1
            self._changed()

    async def _spawn_again(self) -> None:
        """Start the process, as often as it takes: a fork may fail, the program may be exchanged just now."""
        is_started = False
        while not (is_started or self._stopping):
            try:
                await self._spawn()
                is_started = True
            except Exception as error:  # noqa: BLE001 - whatever it is, the next try may do
                pause = self._pauses.after(0)
                self._tell(f"{self.name} cannot be started, tried again in {pause:g} s: {described(error)}")
                await asyncio.sleep(pause)

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


async def lasting(work: Callable[[], Awaitable[None]], what: str, tell: Tell) -> None:
    """Do `work` until it returns; where it raises, tell and do it again after a pause. `what` it is, for the line."""
    pauses = Pauses()
    while True:
        began = time.monotonic()
        try:
            return await work()
        except Exception as error:  # noqa: BLE001 - a watch that ends leaves its part alone for good
            pause = pauses.after(time.monotonic() - began)
            tell(f"{what} failed and goes on in {pause:g} s: {described(error)}")
            await asyncio.sleep(pause)


def quiet(tell: Tell) -> Tell:
    """Return `tell` without its errors: whoever reads the lines may have gone, the disk they go to may be full."""

    def told(line: str) -> None:
        with suppress(OSError, ValueError):
            tell(line)

    return told


@contextmanager
def _appended(log: Path) -> Iterator[IO[bytes] | int]:
    """Open a log for the block; a part whose log cannot be written runs without."""
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        file = log.open("ab")
    except OSError:
        yield asyncio.subprocess.DEVNULL
        return
    with file:
        yield file


def _end_group(pid: int) -> None:
    """Kill what a part has started and left behind, such as the runs of `liq flows serve`."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
