"""The flow `reprocess`: stored frames again through today's parsers."""

from datetime import datetime

from prefect import flow, get_run_logger

from pipelines.flows.moments import utc
from pipelines.reprocess.run import reprocess as run
from pipelines.row_settings import grid_of
from pipelines.settings import IngestSettings
from warehouse import lake, schema


@flow(name="reprocess", persist_result=False)
def reprocess(since: datetime, until: datetime | None = None, table: str | None = None) -> dict[str, int]:
    """Make the rows of frames that arrived in [since, until) (UTC) what they would be today; return rows stored, by table.

    Runs beside ingest and readers: the write lock is held while one day's rows are compared. Run twice, the second changes
    nothing.
    """
    settings = IngestSettings()
    if lake.exists(settings.data):
        schema.create_or_migrate(settings.data)
    with lake.open(settings.data, read_only=False) as warehouse:
        start, end = utc(since) or since, utc(until)
        done = run(warehouse, start, end, table, grid_of(warehouse, start, end))
    get_run_logger().info("%d frames; %s", done.frames, done.tables)
    return {name: each.stored for name, each in done.tables.items()}
