"""How much memory each process of a world holds, at most, while a block runs."""

import asyncio
from contextlib import suppress
from pathlib import Path

from tests.chaos.beside import Beside
from tests.chaos.world import World

EVERY_S = 0.25
MB = 1_000_000


class Memory(Beside):
    """`most`: resident bytes by part."""

    def __init__(self, world: World) -> None:
        self.most: dict[str, int] = {}
        self._world = world

    def __str__(self) -> str:
        return ", ".join(f"{name} {size / MB:.0f} MB" for name, size in self.most.items())

    async def run(self) -> None:
        """Look at each process again and again."""
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
