"""How fast one, two and four ingests store the same frames into one lake in PostgreSQL, with conflicts and waits beside."""

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from collectors import broker
from collectors.kafka import ensure_topics
from collectors.topics import TOPICS
from pipelines.ingest import run as run_
from pipelines.ingest.run import Ingest
from pipelines.ingest.workers import Workers
from pipelines.settings import IngestSettings
from tests.bench import throughput
from tests.warehouse import servers
from warehouse import lake, schema
from warehouse.settings import WarehouseSettings

COUNTS = (1, 2, 4)
RATE = """
SELECT sum(frames) FILTER (ts_commit > first) / epoch(max(ts_commit) - min(ts_commit)), sum(frames)
FROM (SELECT *, min(ts_commit) OVER () AS first FROM ingest_commits)
"""
"""From the first commit to the last, so that how long processes take to start does not count."""


class Waits(NamedTuple):
    """What one ingest met."""

    attempts: int
    conflicts: int
    waited_s: float


async def run(world: Path) -> None:
    """Fill Kafka once, then store it several times, by one, two and four processes."""
    started = await asyncio.to_thread(broker.start, world)
    try:
        kafka = {"bootstrap_servers": started.bootstrap}
        await ensure_topics(kafka, TOPICS)
        await throughput._fill(kafka)
        with servers.postgres() as postgres:
            alone = 0.0
            for count in COUNTS:
                catalogue = postgres.database(f"several{count}")
                rate, waits = await _stored(world / f"by{count}", catalogue, started.bootstrap, count)
                alone = alone or rate
                print(_told(count, rate, rate / alone, waits))
    except servers.UnavailableError as error:
        print(f"several ingests: not measured, {error}")
    finally:
        await asyncio.to_thread(broker.stop, world)


async def _stored(folder: Path, catalogue: str, bootstrap: str, count: int) -> tuple[float, Sequence[Waits]]:
    """Store everything by `count` processes; return frames a second, and what each met."""
    settings = WarehouseSettings(catalogue=catalogue, files=str(folder / "files"))
    schema.create_or_migrate(folder / "w0", settings=settings)
    env = {**os.environ, "LIQ_CATALOGUE": catalogue, "LIQ_FILES": str(folder / "files")}
    each = [_apart(env | {"LIQ_DATA": str(folder / f"w{number}")}, bootstrap, count) for number in range(count)]
    waits = await asyncio.gather(*each)
    with lake.open(folder / "w0", settings=settings) as opened:
        found = opened.connection.execute(RATE).fetchone()
    assert found, "nothing was committed"
    assert found[1] == throughput.FRAMES, "every frame is stored once"
    return float(found[0]), waits


async def _apart(env: dict[str, str], bootstrap: str, count: int) -> Waits:
    command = [sys.executable, "-m", "tests.bench.several", bootstrap, str(count)]
    process = await asyncio.create_subprocess_exec(*command, env=env, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    return msgspec.json.decode(said.splitlines()[-1], type=Waits)


def _told(count: int, rate: float, ratio: float, waits: Sequence[Waits]) -> str:
    attempts, conflicts = sum(each.attempts for each in waits), sum(each.conflicts for each in waits)
    waited = sum(each.waited_s for each in waits) / max(1, attempts)
    return (
        f"{count} ingest{'s' if count > 1 else ' '} on one PostgreSQL:  {rate:>10,.0f} frames/s   ratio {ratio:.2f}   "
        f"{attempts} transactions, {conflicts} done again, {waited * 1000:.0f} ms of waiting each"
    )


class Together(Workers):
    """Ingests that begin when all of them are there."""

    count_wanted = 1

    async def join(self) -> None:
        await super().join()
        while self.count < self.count_wanted:
            await asyncio.sleep(0.05)


async def _ingest(kafka: dict[str, Any], count: int) -> Waits:
    Together.count_wanted, run_.Workers = count, Together  # type: ignore[attr-defined]
    ingest = Ingest(IngestSettings())
    await ingest.run(kafka, follow=False, stop=asyncio.Event())
    commits = ingest.figures.commits
    return Waits(commits.attempts, commits.conflicts, commits.waited_s)


if __name__ == "__main__":
    print(msgspec.json.encode(asyncio.run(_ingest({"bootstrap_servers": sys.argv[1]}, int(sys.argv[2])))).decode())
