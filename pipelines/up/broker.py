"""The embedded Kafka as a part of `liq up`: started where none runs, started again when it dies, stopped if it is ours."""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from collectors.embedded import is_alive, kafka_folder, read_state
from collectors.errors import described
from pipelines.up.commands import StartError, Tell, liq, often, run
from pipelines.up.pauses import Pauses
from pipelines.up.supervise import lasting, quiet

LOOK_S = 0.5
STOP_TRIES = 3


class Broker:
    """The broker of one world, found or started by `start`. It keeps its port and its data, so clients find it again.

    `ours_before`: the process of a broker that an earlier `liq up` started and could not stop any more. A broker that
    somebody else started is left running by `stop`, unless it died meanwhile and was started again here. `is_quiet`: what its
    commands say goes to the log alone.
    """

    name = "kafka"

    def __init__(
        self, world: Path, env: Mapping[str, str], tell: Tell, changed: Callable[[], None] = lambda: None,
        ours_before: int | None = None, is_quiet: bool = False,
    ) -> None:  # fmt: skip
        self.restarts = 0
        self.ours = True
        self.log = world / "logs" / "kafka.log"
        self._into = self.log if is_quiet else None
        self._folder = kafka_folder(world)
        self._env = env
        self._tell = quiet(tell)
        self._changed = changed
        self._ours_before = ours_before
        self.since_s = 0.0
        self._pauses = Pauses()
        self._watch: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process of the broker, None when there is none."""
        state = read_state(self._folder)
        return state.pid if state and is_alive(state.pid, self._folder) else None

    @property
    def short_lives(self) -> int:
        """How often in a row it ended soon after its start."""
        return self._pauses.short_lives

    async def start(self) -> None:
        """Find the broker or start it, and keep it running until `stop`. Raises StartError."""
        found = self.pid
        self.ours = found is None or found == self._ours_before
        await self._answers(self._into)
        if not self.ours:
            self._tell(f"Kafka (process {found}) was started by somebody else, and is left running at the end")
        self._changed()
        self._watch = asyncio.create_task(lasting(self._keep, "the watch of Kafka", self._tell))

    async def stop(self) -> int | None:
        """Stop the broker if it is ours. Raises StartError where it does not end."""
        if self._watch:
            self._watch.cancel()
            with suppress(asyncio.CancelledError):
                await self._watch  # a start on the way is given up
        if self.ours:
            await often(STOP_TRIES, liq("broker", "stop"), self._env, self._into)
        return 0

    async def _keep(self) -> None:
        began = time.monotonic()
        while True:
            await asyncio.sleep(LOOK_S)
            if self.pid is None:
                pause = self._pauses.after(time.monotonic() - began)
                self._changed()
                self._tell(f"Kafka ended and is started again in {pause:g} s; its log is in {self._folder / 'logs'}")
                await asyncio.sleep(pause)
                await self._again()
                began = time.monotonic()

    async def _again(self) -> None:
        began, answered = time.monotonic(), False
        self.restarts += 1
        self.ours = True
        while not answered:
            try:
                await self._answers(self.log)
                answered = True
            except (StartError, OSError) as error:
                pause = self._pauses.after(0)
                self._tell(f"Kafka cannot be started, tried again in {pause:g} s: {described(error)}")
                await asyncio.sleep(pause)
        self._changed()
        self._tell(f"Kafka answers again after {time.monotonic() - began:.1f} s")

    async def _answers(self, log: Path | None = None) -> None:
        """Start it if it does not run, and return when it answers. After a crash that may take long: it checks its logs."""
        told = answered = False
        while not answered:
            try:
                await run(liq("broker", "start"), self._env, log)
                answered, self.since_s = True, time.time()
            except StartError:
                if self.pid is None:
                    raise
                if not told:
                    self._tell("Kafka runs and does not answer yet: after a crash it checks its logs first; waiting")
                told = True
                await asyncio.sleep(LOOK_S)
