"""How much memory each process of a world holds, at most, while a block runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.chaos.world import World

EVERY_S = 0.25
MB = 1_000_000


class Memory:
    """`most`: resident bytes by part."""

    def __init__(self, world: World) -> None:
        self.most: dict[str, int] = {}
        self._world = world

    def __str__(self) -> str:
        return ", ".join(f"{name} {size / MB:.0f} MB" for name, size in self.most.items())

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Memory"]:
        """Look until the block ends."""
        task = asyncio.create_task(self._run())
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            for name in self._world.parts:
                if (pid := self._world.pid(name)) is not None:
                    self.most[name] = max(self.most.get(name, 0), _resident(pid))
            await asyncio.sleep(EVERY_S)


def _resident(pid: int) -> int:
    """Return a process's resident bytes, 0 where it is gone."""
    with suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    return 0
