"""One process of the pipeline, started again half a second after it dies: `liq up`'s own supervisor waits longer each time."""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

AGAIN_S = 0.5
STOP_S = 60.0


class Part:
    """`restarts`: how often it was started again."""

    def __init__(self, name: str, command: Sequence[str], env: Mapping[str, str], logs: Path) -> None:
        self.restarts = 0
        self._log = logs / f"{name}.log"
        self._command = list(command)
        self._env = {**os.environ, **env}
        self._process: asyncio.subprocess.Process | None = None
        self._keeping: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process, None while there is none."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def start(self) -> None:
        """Start it and keep it running until `stop`."""
        await self._spawn()
        self._keeping = asyncio.create_task(self._keep())

    async def stop(self) -> int | None:
        """Send SIGTERM and return the exit code; SIGKILL where that does not end it in a minute."""
        if self._keeping:
            self._keeping.cancel()
        if self._process is None:
            return None
        if self._process.returncode is None:
            self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), STOP_S)
            except TimeoutError:
                self._process.kill()
        return await self._process.wait()

    async def _spawn(self) -> None:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdout=log, stderr=log, env=self._env, start_new_session=True, preexec_fn=_end_with_us
            )

    async def _keep(self) -> None:
        while self._process:
            await self._process.wait()
            await asyncio.sleep(AGAIN_S)
            self.restarts += 1
            await self._spawn()


def _end_with_us() -> None:
    """Have Linux kill it when the harness is gone, however it went."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
