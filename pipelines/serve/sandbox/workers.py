"""The processes that run SQL of others, as the service sees them: one statement each at a time, killed at its deadline."""

import asyncio
import logging
import signal
import sys
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from pipelines.processes import die_with_parent
from pipelines.serve.figures import KILLED
from pipelines.serve.problems import ProblemError
from pipelines.serve.sandbox import READY

START_S = 60.0
WAITING = 20
"""More than so many statements that wait for a process are sent away."""

log = logging.getLogger(__name__)


class Result(NamedTuple):
    """What a statement gave: its rows as bytes of the format asked for; `more`: there are further ones."""

    body: bytes
    rows: int
    more: bool


class Workers:
    """Keeps `number` processes ready. `megabytes`: the memory of each; `most_s`: the time of a statement."""

    def __init__(self, world: Path, number: int, megabytes: int, most_s: float) -> None:
        self._command = [sys.executable, "-m", "pipelines.serve.sandbox.worker", str(world), str(megabytes)]
        self._most_s = most_s
        self._free = asyncio.Queue[asyncio.subprocess.Process | None]()
        for _ in range(number):
            self._free.put_nowait(None)
        self._all = set[asyncio.subprocess.Process]()
        self._waiting = 0

    async def run(self, asked: dict[str, Any]) -> Result:
        """Run one statement. `asked`: sql, as_of, format, rows and size, the most of each. Raises ProblemError."""
        if self._waiting >= WAITING:
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "too many statements wait already", {"Retry-After": "5"})
        self._waiting += 1
        try:
            worker = await self._free.get()
        finally:
            self._waiting -= 1
        try:
            if worker is None or worker.returncode is not None:
                worker = None
                worker = await self._start()
            return await self._ask(worker, asked)
        finally:
            if worker and (worker.returncode is not None or worker not in self._all):
                worker = None
            self._free.put_nowait(worker)

    async def _start(self) -> asyncio.subprocess.Process:
        worker = await asyncio.create_subprocess_exec(
            *self._command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            limit=1024 * 1024, start_new_session=True, preexec_fn=partial(die_with_parent, signal.SIGKILL),
        )  # fmt: skip
        self._all.add(worker)
        with suppress(TimeoutError):
            async with asyncio.timeout(START_S):
                if worker.stdout and await worker.stdout.readline() == READY:
                    return worker
        await self._kill(worker)
        raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "there is no warehouse to ask now", {"Retry-After": "10"})

    async def _ask(self, worker: asyncio.subprocess.Process, asked: dict[str, Any]) -> Result:
        is_answered = False
        try:
            async with asyncio.timeout(self._most_s):
                head, body = await _asked(worker, asked)
                is_answered = True
        except TimeoutError:
            raise ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE, f"the statement took longer than {self._most_s:g} s and was stopped"
            ) from None
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            raise ProblemError(
                HTTPStatus.BAD_REQUEST, "the statement took more memory than is allowed and was stopped"
            ) from None
        finally:
            if not is_answered:  # also where whoever asked has gone
                KILLED.inc()
                await asyncio.shield(self._kill(worker))
        if "error" in head:
            raise ProblemError(HTTPStatus.BAD_REQUEST, head["error"])
        return Result(body, head["rows"], head["more"])

    async def _kill(self, worker: asyncio.subprocess.Process) -> None:
        self._all.discard(worker)
        with suppress(ProcessLookupError):
            worker.kill()
        await worker.wait()

    async def close(self) -> None:
        """End the processes."""
        for worker in list(self._all):
            await self._kill(worker)


async def _asked(worker: asyncio.subprocess.Process, asked: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    if not (worker.stdin and worker.stdout):
        raise ConnectionError
    worker.stdin.write(orjson.dumps(asked) + b"\n")
    await worker.stdin.drain()
    line = await worker.stdout.readline()
    head: dict[str, Any] = orjson.loads(line)
    return head, await worker.stdout.readexactly(head["bytes"])
