"""What is alive, how far behind ingest is, and whether anything was lost: the figures behind `liq status`."""

from pathlib import Path
from typing import Any, NamedTuple

from aiokafka.errors import KafkaError

from collectors.errors import CollectorError
from collectors.kafka import KafkaSettings, cluster_id, connection
from pipelines.errors import PipelineError
from pipelines.ingest.consume import source
from warehouse import lake, query, writer
from warehouse.errors import NoWarehouseError
from warehouse.lake import Lake

FEEDS = """
SELECT a.venue, count(*) FILTER (state = 'running') AS live_sessions, count(*) AS sessions, sum(frames)::BIGINT AS frames,
    sum(missing)::BIGINT AS missing, sum(frames_dead)::BIGINT AS dead, max(recv_last) AS newest,
    epoch((now() AT TIME ZONE 'UTC') - max(recv_last)) AS age_s
FROM frames_accounted AS a GROUP BY a.venue ORDER BY a.venue
"""
LAST_COMMIT = "SELECT epoch((now() AT TIME ZONE 'UTC') - max(ts_commit)) AS age_s FROM ingest_commits"


class Lag(NamedTuple):
    """A topic: records in Kafka that were ever written, and how many of them are not committed to the warehouse yet."""

    topic: str
    end: int
    behind: int


class Status(NamedTuple):
    """`kafka`: its address, or why it cannot be reached. `problems`: what needs somebody, one line each."""

    kafka: str
    lags: list[Lag]
    commit_age_s: float | None
    feeds: list[dict[str, Any]]
    problems: list[str]


async def status(world: Path) -> Status:
    """Look at Kafka and the warehouse of `world`; reads only."""
    try:
        with lake.open(world) as warehouse:
            return await _status(world, warehouse)
    except NoWarehouseError:
        return await _status(world, None)


async def _status(world: Path, warehouse: Lake | None) -> Status:
    problems: list[str] = []
    try:
        kafka = connection(KafkaSettings.load())
        lags = await _lags(kafka, warehouse)
        address = str(kafka["bootstrap_servers"])
    except (CollectorError, KafkaError, PipelineError) as error:
        address, lags = "none", []
        problems.append(str(error))
    if warehouse is None:
        return Status(address, lags, None, [], [*problems, f"no warehouse in {world}: `liq ingest` makes it"])
    feeds = query.run(warehouse, FEEDS).frame().to_dicts()
    age = query.run(warehouse, LAST_COMMIT).frame()["age_s"][0]
    return Status(address, lags, age, feeds, [*problems, *_worries(feeds, lags, age)])


def _worries(feeds: list[dict[str, Any]], lags: list[Lag], commit_age_s: float | None) -> list[str]:
    found = [
        f"{feed['venue']}: {feed['missing']:,} frames are missing; `from frames_accounted where missing > 0`"
        for feed in feeds
        if feed["missing"] and not any(lag.behind for lag in lags)
    ]
    if (behind := sum(lag.behind for lag in lags)) and (commit_age_s is None or commit_age_s > 120):
        found.append(f"ingest is {behind:,} records behind and has not committed for long; `liq ingest --follow`")
    if lags and not any(lag.end for lag in lags):
        found.append("nothing has ever reached Kafka; does `liq collect` run, and what does its log say?")
    return found


async def _lags(kafka: dict[str, Any], warehouse: Lake | None) -> list[Lag]:
    async with source(kafka) as records:
        ends, starts = await records.ends(), await records.starts()
    committed = writer.offsets(warehouse, await cluster_id(kafka)) if warehouse else {}
    lags: dict[str, Lag] = {}
    for at, end in ends.items():
        before = lags.get(at[0], Lag(at[0], 0, 0))
        behind = max(0, end - max(committed.get(at, 0), starts[at]))  # committed since `ends` was asked: none
        lags[at[0]] = Lag(at[0], before.end + end, before.behind + behind)
    return list(lags.values())
