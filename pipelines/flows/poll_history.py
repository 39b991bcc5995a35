"""The flow `poll_history`: a venue's past into the warehouse, as far as the venue keeps it."""

import asyncio
import signal
from collections.abc import Callable, Sequence

from prefect import flow, get_run_logger

from collectors.kafka import KafkaSettings, connection
from pipelines.errors import AlreadyRunningError
from pipelines.ingest.run import Ingest
from pipelines.ingest.work import told
from pipelines.settings import IngestSettings
from pipelines.up.commands import StartError, ending, liq


@flow(name="poll_history", persist_result=False)
async def poll_history(
    venue: str, what: str = "all", since: str = "2d", until: str | None = None, symbols: str = "all", period: str = "5m"
) -> dict[str, int]:
    """Run `liq backfill` with these arguments, then commit what Kafka holds; return what was committed, by table.

    The backfill is a process of its own: requests are the collectors' work. Where an ingest runs already, it commits what
    came. Run again, only what Kafka does not have yet is asked for. Raises StartError where the backfill fails; what came
    is committed then as well.
    """
    arguments = [venue, "--what", what, "--since", since, "--symbols", symbols, "--period", period]
    arguments += ["--until", until] if until else []
    return await backfill_and_drain(arguments, get_run_logger().info)


async def backfill_and_drain(arguments: Sequence[str], tell: Callable[[str], object]) -> dict[str, int]:
    """Do what the flow does; `tell` gets its lines."""
    try:
        await _backfill(arguments, tell)
    finally:
        committed = await _drain(tell)
    return committed


async def _backfill(arguments: Sequence[str], tell: Callable[[str], object]) -> None:
    """Run the backfill to its end; where this is cancelled, stop it in good order."""
    process = await asyncio.create_subprocess_exec(
        *liq("backfill", *arguments), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    assert process.stdout is not None
    last = ""
    try:
        async for line in process.stdout:
            last = line.decode(errors="replace").strip()
            tell(last)
        code = await process.wait()
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            await process.wait()
    if code:
        raise StartError(f"`liq backfill {' '.join(arguments)}` ended with {ending(code)}: {last}")


async def _drain(tell: Callable[[str], object]) -> dict[str, int]:
    try:
        totals = await Ingest(IngestSettings()).run(
            connection(KafkaSettings.load()), follow=False, stop=asyncio.Event()
        )
    except AlreadyRunningError as error:
        tell(f"{error}: it commits what came")
        return {}
    tell(told(totals))
    return {"records": totals.records, **dict(totals.rows)}
