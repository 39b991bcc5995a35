"""Frames on disk, by topic, until Kafka has them: what waits longer than a moment survives the end of the process.

Bounded by bytes and by age. Each topic has its files; the oldest is read first, and given up first. Who calls `append`,
`take` or `settle` has the lock of the topic's lane, so one thread at a time works on a topic; these three block.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from collectors.delivery.folder import Folder
from collectors.delivery.segment import Segment
from collectors.envelope import RawFrame
from collectors.topics import BY_WORTH

MIB = 1024 * 1024
LARGEST_SEGMENT = 8 * MIB
SMALLEST_SEGMENT = 64 * 1024
SEGMENTS = 64
PORTION_BYTES = MIB
MOST_FRAMES = 10_000
UNREADABLE = ".unreadable"

log = logging.getLogger(__name__)


class Place(NamedTuple):
    """A place between two frames of a file: where, and how many frames are between it and the place before it."""

    segment: Segment
    end: int
    frames: int


class Written(NamedTuple):
    """How many frames were written, and why not all were."""

    frames: int
    error: OSError | None


class Taken(NamedTuple):
    """Frames read, the place behind them, and bytes on the way that could not be read."""

    frames: list[RawFrame]
    place: Place
    damaged: int


class Spool:
    """The spool of one process below `root`. `bound`: bytes on disk; `sync`: wait until the disk itself has each write."""

    def __init__(self, root: Path, bound: int, sync: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self.bound = bound
        self._root = root
        self._sync = sync
        self._clock = clock
        self._largest = min(LARGEST_SEGMENT, max(SMALLEST_SEGMENT, bound // SEGMENTS))
        self._topics: dict[str, deque[Segment]] = {topic: deque() for topic in BY_WORTH}
        self._written: dict[Path, float] = {}
        self._own: Folder | None = None
        self._left: list[Folder] = []
        self._told: set[str] = set()
        self._books = threading.Lock()

    @property
    def bytes(self) -> int:
        """What lies on disk."""
        return sum(segment.size for topic in self._topics for segment in self.of(topic))

    @property
    def frames(self) -> int:
        """How many frames wait on disk."""
        return sum(segment.waiting for topic in self._topics for segment in self.of(topic))

    def of(self, topic: str) -> tuple[Segment, ...]:
        """Return a topic's files, oldest first."""
        return tuple(self._topics[topic])

    def waits(self, topic: str) -> bool:
        """Say whether frames of a topic are here."""
        return bool(self._topics[topic])

    def age_s(self, segment: Segment) -> float:
        """Return how long ago the last frame was written to a file."""
        return self._clock() - self._written.get(segment.path, self._clock())

    def append(self, topic: str, frames: Sequence[RawFrame]) -> Written:
        """Write frames behind those that are here, as many as the disk takes."""
        done = 0
        try:
            for portion in _portions(frames):
                self.append_whole(topic, portion)
                done += len(portion)
        except OSError as error:
            return Written(done, error)
        return Written(done, None)

    def append_whole(self, topic: str, frames: Sequence[RawFrame]) -> Place:
        """Write frames behind those that are here, all or none; return the place behind them. Raises OSError."""
        try:
            segment = self._tail(topic)
            segment.append(frames, self._sync)
        except FileNotFoundError:  # somebody deleted the folder: the next try makes another
            self._own = None
            raise
        self._written[segment.path] = self._clock()
        return Place(segment, segment.size, len(frames))

    def take(self, topic: str, most_frames: int, most_bytes: int) -> Taken:
        """Read the oldest frames of a topic, out of one file; they stay until `settle`. Raises OSError."""
        segment = self._topics[topic][0]
        frames, end, damaged = segment.read(segment.first, most_frames, most_bytes)
        return Taken(frames, Place(segment, end, len(frames)), damaged)

    def settle(self, topic: str, place: Place) -> None:
        """Forget what lies before a place: Kafka has it."""
        place.segment.settle(place.end, place.frames)
        if place.segment.is_done:
            self._remove(topic, place.segment)

    def take_out(self, segment: Segment) -> None:
        """Take a file out of its topic: nobody reads or writes it any more. Its `remains` may be read, then `discard` it."""
        self._topics[segment.topic].remove(segment)
        self._written.pop(segment.path, None)

    def remains(self, segment: Segment) -> Iterator[RawFrame]:
        """Yield the frames of a file that Kafka lacks. Blocks. Raises OSError."""
        at = segment.first
        while at < segment.size:
            frames, at, _ = segment.read(at, MOST_FRAMES, PORTION_BYTES)
            yield from frames

    def discard(self, segment: Segment) -> None:
        """Delete a file that was taken out. Where the disk does not let go of it, the next process finds it again. Blocks."""
        try:
            segment.remove()
        except OSError as error:
            self._tell_once(f"{segment.path} was given up and cannot be deleted: {error}")

    def set_aside(self, segment: Segment) -> None:
        """Keep a file that was taken out and cannot be read on disk, under another name."""
        with suppress(OSError):
            segment.path.rename(segment.path.with_suffix(UNREADABLE))

    def adopt(self) -> int:
        """Take over what processes of this world left that have ended; return how many frames. Blocks.

        They go before what is here: whoever has a place in a file keeps it.
        """
        now, wall, count = self._clock(), time.time(), 0
        with self._books:
            left = Folder.left(self._root)
            for folder in reversed(left):
                segments, faults = folder.segments()
                for fault in faults:
                    self._tell_once(fault)
                for segment in reversed(segments):
                    if segment.topic not in self._topics:
                        self._tell_once(f"{segment.path} is of a topic that is not known and stays")
                    elif segment.is_done:
                        segment.remove()
                    else:
                        self._written[segment.path] = now - max(0.0, wall - segment.path.stat().st_mtime)
                        self._topics[segment.topic].appendleft(segment)
                        count += segment.waiting
            self._left += left
        self.tidy()
        return count

    def tidy(self) -> None:
        """Delete the folders that were taken over and are empty by now. Blocks."""
        with self._books:
            held = {segment.path.parent.parent for topic in self._topics for segment in self.of(topic)}
            for folder in [folder for folder in self._left if folder.path not in held]:
                self._left.remove(folder)
                folder.remove()

    def close(self) -> None:
        """Let go of the files; those with frames stay for the next process."""
        with self._books:
            for folder in [*self._left, *([self._own] if self._own else [])]:
                folder.remove()
            self._left, self._own = [], None

    def _tell_once(self, fault: str) -> None:
        if fault not in self._told:
            self._told.add(fault)
            log.error("spool: %s", fault)

    def _tail(self, topic: str) -> Segment:
        """Return the file to append to: one of ours that has room, else a new one. Raises OSError."""
        segments = self._topics[topic]
        tail = segments[-1] if segments else None
        if tail and self._own and tail.size < self._largest and tail.path.is_relative_to(self._own.path):
            return tail
        with self._books:
            self._own = self._own or Folder.make(self._root)
        segments.append(self._own.segment(topic, self._sync))
        return segments[-1]

    def _remove(self, topic: str, segment: Segment) -> None:
        if segment in self._topics[topic]:
            self._topics[topic].remove(segment)
        segment.remove()
        self._written.pop(segment.path, None)


def _portions(frames: Sequence[RawFrame]) -> Iterator[list[RawFrame]]:
    """Cut frames into lists of about a MiB."""
    portion: list[RawFrame] = []
    size = 0
    for frame in frames:
        portion.append(frame)
        size += len(frame.payload)
        if size >= PORTION_BYTES:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion
