"""The flow `ingest`: Kafka to the warehouse, exactly once.

The work is done by a process of its own (`pipelines.ingest.process`), which needs neither Prefect nor the other commands in
memory; it ends with this one.
"""

import asyncio
import signal
import sys
from contextlib import suppress

import msgspec
from prefect import flow, get_run_logger

from pipelines.errors import PipelineError
from pipelines.ingest.process import Outcome
from pipelines.ingest.run import Totals

PROGRAM = (sys.executable, "-m", "pipelines.ingest.process")


@flow(name="ingest", persist_result=False)
async def ingest(follow: bool = False, verbose: bool = False) -> dict[str, int]:
    """Commit what Kafka holds and stop, or with `follow` keep going until SIGTERM; return what was committed, by table.

    One long run rather than a run per batch: a flow run costs about a second. Run again, it goes on from the offsets in
    the warehouse and changes nothing that is there. Raises PipelineError, which says why it failed.
    """
    logger = get_run_logger()
    options = [name for name, given in (("--follow", follow), ("--verbose", verbose)) if given]
    totals = await _run(options)
    logger.info("%s", told(totals))
    return {"records": totals.records, **dict(totals.rows)}


async def _run(options: list[str]) -> Totals:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*PROGRAM, *options, stdin=pipe, stdout=pipe)
    _pass_on_signals(process)
    try:
        assert process.stdout
        said = await process.stdout.read()
        code = await process.wait()
    except BaseException:
        with suppress(ProcessLookupError):
            process.terminate()
        raise
    try:
        outcome = msgspec.json.decode(said, type=Outcome)
    except msgspec.MsgspecError:
        raise PipelineError(f"ingest ended with exit code {code} and did not say why; see its log") from None
    if outcome.totals is None:
        raise PipelineError(outcome.error)
    return outcome.totals


def told(totals: Totals) -> str:
    """Say what was committed in one line."""
    rows = ", ".join(f"{name} {count:,}" for name, count in sorted(totals.rows.items()) if count)
    nothing = ", ".join(f"{count:,} x {reason}" for reason, count in totals.reasons.most_common())
    return (
        f"committed {totals.records:,} records in {totals.commits:,} commits, {totals.duplicates:,} rows stored before, "
        f"{totals.dead_letters:,} dead letters; rows: {rows or 'none'}; "
        f"frames that carry none: {nothing or 'none'}"
    )


def _pass_on_signals(process: asyncio.subprocess.Process) -> None:
    def end() -> None:
        with suppress(ProcessLookupError):
            process.terminate()

    for sign in (signal.SIGTERM, signal.SIGINT):
        with suppress(
            ValueError, NotImplementedError, RuntimeError
        ):  # not in the main thread: whoever runs it stops it
            asyncio.get_running_loop().add_signal_handler(sign, end)
