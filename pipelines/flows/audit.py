"""The flows `coverage` (how much of each feed was heard, minute by minute) and `audit` (what must hold in the tables)."""

from datetime import datetime

from prefect import flow, get_run_logger

from pipelines.check import checking
from pipelines.derive.coverage.cover import cover
from pipelines.flows.moments import now, utc
from pipelines.flows.noted import noted
from pipelines.row_settings import grid_s
from pipelines.settings import IngestSettings
from warehouse import lake


@flow(name="coverage", persist_result=False)
@noted
def coverage() -> int:
    """Keep `feed_coverage` up to date with what ingest has committed; return rows written.

    Runs beside ingest and readers. Only minutes touched by new commits are computed; run twice, the second writes nothing.
    """
    settings = IngestSettings()
    with lake.open(settings.data, read_only=False) as warehouse:
        written = cover(warehouse, now(), grid_s(warehouse))
    get_run_logger().info("%d rows of feed_coverage", written)
    return written


@flow(name="audit", persist_result=False)
@noted
def audit(since: datetime | None = None, until: datetime | None = None) -> dict[str, int]:
    """Run the checks over [since, until) (UTC; by default yesterday and today) and store the results; return offenders.

    Keeps `feed_coverage` of that time up to date first. Nothing else is changed, run it as often as you like.
    """
    settings, logger = IngestSettings(), get_run_logger()
    since, until = checking.span(now(), utc(since), utc(until))
    with lake.open(settings.data, read_only=False) as warehouse:
        cover(warehouse, now(), grid_s(warehouse), (since, until))
        found = checking.audit(warehouse, since, until)
        checking.store(warehouse, found, since, until)
    for each in (each for each in found if each.offenders):
        logger.warning(
            "%s: %d rows offend %s: %s", each.check.severity, each.offenders, each.check.name, each.first[:1]
        )
    return {each.check.name: each.offenders for each in found if each.offenders}
