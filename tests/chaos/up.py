"""The world of a real `liq up`, Prefect and all: it alone keeps its parts running, the harness only breaks them."""

import asyncio
import os
import re
import signal
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from collectors.broker import process
from collectors.embedded import is_alive, kafka_folder, read_state
from tests.chaos.faults import Where
from tests.chaos.world import World

WORDS = {
    "collect": ("liq", "collect"), "ingest": ("liq", "ingest"), "flows": ("liq", "flows", "serve"),
    "prefect": ("prefect", "server", "start"), "ingest's work": ("-m", "pipelines.ingest"),
}  # fmt: skip
STOP_S = 300.0
AGAIN = re.compile(r"^(\S+) ended .* started again", re.MULTILINE)


class UpWorld(World):
    """One `liq up` of all venues."""

    programs: tuple[str, ...] = ("collect", "ingest", "ingest's work", "prefect", "flows")
    without: Mapping[Where, str] = {
        "kafka network": "`liq up` has no proxy before its Kafka",
        "clock": "`liq up` and its parts have one clock",
        "slow disk": "`liq up` and its parts have one disk",
    }

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        self.names = ["collect"]
        self.clocks = {}
        self._up: asyncio.subprocess.Process | None = None

    def pid(self, name: str) -> int | None:
        """Return the process of a part: one below `liq up` by its command line, the broker by what its folder says."""
        if name == "broker":
            folder = kafka_folder(self.folder)
            state = read_state(folder)
            return state.pid if state and is_alive(state.pid, folder) else None
        return next((pid for pid in self._below() if _contains(_command(pid), WORDS[name])), None)

    def restarts(self) -> dict[str, int]:
        return dict(Counter(AGAIN.findall(self._log.read_text())))

    async def drain(self) -> dict[str, int | None]:
        """Stop `liq up` as a user does."""
        assert self._up is not None
        codes = {"liq up before its end": self._up.returncode}
        if self._up.returncode is None:
            self._up.send_signal(signal.SIGTERM)
        codes["liq up"] = await asyncio.wait_for(self._up.wait(), STOP_S)
        self.bootstrap = (await asyncio.to_thread(process.start, self.folder)).bootstrap  # for the replay
        return codes

    @property
    def _log(self) -> Path:
        return self.folder / "logs" / "up.log"

    async def _start_parts(self) -> None:
        env = {**os.environ, **self.settings, "LIQ_DATA": str(self.folder), **await self._venues("collect")}
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            command = [sys.executable, "-m", "liq", "up"]
            self._up = await asyncio.create_subprocess_exec(*command, env=env, stdout=log, stderr=log)

    async def _stop_parts(self) -> None:
        if self._up and self._up.returncode is None:
            self._up.send_signal(signal.SIGTERM)
            await asyncio.wait_for(self._up.wait(), STOP_S)
        await asyncio.to_thread(process.stop, self.folder)

    def _below(self) -> list[int]:
        """Return the children of `liq up`, then theirs."""
        first = _children(self._up.pid) if self._up else []
        return first + [pid for each in first for pid in _children(each)]


def _children(pid: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _command(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return []


def _contains(command: list[str], words: tuple[str, ...]) -> bool:
    return any(tuple(command[at : at + len(words)]) == words for at in range(len(command)))
