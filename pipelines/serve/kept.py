"""Answers as of now: made once for all who ask the same, and anew in the background as long as somebody asks."""

import asyncio
import logging
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Generic, NamedTuple, TypeVar

from pipelines.serve import figures
from pipelines.serve.problems import BusyError, ProblemError
from pipelines.serve.readers import Readers
from warehouse.lake import Lake

LATELY_S = 60.0
"""An answer that was asked for twice with no longer between is kept new for so long after the last time."""
FRESH_S, OLD_S = 2.0, 60.0
"""A younger answer than FRESH_S is given to anybody; one that is kept new up to OLD_S, should making it take so long."""
LOOK_S = 1.0
EASE, REST_S = 2, 5.0
"""Between two rounds the background rests so many times as long as the round took, and REST_S at most, so that others get a
turn."""
SNAPSHOT = "SELECT id FROM ducklake_current_snapshot('lake')"

log = logging.getLogger(__name__)

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
T = TypeVar("T")


class Stamp(NamedTuple):
    """What an answer depends on: the lake's snapshot, and the minute of the clock. Of the same stamp it says the same."""

    snapshot: int
    minute: int


class Keeper:
    """Keeps all kinds of answers new, in one task. Asks the lake for its snapshot once a second at most."""

    def __init__(self, readers: Readers) -> None:
        self.kinds: list[Kept[Any, Any]] = []
        self._readers = readers
        self._seen: tuple[float, Stamp] | None = None
        self._looking = asyncio.Lock()

    async def run(self) -> None:
        """Make anew what is asked for, as often as the lake has something new, until cancelled."""
        while True:
            began = time.monotonic()
            try:
                if any(kind.is_asked(began) for kind in self.kinds):
                    stamp = await self.stamp()
                    for kind in self.kinds:
                        await kind.renew(stamp)
            except ProblemError:
                pass  # no lake now: whoever asks hears of it
            await asyncio.sleep(max(LOOK_S, min(REST_S, EASE * (time.monotonic() - began))))

    def measure(self) -> None:
        """Set the metrics of what is kept now."""
        for kind in self.kinds:
            figures.kept(kind.name, *kind.standing(time.monotonic()))

    async def stamp(self) -> Stamp:
        """Return what answers depend on now. Raises ProblemError."""
        async with self._looking:
            if self._seen is None or time.monotonic() - self._seen[0] > LOOK_S:
                found = await self._readers.read(_stamp)
                self._seen = time.monotonic(), found
            return self._seen[1]

    async def read(self, work: Callable[[Lake], T]) -> tuple[Stamp, T]:
        """Return what `work` returns, and what it depends on. Raises ProblemError."""
        return await self._readers.read(lambda lake: (_stamp(lake), work(lake)))


class _Entry(Generic[V]):
    """An answer. `made`, `asked`: by the monotonic clock; `is_wanted`: it was asked for again."""

    def __init__(self, value: V, stamp: Stamp, made: float, before: "_Entry[V] | None") -> None:
        self.value, self.stamp, self.made = value, stamp, made
        self.asked: float = before.asked if before else -LATELY_S
        self.is_wanted: bool = before is not None and before.is_wanted

    def ask(self, now: float) -> V:
        self.is_wanted = now - self.asked < LATELY_S
        self.asked = now
        return self.value

    def is_warm(self, now: float) -> bool:
        return self.is_wanted and now - self.asked < LATELY_S


