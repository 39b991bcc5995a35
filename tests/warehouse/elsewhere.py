"""A plugin of pytest: each world that names no place of its own has its lake in a real PostgreSQL and on a real S3 server.

`python -m pytest -p tests.warehouse.elsewhere tests/warehouse`: no fixture and no test has to know of it. The settings are
given to whatever asks where a world's lake is: `Place` in this process, the environment in those that a test starts. A test
marked `local` is about SQLite or files in a folder alone, and is left out.
"""

import hashlib
import os
import re
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from tests.warehouse import servers
from tests.warehouse.made import WORLDS, Worlds
from warehouse.place import Place
from warehouse.settings import PREFIX, WarehouseSettings

GIVEN = {"catalogue", "files"}
SET_ELSEWHERE = {"LIQ_CATALOGUE", "LIQ_FILES"}
OURS = re.compile("python|bash")
"""Programs that may ask a lake."""
LEFT_OUT = pytest.StashKey[Counter[str]]()


class Elsewhere(Worlds):
    """Both servers, started when the first world asks, and the database and the prefix of each world."""

    def __init__(self) -> None:
        self.stack = ExitStack()
        self._worlds: dict[str, str] = {}

    @cached_property
    def postgres(self) -> servers.Postgres:
        return self.stack.enter_context(servers.postgres())

    @cached_property
    def s3(self) -> servers.S3:
        return self.stack.enter_context(servers.s3())

    def running_postgres(self) -> AbstractContextManager[servers.Postgres]:
        return nullcontext(self.postgres)

    def running_s3(self) -> AbstractContextManager[servers.S3]:
        return nullcontext(self.s3)

    def settings(self, world: Path) -> dict[str, str]:
        """Return the settings that lead to a world's lake, by their names in the environment; its database is made."""
        name = _name(world)
        if name not in self._worlds:
            self._worlds[name] = str(world.absolute())
            self.postgres.database(name)
        return self._settings(name)

    def copy(self, source: Path, target: Path) -> None:
        """Copy the lake of a world that is not open into one that has none."""
        old, new = _name(source), _name(target)
        self._worlds[new] = str(target.absolute())
        self.postgres.database(new, template=old)
        self.s3.copy(old, new)
        Place(target, WarehouseSettings()).make_folder()

    def of_command(self, words: Sequence[str], env: Mapping[str, str]) -> dict[str, str]:
        """Return the settings for a process: those of the world that its words name, else its environment; or none."""
        if not OURS.search(words[0]):  # the servers' own programs
            return {}
        told = " ".join(words)
        world = max((world for world in self._worlds.values() if world in told), key=len, default=env.get("LIQ_DATA"))
        return self.settings(Path(world)) if world and not SET_ELSEWHERE & env.keys() else {}

    def _settings(self, name: str) -> dict[str, str]:
        return {"LIQ_CATALOGUE": self.postgres.address(name), "LIQ_FILES": f"s3://lake/{name}", **self.s3.settings}


def _name(world: Path) -> str:
    return f"world_{hashlib.sha256(str(world.absolute()).encode()).hexdigest()[:16]}"


def pytest_configure(config: pytest.Config) -> None:
    """Lead every world to the servers."""
    elsewhere = Elsewhere()
    config.stash[LEFT_OUT] = Counter()
    config.add_cleanup(elsewhere.stack.close)
    WORLDS.append(elsewhere)
    place, popen = Place.__init__, subprocess.Popen.__init__

    def placed(self: Place, world: Path, settings: WarehouseSettings) -> None:
        if not GIVEN & settings.model_fields_set:
            own = {name.removeprefix(PREFIX).lower(): value for name, value in elsewhere.settings(world).items()}
            settings = WarehouseSettings(**settings.model_dump(exclude_unset=True), **own)
        place(self, world, settings)

    def started(self: "subprocess.Popen[Any]", args: Any, *given: Any, env: Any = None, **named: Any) -> None:
        told = dict(os.environ if env is None else env)
        words = [args] if isinstance(args, str) else list(map(str, args))
        if more := elsewhere.of_command(words, told):
            env = told | more
        popen(self, args, *given, env=env, **named)

    Place.__init__ = placed  # type: ignore[method-assign]
    subprocess.Popen.__init__ = started  # type: ignore[method-assign]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is about SQLite or files in a folder alone."""
    left_out = [item for item in items if item.get_closest_marker("local")]
    for item in left_out:
        marker = item.get_closest_marker("local")
        assert marker is not None
        (reason,) = marker.args
        config.stash[LEFT_OUT][reason] += 1
    items[:] = [item for item in items if item not in set(left_out)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let a worker of xdist pass on what it left out."""
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        output["left_out"] = dict(session.config.stash[LEFT_OUT])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take up what a worker left out; each of them has collected every test."""
    node.config.stash[LEFT_OUT] |= Counter(getattr(node, "workeroutput", {}).get("left_out", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was left out, and why."""
    for reason, count in sorted(config.stash[LEFT_OUT].items()):
        terminalreporter.write_line(f"left out: {count}: {reason}")
