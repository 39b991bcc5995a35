"""The flow `ingest`: Kafka to the warehouse, exactly once."""

from prefect import flow, get_run_logger

from pipelines.ingest.apart import apart


@flow(name="ingest", persist_result=False)
async def ingest(follow: bool = False, verbose: bool = False, new_grid: bool = False) -> dict[str, int]:
    """Commit what Kafka holds and stop, or with `follow` keep going until SIGTERM; return what was committed, by table.

    One long run rather than a run per batch: a flow run costs about a second. Run again, it goes on from the offsets in
    the warehouse and changes nothing that is there. The work is done in a process of its own, which ends with this one.
    """
    return await apart(follow, get_run_logger().info, verbose, new_grid)
