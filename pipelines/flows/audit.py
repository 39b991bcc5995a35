"""The flow `coverage`: how much of each feed was heard, minute by minute."""

from datetime import UTC, datetime

from prefect import flow, get_run_logger

from pipelines.audit.cover import cover
from pipelines.settings import IngestSettings
from warehouse import lake


@flow(name="coverage", persist_result=False)
def coverage() -> int:
    """Keep `feed_coverage` up to date with what ingest has committed; return rows written.

    Runs beside ingest and readers. Only minutes touched by new commits are computed; run twice, the second writes nothing.
    """
    settings = IngestSettings()
    with lake.open(settings.data, read_only=False) as warehouse:
        written = cover(warehouse, datetime.now(UTC).replace(tzinfo=None), settings.grid_s)
    get_run_logger().info("%d rows of feed_coverage", written)
    return written
