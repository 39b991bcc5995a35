"""The parts of the pipeline as child processes, and the environment they share."""

import asyncio
import os
import sys
import urllib.error
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from collectors.metrics import Figures, serving
from collectors.ports import free_port
from collectors.proxies import direct
from pipelines.settings import MetricsSettings
from pipelines.up import board, figures, prefect_database
from pipelines.up.broker import Broker
from pipelines.up.commands import StartError, Tell, liq
from pipelines.up.supervise import Child

PREFECT_START_S = 300.0
PREFECT_TRIES = 3
PREFECT_FORGETS = {
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": "P3D",
    "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": "P1D",
}
"""What Prefect's server keeps of past runs. By itself it forgets none of them: some 7,000 a day, 8 kB each without events."""
LINE = "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s "
PREFECT_LOGS = {
    "PREFECT_LOGGING_FORMATTERS_STANDARD_FORMAT": LINE + "%(message)s",
    "PREFECT_LOGGING_FORMATTERS_STANDARD_FLOW_RUN_FMT": LINE + "flow=%(flow_name)s run=%(flow_run_name)s %(message)s",
    "PREFECT_LOGGING_FORMATTERS_STANDARD_TASK_RUN_FMT": LINE + "task=%(task_name)s run=%(task_run_name)s %(message)s",
    "PREFECT_LOGGING_FORMATTERS_STANDARD_DATEFMT": "%Y-%m-%dT%H:%M:%S",
}
"""Prefect's log lines as all the others: time in UTC (`flows/noted.py`), level, who, key=value."""


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
        **PREFECT_LOGS,
    }
    return {name: os.environ.get(name, value) for name, value in ours.items()}


class Keeps(Protocol):
    """What keeps one part running."""

    name: str
    restarts: int
    since_s: float

    @property
    def short_lives(self) -> int:
        """How often in a row it ended soon after its start."""

    @property
    def pid(self) -> int | None:
        """The running process, None when there is none."""

    async def stop(self) -> int | None:
        """Stop it for good and return its exit code."""


class Parts:
    """Starts the parts of one world, keeps `up.json` right, and stops them in the order that loses nothing.

    `is_quiet`: what Kafka's commands say goes to the log alone.
    """

    def __init__(
        self, world: Path, tell: Tell, env: Mapping[str, str] | None = None, *, is_quiet: bool = False
    ) -> None:
        self.world = world
        self.env = {**world_env(world), **(env or {})}
        self.kept: list[Keeps] = []
        self.own = board.Part("up", os.getpid())
        self._before = board.read(world)
        self._at: dict[str, str] = {}
        self._tell = tell
        self._is_quiet = is_quiet

    async def kafka(self) -> None:
        """Start the embedded broker and keep it running, unless the settings name a Kafka. Raises StartError."""
        if self.setting("LIQ_KAFKA_BOOTSTRAP"):
            return
        known = self._before.part(Broker.name) if self._before else None
        before = known.pid if known and known.ours else None
        broker = Broker(self.world, self.env, self._tell, self.changed, before, self._is_quiet)
        try:
            await broker.start()
        except asyncio.CancelledError:  # its process may run by now
            self.kept.append(broker)
            raise
        self.kept.append(broker)
        self.changed()

    async def prefect(self) -> str:
        """Start Prefect's server unless PREFECT_API_URL names one; return its API address."""
        if url := os.environ.get("PREFECT_API_URL"):
            return url
        port = free_port()
        url = f"http://127.0.0.1:{port}/api"
        command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
        self._at["prefect"] = url
        home = Path(self.env["PREFECT_HOME"])
        is_new = not (home / prefect_database.NAME).exists()
        prefect_database.put(home)
        child = await self.add("prefect", command)
        self.env["PREFECT_API_URL"] = url
        await self._answers(f"{url}/health", child)
        if is_new:
            await asyncio.to_thread(prefect_database.keep, home)
        return url

    async def add(self, name: str, command: list[str] | None = None, metrics: str = "") -> Child:
        """Start a part and keep it running; without a command, `liq NAME`. `metrics`: the setting of its metrics' port."""
        env = dict(self.env)
        if metrics:
            env[metrics] = self.setting(metrics) or str(free_port())
            self._at[name] = f"http://127.0.0.1:{env[metrics]}/metrics"
        child = Child(name, command or liq(name), env, self.world / "logs", self._tell, self.changed)
        await child.start()
        self.kept.append(child)
        self.changed()
        return child

    async def answers(self, name: str) -> None:
        """Return when a part with metrics answers: it is at its work."""
        while not await asyncio.to_thread(_is_up, self._at[name]):
            await asyncio.sleep(0.2)

    def child(self, name: str) -> Child:
        """Return a part that was started."""
        return next(part for part in self.kept if part.name == name and isinstance(part, Child))

    def setting(self, name: str) -> str | None:
        """Return a setting as the parts see it."""
        return self.env.get(name) or os.environ.get(name)

    def parts(self) -> list[board.Part]:
        """Return what runs now."""
        return [
            board.Part(part.name, part.pid, part.restarts, part.short_lives, getattr(part, "ours", True),
                       self._at.get(part.name, ""), part.since_s)
            for part in list(self.kept)
        ]  # fmt: skip

    def changed(self) -> None:
        """Write down what runs now."""
        board.write(self.world, [*self.parts(), self.own])

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Answer /metrics and /health of the parts as a whole while the block runs."""
        settings = MetricsSettings()
        port = settings.up_metrics_port or free_port()
        self.own = board.Part("up", os.getpid(), at=f"http://{settings.metrics_host}:{port}/metrics")
        shown = Figures(lambda: figures.metrics(self.parts))
        with serving(port, [shown], lambda: figures.wrong(self.parts()), settings.metrics_host):
            yield

    async def stop(self, *names: str) -> dict[str, int | None]:
        """Stop the named parts, or all that still run, newest first and Kafka last; return their exit codes."""
        codes = {}
        newest = [each for each in self.kept[::-1] if not names or each.name in names]
        for part in sorted(newest, key=lambda part: part.name == Broker.name):
            codes[part.name] = await part.stop()
            self.kept.remove(part)
            self.changed()
        return codes

    async def _answers(self, url: str, child: Child) -> None:
        for _ in range(int(PREFECT_START_S / 0.25)):
            if await asyncio.to_thread(_is_up, url):
                return
            if child.restarts >= PREFECT_TRIES:
                break
            await asyncio.sleep(0.25)
        raise StartError(f"Prefect's server did not answer at {url}; the end of {child.log}:\n{child.last_lines()}")


def _is_up(url: str) -> bool:
    try:
        with direct().open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
