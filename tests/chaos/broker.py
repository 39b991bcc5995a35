"""The world's Kafka, kept running: the embedded one, that tells its clients to come by our proxies."""

import asyncio
import os
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from collectors.broker import process
from collectors.broker.settings import properties
from collectors.embedded import Running, State, is_alive, kafka_folder, read_state
from collectors.errors import CollectorError
from collectors.ports import HOST

LOOK_S = 0.2


class Broker:
    """Started with `start`, and again whenever it dies, as `liq up` does. `listeners`: name to (its port, the proxy's)."""

    def __init__(self, world: Path, listeners: Mapping[str, tuple[int, int]]) -> None:
        self._world = world
        self._listeners = listeners
        self._keeping: asyncio.Task[None] | None = None
        self.restarts = 0
        self._away = False

    async def start(self) -> Running:
        """Start it and keep it running."""
        process.properties = self._properties  # type: ignore[attr-defined]
        running = await asyncio.to_thread(process.start, self._world)
        self._keeping = asyncio.create_task(self._keep())
        return running

    async def stop(self) -> None:
        """Stop it for good."""
        if self._keeping:
            self._keeping.cancel()
        if self.pid:
            os.kill(self.pid, signal.SIGCONT)
        await asyncio.to_thread(process.stop, self._world)
        process.properties = properties  # type: ignore[attr-defined]

    async def away(self, seconds: float) -> None:
        """Stop it as a machine that loses its power, and start it again only after so many seconds."""
        self._away = True
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
        await asyncio.sleep(seconds)
        self._away = False
        while self.pid is None:
            await asyncio.sleep(LOOK_S)

    @property
    def pid(self) -> int | None:
        """Its process, None while there is none."""
        state = read_state(kafka_folder(self._world))
        return state.pid if state and is_alive(state.pid, kafka_folder(self._world)) else None

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            if self.pid is None and not self._away:
                self.restarts += 1
                began = time.monotonic()
                with suppress(CollectorError):  # its disk is full: tried again
                    await asyncio.to_thread(process.start, self._world)
                await asyncio.sleep(max(0.0, 1.0 - (time.monotonic() - began)))

    def _properties(self, state: State, listen: str | None = None) -> dict[str, object]:
        own = properties(state, listen)
        mapped = "".join(f",{name}:PLAINTEXT" for name in self._listeners)
        return own | {
            "listeners": f"{own['listeners']}" + "".join(f",{n}://{HOST}:{p}" for n, (p, _) in self._listeners.items()),
            "advertised.listeners": f"{own['advertised.listeners']}"
            + "".join(f",{name}://{HOST}:{proxy}" for name, (_, proxy) in self._listeners.items()),
            "listener.security.protocol.map": f"{own['listener.security.protocol.map']}{mapped}",
            "inter.broker.listener.name": "PLAINTEXT",
        }
