"""The flow `find_signals`: every full hour looked at once, and the signals that fired kept."""

from datetime import datetime

from prefect import flow, get_run_logger

from pipelines.derive.signals.find import find
from pipelines.flows.moments import now, utc
from pipelines.flows.noted import noted
from pipelines.settings import IngestSettings
from warehouse import lake, schema


@flow(name="find_signals", persist_result=False)
@noted
def find_signals(since: datetime | None = None, until: datetime | None = None) -> dict[str, int]:
    """Look at the hours that were not looked at yet; return how many, and the signals that fired.

    With `since` (UTC) those from there on (to `until`) are looked at anew. Run twice, the second changes nothing.
    """
    settings = IngestSettings()
    if lake.exists(settings.data):
        schema.create_or_migrate(settings.data)
    with lake.open(settings.data, read_only=False) as warehouse:
        done = find(warehouse, now(), utc(since), utc(until))
    get_run_logger().info("%s", done)
    return done._asdict()
