"""The flow `maintain`: keep the lake quick to read."""

from prefect import flow, get_run_logger

from pipelines.flows.noted import noted
from pipelines.settings import IngestSettings
from warehouse import lake
from warehouse.maintain import maintain as run


@flow(name="maintain", persist_result=False)
@noted
def maintain() -> dict[str, int]:
    """Join small files, expire old snapshots, delete files out of use; return how many of each.

    Runs beside ingest and readers: the write lock is held for one group of files at a time. Run twice, the second finds
    little to do.
    """
    with lake.open(IngestSettings().data, read_only=False) as warehouse:
        done = run(warehouse)
    get_run_logger().info("%s", done)
    return done._asdict()
