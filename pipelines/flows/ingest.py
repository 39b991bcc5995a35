"""The flow `ingest`: Kafka to the warehouse, exactly once."""

import asyncio
import logging
import signal
from contextlib import suppress

from prefect import flow, get_run_logger

from collectors.kafka import KafkaSettings, connection
from collectors.metrics import Figures, serving
from pipelines.ingest.run import Ingest, Totals
from pipelines.settings import IngestSettings, MetricsSettings

REPORT_S = 60.0

log = logging.getLogger(__name__)


@flow(name="ingest", persist_result=False)
async def ingest(follow: bool = False) -> dict[str, int]:
    """Commit what Kafka holds and stop, or with `follow` keep going until SIGTERM; return what was committed, by table.

    One long run rather than a run per batch: a flow run costs about a second. Run again, it goes on from the offsets in
    the warehouse and changes nothing that is there.
    """
    logger = get_run_logger()
    stop = _stop_on_signal()
    kafka = connection(KafkaSettings.load())
    metrics = MetricsSettings()
    running = Ingest(IngestSettings())
    figures, port = running.figures, metrics.ingest_metrics_port if follow else None
    with serving(port, [Figures(figures.metrics)], figures.wrong, metrics.metrics_host):
        reporting = asyncio.create_task(_report(running))
        try:
            totals = await running.run(kafka, follow, stop)
        finally:
            reporting.cancel()
    logger.info("%s", told(totals))
    return {"records": totals.records, **dict(totals.rows)}


async def _report(running: Ingest) -> None:
    """Write what was committed into the log, every `REPORT_S`."""
    before = 0
    while True:
        await asyncio.sleep(REPORT_S)
        totals, lags = running.totals, running.figures.lags().values()
        log.info(
            "committed=%d per_s=%.0f commits=%d dead_letters=%d duplicates=%d behind=%d waited_s=%.1f",
            totals.records, (totals.records - before) / REPORT_S, totals.commits, totals.dead_letters, totals.duplicates,
            sum(behind for behind, _ in lags), max((waited for _, waited in lags), default=0.0),
        )  # fmt: skip
        before = totals.records


def told(totals: Totals) -> str:
    """Say what was committed in one line."""
    rows = ", ".join(f"{name} {count:,}" for name, count in sorted(totals.rows.items()) if count)
    nothing = ", ".join(f"{count:,} x {reason}" for reason, count in totals.reasons.most_common())
    return (
        f"committed {totals.records:,} records in {totals.commits:,} commits, {totals.duplicates:,} rows stored before, "
        f"{totals.dead_letters:,} dead letters; rows: {rows or 'none'}; "
        f"frames that carry none: {nothing or 'none'}"
    )


def _stop_on_signal() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        with suppress(ValueError, NotImplementedError):  # not in the main thread: whoever runs the flow stops it
            loop.add_signal_handler(sign, stop.set)
    return stop
