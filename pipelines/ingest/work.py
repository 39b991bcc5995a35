"""`liq ingest` from start to end: settings, Kafka, metrics, the lines in the log. The flow `ingest` is this and a name."""

import asyncio
import logging
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from aiokafka.errors import KafkaError

from collectors.errors import CollectorError, ConfigurationError, described
from collectors.kafka import KafkaSettings, connection
from collectors.metrics import Figures as Shown
from collectors.metrics import serving
from pipelines.errors import AlreadyRunningError, PipelineError, UsageError
from pipelines.ingest.figures import Figures
from pipelines.ingest.run import Ingest, Totals
from pipelines.settings import IngestSettings, MetricsSettings
from warehouse.errors import QueryError, WarehouseError, WriteFailedError
from warehouse.place import Place
from warehouse.settings import WarehouseSettings

REPORT_S = 60.0
TRY_AGAIN_S = 1.0
TELL_AGAIN_S = 60.0

log = logging.getLogger(__name__)


async def work(follow: bool, tell: Callable[[str], object], new_grid: bool = False) -> dict[str, int]:
    """Commit what Kafka holds and stop, or with `follow` keep going until SIGTERM; return what was committed, by table.

    `tell` gets the last line. Raises CollectorError, KafkaError, WarehouseError; with `follow` a Kafka that is not there, or
    not any more, is waited for. `new_grid`: the settings' grid from now on, whatever the lake's was; else UsageError.
    """
    settings, metrics, stop = IngestSettings(), MetricsSettings(), _stop_on_signal()
    totals, figures = Totals(), Figures(settings.grid_s, world=settings.data)
    if not follow:
        await Ingest(settings, figures=figures, totals=totals, new_grid=new_grid).run(
            connection(KafkaSettings.load()), False, stop
        )
    else:
        shown = [Shown(figures.metrics)]
        with serving(metrics.ingest_metrics_port, shown, figures.wrong, metrics.metrics_host):
            reporting = asyncio.create_task(_report(totals, figures))
            try:
                await _keep(settings, figures, totals, stop, new_grid)
            finally:
                reporting.cancel()
    tell(told(totals))
    return {"records": totals.records, **dict(totals.rows)}


async def _keep(
    settings: IngestSettings, figures: Figures, totals: Totals, stop: asyncio.Event, new_grid: bool = False
) -> None:
    """Follow Kafka until `stop`; each time it, or PostgreSQL, goes away everything begins anew from the stored offsets."""
    kafka, told_s = KafkaSettings.load(), -TELL_AGAIN_S
    loop = asyncio.get_running_loop()
    while not stop.is_set():
        try:
            reach = await asyncio.to_thread(connection, kafka)
            told_s = -TELL_AGAIN_S
            log.info("following kafka=%s world=%s, a line a minute", reach["bootstrap_servers"], settings.data)
            await Ingest(settings, figures=figures, totals=totals, new_grid=new_grid).run(reach, True, stop)
        except (AlreadyRunningError, ConfigurationError, UsageError):
            raise
        except (CollectorError, KafkaError, PipelineError, WarehouseError) as error:
            if isinstance(error, WarehouseError) and not _passes(error, figures):
                raise
            figures.away = described(error) if isinstance(error, KafkaError) else str(error)
            if loop.time() - told_s > TELL_AGAIN_S:
                who = "warehouse" if isinstance(error, WarehouseError) else "kafka"
                log.warning("%s state=away reason=%r", who, figures.away)
                told_s = loop.time()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), TRY_AGAIN_S)


def _passes(error: WarehouseError, figures: Figures) -> bool:
    """Tell whether a warehouse that was there before may be there again soon: only a server goes and comes back."""
    is_server = not Place(Path(), WarehouseSettings()).sqlite
    return is_server and figures.is_begun and type(error) in (WarehouseError, WriteFailedError, QueryError)


async def _report(totals: Totals, figures: Figures) -> None:
    """Write what was committed into the log, every `REPORT_S`."""
    before = 0
    while True:
        await asyncio.sleep(REPORT_S)
        lags = figures.lags().values()
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
