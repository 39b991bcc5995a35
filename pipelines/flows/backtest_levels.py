"""The flow `backtest_levels`: leverage weights fitted, and the maps scored by what was liquidated."""

from datetime import datetime, timedelta

from prefect import flow, get_run_logger

from pipelines.derive.levels.backtest import backtest
from pipelines.flows.moments import now, utc
from pipelines.flows.noted import noted
from pipelines.settings import IngestSettings
from warehouse import lake, schema

SCORED = timedelta(days=7)


@flow(name="backtest_levels", persist_result=False)
@noted
def backtest_levels(
    since: datetime | None = None, until: datetime | None = None, coins: list[str] | None = None
) -> dict[str, int]:
    """Score the maps of [since, until) (UTC; the last seven days), with weights fitted to the time before each.

    Stores `leverage_weights` and `levels_features`, which `estimate_levels` uses for later times, and `levels_scores`,
    which stand beside every map. Run twice over the same time, the second changes nothing.
    """
    settings = IngestSettings()
    end = utc(until) or now()
    if lake.exists(settings.data):
        schema.create_or_migrate(settings.data)
    with lake.open(settings.data, read_only=False) as warehouse:
        done = backtest(warehouse, utc(since) or end - SCORED, end, coins or ())
    get_run_logger().info("%s", done)
    return done._asdict()
