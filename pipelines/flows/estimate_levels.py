"""The flow `estimate_levels`: where leveraged positions would be liquidated, brought up to date."""

from datetime import datetime

from prefect import flow, get_run_logger

from pipelines.derive.levels.estimate import estimate
from pipelines.derive.levels.fresh import moved, refresh
from pipelines.derive.levels.measured import measure
from pipelines.flows import notes
from pipelines.flows.moments import now, utc
from pipelines.flows.noted import noted
from pipelines.settings import IngestSettings
from warehouse import lake, schema

NAME = "estimate_levels"


@flow(name=NAME, persist_result=False)
@noted
def estimate_levels(since: datetime | None = None, until: datetime | None = None) -> dict[str, int]:
    """Bring `liquidation_levels` from the state of the last full hour to `until` (the last minute that has prices), and
    `measured_levels` with it; return what was estimated.

    With `since` (UTC) everything from there on is estimated anew. Run twice, the second changes nothing.
    """
    settings = IngestSettings()
    if lake.exists(settings.data):
        schema.create_or_migrate(settings.data)
    with lake.open(settings.data, read_only=False) as warehouse:
        end = utc(until)
        done = estimate(warehouse, end, utc(since)) if end else refresh(warehouse, now(), utc(since))
        known = measure(warehouse, now())
    get_run_logger().info("%s, %s", done, known)
    return done._asdict()


@flow(name="estimate_levels_if_moved", persist_result=False)
@noted
def estimate_levels_if_moved() -> list[str]:
    """Make a new map at once where the price of a large coin has gone far from the last (`levels_limits`); return the coins.

    Does nothing while a run of `estimate_levels` is under way.
    """
    settings, logger = IngestSettings(), get_run_logger()
    with lake.open(settings.data, read_only=False) as warehouse:
        coins = moved(warehouse)
        if not coins:
            return []
        with notes.only_run(settings.data, NAME, NAME) as only:
            if not only:
                logger.info("%s moved; a map is being made already", ", ".join(coins))
                return []
            logger.info("%s moved: %s", ", ".join(coins), refresh(warehouse, now()))
    return coins