class Kept(Generic[K, V]):
    """Answers of one kind, by what is asked. `name`: what metrics call it.

    `make` answers up to `at_once` questions together. Of the answers at most `most` are kept, with at most `most_bytes` by
    `size`: those asked for last. One that is not new, but at most `behind_s` seconds old, is given at once and made anew behind
    it: its age is said beside it.
    """

    def __init__(
        self, name: str, keeper: Keeper, make: Callable[[Lake, Sequence[K]], Mapping[K, V]], size: Callable[[V], int],
        at_once: int = 1, most: int = 300, most_bytes: int = 32 * 1024**2, behind_s: float = 0.0,
    ) -> None:  # fmt: skip
        self._behind_s = behind_s
        self.name, self._keeper, self._make, self._size = name, keeper, make, size
        self._at_once, self._most, self._most_bytes = at_once, most, most_bytes
        self._entries: dict[K, _Entry[V]] = {}
        self._making: dict[K, asyncio.Future[_Entry[V]]] = {}
        self._waiting: list[K] = []
        self._tasks: set[asyncio.Task[None]] = set()
        keeper.kinds.append(self)

    async def get(self, key: K) -> V:
        """Return the answer. Raises what `make` raises."""
        now = time.monotonic()
        entry = self._entries.get(key)
        is_good = entry is not None and await self._is_good(entry, now)
        is_old = entry is not None and not is_good and now - entry.made < self._behind_s
        figures.KEPT_REQUESTS.labels(self.name, "kept" if is_good else "old" if is_old else "made").inc()
        if is_old:
            self._ask_for([key])
        if entry is None or not (is_good or is_old):
            entry = (await self._made([key]))[key]
        return entry.ask(now)

    async def _is_good(self, entry: _Entry[V], now: float) -> bool:
        if now - entry.made < (OLD_S if entry.is_warm(now) else FRESH_S):
            return True
        return entry.stamp == await self._keeper.stamp()

    def is_asked(self, now: float) -> bool:
        """Tell whether anything is to be kept new."""
        return any(entry.is_warm(now) for entry in self._entries.values())

    def standing(self, now: float) -> tuple[int, int, float]:
        """Return how many answers are kept, their bytes, and the age in seconds of the oldest that is kept new; 0: none is."""
        made = [entry.made for entry in self._entries.values() if entry.is_warm(now)]
        size = sum(self._size(entry.value) for entry in self._entries.values())
        return len(self._entries), size, now - min(made, default=now)

    async def renew(self, stamp: Stamp) -> None:
        """Make anew what is asked for and is of another stamp, the oldest first."""
        now = time.monotonic()
        due = [key for key, entry in self._entries.items() if entry.is_warm(now) and entry.stamp != stamp]
        due.sort(key=lambda key: self._entries[key].made)
        for first in range(0, len(due), self._at_once):
            keys = due[first : first + self._at_once]
            try:
                await self._made(keys)
            except BusyError:
                continue  # what is kept is given, with its age, until it is too old
            except Exception as error:
                if not isinstance(error, ProblemError):
                    log.exception("an answer that is kept could not be made anew")
                for key in keys:  # the next one who asks hears why
                    self._entries.pop(key, None)

    async def _made(self, keys: Sequence[K]) -> Mapping[K, _Entry[V]]:
        """Return new answers; of those that are being made already, what comes of that."""
        return {key: await asyncio.shield(future) for key, future in self._ask_for(keys).items()}

    def _ask_for(self, keys: Sequence[K]) -> Mapping[K, "asyncio.Future[_Entry[V]]"]:
        """Have answers made, unless they are being made already."""
        for key in keys:
            if key not in self._making:
                future = self._making[key] = asyncio.get_running_loop().create_future()
                future.add_done_callback(_heard)
                self._waiting.append(key)
        made = {key: self._making[key] for key in keys}
        self._begin()
        return made

    def _begin(self) -> None:
        """Make what waits, as much of it together as may be: meanwhile the next ones gather."""
        while self._waiting and (self._at_once == 1 or not self._tasks):
            keys, self._waiting = self._waiting[: self._at_once], self._waiting[self._at_once :]
            task = asyncio.create_task(self._store(keys))
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._begin()

    async def _store(self, keys: Sequence[K]) -> None:
        began = time.monotonic()
        try:
            stamp, found = await self._keeper.read(lambda lake: self._make(lake, keys))
        except Exception as error:  # noqa: BLE001 whoever asks hears of it
            if len(keys) > 1 and isinstance(error, ProblemError) and error.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                for key in keys:  # one of them spoils it for the others
                    await self._store([key])
                return
            for key in keys:
                self._making.pop(key).set_exception(error)
            return
        for key in keys:
            entry = self._entries[key] = _Entry(found[key], stamp, began, self._entries.get(key))
            self._making.pop(key).set_result(entry)
        figures.KEPT_MADE.labels(self.name).inc(len(keys))
        self._forget()

    def _forget(self) -> None:
        total = sum(self._size(entry.value) for entry in self._entries.values())
        for key in sorted(self._entries, key=lambda key: max(self._entries[key].asked, self._entries[key].made)):
            if len(self._entries) <= self._most and total <= self._most_bytes:
                return
            total -= self._size(self._entries.pop(key).value)


def _heard(done: asyncio.Future[Any]) -> None:
    """Take an error as heard: maybe nobody waits for the answer any more."""
    if not done.cancelled():
        done.exception()


def _stamp(lake: Lake) -> Stamp:
    row = lake.connection.execute(SNAPSHOT).fetchone()
    return Stamp(row[0] if row else 0, int(time.time() // 60))
