"""Ingests as processes, each with a world of its own, one lake in PostgreSQL; whoever ends is started again."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from warehouse.beside import Beside
from warehouse.place import Place
from warehouse.settings import PREFIX, WarehouseSettings

COMMANDS = ("-m", "pipelines.ingest", "--follow")
AGAIN_S = 0.5
COMMITTED = """
SELECT snapshot_id, commit_extra_info AS told FROM ducklake_snapshot_changes
WHERE author = 'liq ingest' AND snapshot_id > {after} ORDER BY snapshot_id
"""


@dataclass
class Crowd:
    """`count` ingests that follow Kafka at `bootstrap`. `shared`: the settings that lead to their lake; `away`: those that
    are not started again for now."""

    folder: Path
    bootstrap: str
    shared: Mapping[str, str]
    count: int
    grid_s: int = 2
    gone_s: float = 10.0
    away: set[int] = field(default_factory=set)
    running: dict[int, asyncio.subprocess.Process] = field(default_factory=dict)
    starts: int = 0

    def env(self, number: int) -> dict[str, str]:
        """Return the environment of one of them."""
        own = {
            "LIQ_DATA": str(self.folder / f"w{number}"), "LIQ_KAFKA_BOOTSTRAP": self.bootstrap,
            "LIQ_GRID_S": str(self.grid_s), "LIQ_COMMIT_INTERVAL_S": "0.2", "LIQ_WORKER_GONE_S": str(self.gone_s),
            "POLARS_MAX_THREADS": "1",
        }  # fmt: skip
        return {**os.environ, **self.shared, **own}

    def settings(self) -> WarehouseSettings:
        """Return where the lake is."""
        given = {name.removeprefix(PREFIX).lower(): value for name, value in self.shared.items()}
        return WarehouseSettings(**given, data=self.folder / "w0")

    async def keep(self) -> None:
        """Keep all of them running, until cancelled."""
        keeping = [asyncio.create_task(self._keep(number)) for number in range(self.count)]
        try:
            await asyncio.gather(*keeping)
        finally:
            for each in keeping:
                each.cancel()
            await asyncio.wait(keeping)

    async def _keep(self, number: int) -> None:
        with (self.folder / f"w{number}.log").open("ab") as log:
            try:
                while True:
                    if number not in self.away:
                        process = await asyncio.create_subprocess_exec(
                            sys.executable, *COMMANDS, env=self.env(number), stdout=log, stderr=log
                        )
                        self.running[number] = process
                        self.starts += 1
                        await process.wait()
                        del self.running[number]
                    await asyncio.sleep(AGAIN_S)
            finally:
                await self._end(number)

    async def _end(self, number: int) -> None:
        if process := self.running.pop(number, None):
            process.send_signal(signal.SIGCONT)
            process.send_signal(signal.SIGTERM)
            await process.wait()

    def kill(self, number: int) -> None:
        """Kill one as the kernel does, if it runs."""
        if process := self.running.get(number):
            process.kill()


class Committed:
    """What has been committed, as the catalogue says: the offsets of each partition, and when each grew (monotonic s)."""

    def __init__(self, crowd: Crowd) -> None:
        self._session = Beside(Place(crowd.folder / "w0", crowd.settings()), "watcher")
        self._after = -1
        self.offsets: dict[str, int] = {}
        self.grew: dict[str, float] = {}

    def look(self) -> None:
        """Read what is new. Raises duckdb.Error where PostgreSQL is away."""
        for number, text in self._session.rows(COMMITTED.format(after=self._after)):
            told: Mapping[str, Any] = json.loads(text)
            self._after = number
            for at, part in told["parts"].items():
                if part:
                    self.offsets[at.partition("/")[2]] = part[1]
                    self.grew[at.partition("/")[2]] = time.monotonic()

    def close(self) -> None:
        with closing(self._session):
            pass
