"""The flow `rollup`: bars of liquidations, prices and open interest kept up to date."""

from prefect import flow, get_run_logger

from pipelines.derive.bars.run import rollup as run
from pipelines.flows.noted import noted
from pipelines.settings import IngestSettings
from warehouse import lake


@flow(name="rollup", persist_result=False)
@noted
def rollup(everything: bool = False) -> dict[str, int]:
    """Compute the bars whose rows changed, or all; return minutes, days and contracts taken in, and other bars written.

    Runs beside ingest and readers: the write lock is held for one day's bars at a time. Run twice, the second finds
    nothing to do.
    """
    with lake.open(IngestSettings().data, read_only=False) as warehouse:
        done = run(warehouse, everything)
    get_run_logger().info("%s", done)
    return done._asdict()
