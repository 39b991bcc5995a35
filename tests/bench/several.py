"""One, two and four ingests that store the same frames into one lake in PostgreSQL, with conflicts and waits beside."""

import asyncio
import os
import resource
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from pipelines.ingest import run as run_
from pipelines.ingest.run import Ingest
from pipelines.ingest.workers import Workers
from pipelines.settings import IngestSettings
from tests.bench.filling import FRAMES
from warehouse import lake, schema
from warehouse.settings import WarehouseSettings

GONE_S = "20"
"""After so long a silence an ingest counts as dead: longer than a machine that is full lets one wait."""
SPAN = """
SELECT epoch(min(ts_commit)), epoch(max(ts_commit)), sum(frames) FILTER (ts_commit > first)::BIGINT, sum(frames)::BIGINT
FROM (SELECT *, min(ts_commit) OVER () AS first FROM ingest_commits)
"""
"""From the first commit to the last, so that how long processes take to start does not count."""


class Waits(NamedTuple):
    """What one ingest met, and its peak of memory."""

    attempts: int
    conflicts: int
    waited_s: float
    mb: float


class Stored(NamedTuple):
    """Frames stored between two times (Unix seconds), and what each ingest met."""

    since: float
    until: float
    frames: int
    waits: Sequence[Waits]


async def stored(
    folder: Path, catalogue: str, bootstrap: str, count: int, begun: Callable[[list[int]], object]
) -> Stored:
    """Store all frames by `count` processes into a new lake. `begun` is told the processes."""
    settings = WarehouseSettings(catalogue=catalogue, files=str(folder / "files"))
    schema.create_or_migrate(folder / "w0", settings=settings)
    env = {**os.environ, "LIQ_CATALOGUE": catalogue, "LIQ_FILES": str(folder / "files"), "LIQ_WORKER_GONE_S": GONE_S}
    command = [sys.executable, "-m", "tests.bench.several", bootstrap, str(count)]
    processes = [
        await asyncio.create_subprocess_exec(
            *command, env=env | {"LIQ_DATA": str(folder / f"w{number}")}, stdout=asyncio.subprocess.PIPE
        )
        for number in range(count)
    ]
    begun([process.pid for process in processes])
    said = await asyncio.gather(*(process.communicate() for process in processes))
    waits = [msgspec.json.decode(out.splitlines()[-1], type=Waits) for out, _ in said]
    with lake.open(folder / "w0", settings=settings) as opened:
        found = opened.connection.execute(SPAN).fetchone()
    assert found, "nothing was committed"
    assert found[3] == FRAMES, "every frame is stored once"
    return Stored(*found[:3], waits)


def told(count: int, ratio: float, waits: Sequence[Waits]) -> str:
    """Return what so many ingests met; `ratio`: their speed, of one's."""
    attempts, conflicts = sum(each.attempts for each in waits), sum(each.conflicts for each in waits)
    waited = sum(each.waited_s for each in waits) / max(1, attempts)
    name = f"{count} ingest{'s' if count > 1 else ' '}"
    return (
        f"{name} on one PostgreSQL: {ratio:.2f} times one; {attempts} transactions, {conflicts} done again, "
        f"{waited * 1000:.0f} ms of waiting each"
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
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Waits(commits.attempts, commits.conflicts, commits.waited_s, memory)


if __name__ == "__main__":
    print(msgspec.json.encode(asyncio.run(_ingest({"bootstrap_servers": sys.argv[1]}, int(sys.argv[2])))).decode())
