"""The parts of the pipeline as child processes, and the environment they share."""

import asyncio
import os
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

from pipelines.up.supervise import Child, StartError, liq

PREFECT_START_S = 120.0
PREFECT_FORGETS = {
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": "P3D",
    "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": "P1D",
}
"""What Prefect's server keeps of past runs. By itself it forgets none of them: some 7,000 a day, 8 kB each without events."""


def world_env(world: Path) -> dict[str, str]:
    """Return the settings that make every part work in this world's folder."""
    return {"LIQ_DATA": str(world), "PYTHONUNBUFFERED": "1", **prefect_env(world)}


def prefect_env(world: Path) -> dict[str, str]:
    """Return Prefect's settings: its database in the world's folder and kept small, no analytics, patience at a first start.

    What the environment already says wins.
    """
    home = (world / "prefect").absolute()
    home.mkdir(parents=True, exist_ok=True)
    ours = {
        "PREFECT_HOME": str(home),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        "DO_NOT_TRACK": "1",
        **PREFECT_FORGETS,
    }
    return {name: os.environ.get(name, value) for name, value in ours.items()}


class Parts:
    """Starts the parts of one world and stops them in the order that loses nothing."""

    def __init__(self, world: Path, tell: Callable[[str], None], env: Mapping[str, str] | None = None) -> None:
        self.world = world
        self.env = {**world_env(world), **(env or {})}
        self._tell = tell
        self._children: list[Child] = []

    async def prefect(self) -> str:
        """Start Prefect's server unless PREFECT_API_URL names one; return its API address."""
        if url := os.environ.get("PREFECT_API_URL"):
            return url
        port = free_port()
        url = f"http://127.0.0.1:{port}/api"
        command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
        child = await self.add("prefect", command)
        self.env["PREFECT_API_URL"] = url
        await self._answers(f"{url}/health", child)
        return url

    async def add(self, name: str, command: list[str] | None = None) -> Child:
        """Start a part and keep it running; without a command, `liq NAME`."""
        child = Child(name, command or liq(name), self.env, self.world / "logs", self._tell)
        await child.start()
        self._children.append(child)
        return child

    def child(self, name: str) -> Child:
        """Return a part that was started."""
        return next(child for child in self._children if child.name == name)

    def setting(self, name: str) -> str | None:
        """Return a setting as the parts see it."""
        return self.env.get(name) or os.environ.get(name)

    async def stop(self, *names: str) -> dict[str, int | None]:
        """Stop the named parts, or all that still run, newest first; return their exit codes."""
        codes = {}
        for child in reversed([c for c in self._children if not names or c.name in names]):
            codes[child.name] = await child.stop()
            self._children.remove(child)
        return codes

    async def _answers(self, url: str, child: Child) -> None:
        for _ in range(int(PREFECT_START_S / 0.25)):
            if await asyncio.to_thread(_is_up, url):
                return
            if child.restarts:
                break
            await asyncio.sleep(0.25)
        raise StartError(f"Prefect's server did not answer at {url}; the end of {child.log}:\n{child.last_lines()}")


def free_port() -> int:
    """Return a loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_up(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
