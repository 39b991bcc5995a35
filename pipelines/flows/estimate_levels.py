"""The flow `estimate_levels`: where leveraged positions would be liquidated, brought up to date."""

from datetime import datetime, timedelta

from prefect import flow, get_run_logger

from pipelines.flows.moments import now, utc
from pipelines.flows.noted import noted
from pipelines.levels.estimate import estimate
from pipelines.settings import IngestSettings
from warehouse import lake, schema

SETTLED = timedelta(minutes=2)  # the candles and open interest of the minutes before are in the lake by then


@flow(name="estimate_levels", persist_result=False)
@noted
def estimate_levels(since: datetime | None = None, until: datetime | None = None) -> dict[str, int]:
    """Bring `liquidation_levels` from the state of the last full hour to `until` (two minutes ago); return what was done.

    With `since` (UTC) everything from there on is estimated anew. Run twice, the second changes nothing.
    """
    settings = IngestSettings()
    if lake.exists(settings.data):
        schema.create_or_migrate(settings.data)
    with lake.open(settings.data, read_only=False) as warehouse:
        done = estimate(warehouse, utc(until) or now() - SETTLED, utc(since))
    get_run_logger().info("%s", done)
    return done._asdict()
