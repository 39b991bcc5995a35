"""Ingest in a process of its own, for a flow run: Prefect's memory is not ingest's then, nor its failures."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import msgspec

from pipelines.errors import EndedError

COMMAND = (sys.executable, "-m", "pipelines.ingest")
LINE_BYTES = 1024 * 1024


class Done(msgspec.Struct):
    """What the process says at its end."""

    told: str
    rows: dict[str, int]


async def apart(
    follow: bool, tell: Callable[[str], object], verbose: bool = False, new_grid: bool = False
) -> dict[str, int]:
    """Commit what Kafka holds and stop, or with `follow` keep going until SIGTERM; return what was committed, by table.

    `tell` gets the last line. Raises EndedError where the process ended before it was done; it ends with this one.
    """
    chosen = {"--follow": follow, "--verbose": verbose, "--new-grid": new_grid}
    options = [name for name, given in chosen.items() if given]
    process = await asyncio.create_subprocess_exec(
        *COMMAND, *options, "--of", str(os.getpid()), stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE, limit=LINE_BYTES,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        with _passing_on_signals(process):
            said, last = await asyncio.gather(process.stdout.read(), _shown(process.stderr))
            code = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if code:
        raise EndedError(last or f"ingest ended with {code}", code)
    done = msgspec.json.decode(said.splitlines()[-1], type=Done)
    tell(done.told)
    return done.rows


async def _shown(lines: asyncio.StreamReader) -> str:
    """Pass on what the process says as it comes; return its last line."""
    tail = ""
    while part := await lines.read(LINE_BYTES):
        text = part.decode(errors="replace")
        with suppress(OSError, ValueError):  # nobody reads it any more
            sys.stderr.write(text)
            sys.stderr.flush()
        tail = (tail + text)[-LINE_BYTES:]
    return tail.rstrip("\n").rsplit("\n", 1)[-1]


@contextmanager
def _passing_on_signals(process: asyncio.subprocess.Process) -> Iterator[None]:
    """End the process in good order where this one is told to end."""

    def pass_on() -> None:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)

    loop, heard = asyncio.get_running_loop(), []
    for sign in (signal.SIGTERM, signal.SIGINT):
        with suppress(ValueError, NotImplementedError, RuntimeError):  # not in the main thread
            loop.add_signal_handler(sign, pass_on)
            heard.append(sign)
    try:
        yield
    finally:
        for sign in heard:
            loop.remove_signal_handler(sign)
