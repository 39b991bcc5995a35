"""The frames of one topic on their way to Kafka, oldest first: those on disk, then those in memory.

What is in memory goes to disk when it has waited for some moments, and what is on disk is sent first, so the order is kept.
What Kafka is being sent stays where it is until Kafka has it.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from errno import EIO, ENOENT
from itertools import islice
from typing import ParamSpec, TypeVar

import msgspec

from collectors.delivery.spool import Place, Spool
from collectors.envelope import RawFrame
from collectors.errors import CollectorError

FRAME_OVERHEAD = 400
"""Bytes a waiting frame takes in memory beside its payload."""
GONE = (ENOENT, EIO)

P = ParamSpec("P")
T = TypeVar("T")


class UnreadableError(CollectorError):
    """A file of the spool is not there any more, or the disk does not give it back."""


class Pool:
    """The memory that all lanes share."""

    def __init__(self) -> None:
        self.frames = 0
        self.bytes = 0


class Chunk(msgspec.Struct, eq=False):
    """The oldest frames of a lane, to be sent. `rest`: those of them that Kafka has not acknowledged."""

    frames: Sequence[RawFrame]
    rest: list[RawFrame]
    place: Place | None = None
    """Behind the last of them, where they are on disk."""
    is_out: bool = False
    """Whether a producer has them, so that they may yet reach Kafka."""
    is_dropped: bool = False

    @property
    def count(self) -> int:
        """How many frames it had at first."""
        return len(self.frames)


class Lane:
    """One topic. `spool` None: memory only."""

    def __init__(self, topic: str, pool: Pool, spool: Spool | None, moments: int) -> None:
        self.topic = topic
        self.filled = asyncio.Event()
        self.lock = asyncio.Lock()
        self.flying: Chunk | None = None
        self.frames = 0
        """In memory."""
        self.bytes = 0
        self.damaged = 0
        """Bytes on disk that could not be read as frames, since somebody last told of them."""
        self._pool = pool
        self._spool = spool
        self._memory: deque[RawFrame] = deque()
        self._put = self._gone = 0
        self._marks: deque[int] = deque(maxlen=moments)

    def put(self, frame: RawFrame) -> None:
        """Take a frame; returns at once."""
        self._memory.append(frame)
        self._put += 1
        self._count(1, len(frame.payload) + FRAME_OVERHEAD)
        self.filled.set()

    @property
    def is_on_disk(self) -> bool:
        """Whether the oldest are on disk."""
        return self._spool is not None and self._spool.waits(self.topic)

    @property
    def waits(self) -> bool:
        """Whether Kafka lacks anything of this topic."""
        return bool(self._memory) or self.is_on_disk

    def is_late(self) -> bool:
        """Say whether memory is to go to disk: where others are, or what was put `moments` ago. Called once a moment."""
        late = len(self._marks) == self._marks.maxlen and self._gone < self._marks[0]
        self._marks.append(self._put)
        return bool(self._memory) and (late or self.is_on_disk)

    async def take(self, most_frames: int, most_bytes: int) -> Chunk | None:
        """Return the oldest frames, which stay here until `settle`; None where nothing waits.

        Raises UnreadableError where the oldest file is lost, and set aside, OSError where it cannot be read now.
        """
        async with self.lock:
            self.flying = None
            while self._spool is not None and self._spool.waits(self.topic):
                try:
                    taken = await in_thread(self._spool.take, self.topic, most_frames, most_bytes)
                except OSError as error:
                    if error.errno not in GONE:
                        raise
                    lost = self._spool.of(self.topic)[0]
                    self._spool.take_out(lost)
                    self._spool.set_aside(lost)
                    raise UnreadableError(str(error)) from error
                self.damaged += taken.damaged
                if taken.frames:
                    self.flying = Chunk(taken.frames, taken.frames, taken.place)
                    return self.flying
                await in_thread(self._spool.settle, self.topic, taken.place)
            if frames := self._oldest(most_frames, most_bytes):
                self.flying = Chunk(frames, frames)
            return self.flying

    async def settle(self, chunk: Chunk) -> None:
        """Forget a chunk: Kafka has it, or will not have it."""
        async with self.lock:
            self.flying = None
            if chunk.place is None:
                self._forget(chunk.count)
            elif self._spool is not None and not chunk.is_dropped:
                await in_thread(self._spool.settle, self.topic, chunk.place)

    async def spill(self) -> OSError | None:
        """Bring to disk what is in memory; return why that failed, after as much of it as went."""
        async with self.lock:
            if self._spool is None or not self._memory:
                return None
            flying = self.flying
            if flying is not None and flying.place is None:
                head = list(islice(self._memory, flying.count))
                try:
                    flying.place = await in_thread(self._spool.append_whole, self.topic, head)
                except OSError as error:
                    return error
                self._forget(flying.count)
            written = await in_thread(self._spool.append, self.topic, list(self._memory))
            self._forget(written.frames)
            return written.error

    def _oldest(self, most_frames: int, most_bytes: int) -> list[RawFrame]:
        frames, size = [], 0
        for frame in islice(self._memory, most_frames):
            frames.append(frame)
            size += len(frame.payload)
            if size >= most_bytes:
                break
        return frames

    def _forget(self, count: int) -> None:
        """Take the oldest out of memory."""
        size = sum(len(self._memory.popleft().payload) + FRAME_OVERHEAD for _ in range(count))
        self._gone += count
        self._count(-count, -size)

    def _count(self, frames: int, size: int) -> None:
        self.frames += frames
        self.bytes += size
        self._pool.frames += frames
        self._pool.bytes += size


async def in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `work` in a thread; when cancelled, end only with it, so that no two threads work on one file."""
    running = asyncio.ensure_future(asyncio.to_thread(work, *args, **kwargs))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise
