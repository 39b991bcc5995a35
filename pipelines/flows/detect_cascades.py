"""The flow `detect_cascades`: find cascades and keep the table `cascades` right."""

from datetime import datetime, timedelta

from prefect import flow, get_run_logger

from pipelines.derive.cascades.inputs import ready
from pipelines.derive.cascades.rules import RULE
from pipelines.derive.cascades.run import detect, old_since
from pipelines.flows.moments import now, utc
from pipelines.flows.noted import noted
from pipelines.settings import IngestSettings
from warehouse import lake, schema


@flow(name="detect_cascades", persist_result=False)
@noted
def detect_cascades(
    since: datetime | None = None, until: datetime | None = None, back_hours: float = 2.0
) -> dict[str, int]:
    """Find the cascades in [since, until) (UTC) and make the table hold them; return how many rows went, came and stayed.

    Without `since`: of the last `back_hours`, so that each is seen again once the price one hour later is known and late rows
    are in; where cascades of an older rule are stored and none of this one, of the last 30 days. Rows that are right stay; run
    twice, the second changes nothing. Raises UsageError where the bars that it needs were never made.
    """
    settings = IngestSettings()
    if lake.exists(settings.data):
        schema.create_or_migrate(settings.data)
    with lake.open(settings.data, read_only=False) as warehouse:
        back = now() - timedelta(hours=back_hours)
        first, last = utc(since) or old_since(warehouse, now(), RULE) or back, utc(until) or now()
        if not ready(warehouse, first, last, RULE):
            get_run_logger().warning("bars are behind, so normal minutes may lack rows until the next rollup")
        done = detect(warehouse, first, last, now())
    get_run_logger().info("%s", done)
    return done._asdict()
