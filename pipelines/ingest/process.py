"""`python -m pipelines.ingest.process [--follow]`: ingest alone, in a process without Prefect and the other commands.

What it did, or why it failed, is one line of JSON on standard output; its log is on standard error. It ends in good order on
SIGTERM and SIGINT, and when whoever started it is gone and so its standard input ends.
"""

import asyncio
import logging
import os
import signal
import sys
from contextlib import suppress

import duckdb
import msgspec
from aiokafka.errors import KafkaError

from collectors.errors import CollectorError
from collectors.kafka import KafkaSettings, connection
from collectors.metrics import Figures, serving
from collectors.retry import describe
from collectors.terminal import log_to_stderr
from pipelines.errors import PipelineError
from pipelines.ingest.run import Ingest, Totals
from pipelines.settings import IngestSettings, MetricsSettings
from warehouse.errors import WarehouseError
from warehouse.messages import one_line

REPORT_S = 60.0

log = logging.getLogger(__name__)


class Outcome(msgspec.Struct, omit_defaults=True):
    """What became of an ingest: what it committed, or, where it failed, why in one line."""

    totals: Totals | None = None
    error: str = ""


def main(follow: bool, verbose: bool) -> int:
    """Run it and return the exit code."""
    log_to_stderr(logging.DEBUG if verbose else logging.INFO)
    try:
        outcome = Outcome(asyncio.run(_run(follow)))
    except (CollectorError, PipelineError, WarehouseError) as error:
        outcome = Outcome(error=str(error))
    except KafkaError as error:
        outcome = Outcome(error=f"Kafka: {describe(error)}")
    except duckdb.Error as error:
        outcome = Outcome(error=one_line(error))
    except OSError as error:
        outcome = Outcome(error=f"{error.filename}: {error.strerror}" if error.filename else str(error))
    print(msgspec.json.encode(outcome).decode(), flush=True)
    return 1 if outcome.error else 0


async def _run(follow: bool) -> Totals:
    stop = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    metrics, ingest = MetricsSettings(), Ingest(IngestSettings())
    figures, port = ingest.figures, metrics.ingest_metrics_port if follow else None
    with serving(port, [Figures(figures.metrics)], figures.wrong, metrics.metrics_host):
        beside = [asyncio.create_task(_report(ingest)), asyncio.create_task(_orphaned())]
        try:
            return await ingest.run(connection(KafkaSettings.load()), follow, stop)
        finally:
            for task in beside:
                task.cancel()


async def _report(ingest: Ingest) -> None:
    """Write what was committed into the log, every `REPORT_S`."""
    before = 0
    while True:
        await asyncio.sleep(REPORT_S)
        totals, lags = ingest.totals, ingest.figures.lags().values()
        log.info(
            "committed=%d per_s=%.0f commits=%d dead_letters=%d duplicates=%d behind=%d waited_s=%.1f",
            totals.records, (totals.records - before) / REPORT_S, totals.commits, totals.dead_letters, totals.duplicates,
            sum(behind for behind, _ in lags), max((waited for _, waited in lags), default=0.0),
        )  # fmt: skip
        before = totals.records


async def _orphaned() -> None:
    """End at once, as by SIGKILL, when standard input is a pipe and its other end is gone: another ingest may be started."""
    if sys.stdin.isatty():
        return
    with suppress(OSError, ValueError):
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        await reader.read()
        os._exit(1)


if __name__ == "__main__":
    sys.exit(main("--follow" in sys.argv, "--verbose" in sys.argv))
