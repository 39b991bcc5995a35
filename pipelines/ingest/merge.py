"""Partitions merged by the time the broker took their records, so that what is stored never depends on which was read first.

A record of one partition waits until everything that the broker took before it has been read of every other. For a
partition that has more to be read, that is up to the last record read; for one read to its end, up to the broker's clock when
it was asked for that end. The broker's clock is never asked for: it is at least the time of the newest record, and what has
gone by since that was read.
"""

import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from heapq import merge
from itertools import accumulate, chain, islice
from typing import NamedTuple

from collectors.envelope import MS_NS, RawFrame
from pipelines.ingest.consume import Malformed, Slice
from pipelines.ingest.incarnation import Partition

AHEAD_RECORDS = 5_000
AHEAD_BYTES = 2 * 1024 * 1024
"""What may wait of a partition that is ahead of another; then it is not read on."""


def turn_ms(frame: RawFrame) -> int:
    """Return when the broker took a record, UTC milliseconds; of a topic that does not say it, when the frame arrived."""
    return frame.appended_ms or frame.at_ns // MS_NS


class _Waiting(NamedTuple):
    found: Slice
    turns: list[int]  # of each record, never falling
    bytes: int


class _Part:
    """What waits of one partition. `turn`: the last record's; before `asked`, `end` was the end."""

    def __init__(self, position: int) -> None:
        self.slices: deque[_Waiting] = deque()
        self.turn = 0
        self.position = position
        self.released = position
        self.end: int | None = None
        self.asked = 0
        self.records = self.bytes = 0

    def add(self, found: Slice) -> None:
        turns = list(accumulate(_turns(found), max, initial=self.turn))[1:]
        self.turn, self.position = turns[-1], found.next
        self._wait(self.slices.append, found, turns)

    def complete_to(self) -> int:
        """Return the turn before which nothing more can come."""
        return self.turn if self.end is None or self.position < self.end else max(self.asked, self.turn)

    def release(self, before: int) -> Iterable[Slice]:
        while self.slices and (number := bisect_left(self.slices[0].turns, before)):
            found, turns, size = self.slices.popleft()
            self.records -= len(turns)
            self.bytes -= size
            if number < len(turns):
                found, rest = _cut(found, number)
                self._wait(self.slices.appendleft, rest, turns[number:])
            self.released = found.next
            yield found

    def _wait(self, put: Callable[[_Waiting], None], found: Slice, turns: list[int]) -> None:
        size = sum([len(frame.payload) for frame in found.frames])
        put(_Waiting(found, turns, size))
        self.records += len(turns)
        self.bytes += size


class Merge:
    """What was read and waits for its turn. `positions`: from where each partition is read; `clock`: monotonic seconds."""

    def __init__(self, positions: Mapping[Partition, int], clock: Callable[[], float] = time.monotonic) -> None:
        self._parts = {at: _Part(position) for at, position in sorted(positions.items())}
        self._clock = clock
        self._newest = (0, clock())
        self.released_ms = 0
        """The turn before which everything has been handed out."""

    def add(self, slices: Iterable[Slice]) -> None:
        """Take what was read."""
        for found in slices:
            part = self._parts[found.partition]
            part.add(found)
            if part.turn > self.broker_ms():
                self._newest = (part.turn, self._clock())

    def broker_ms(self) -> int:
        """Return a time that the broker's clock has reached, UTC milliseconds; 0 before the first record."""
        newest, read = self._newest
        return newest + int((self._clock() - read) * 1000) if newest else 0

    def ended(self, ends: Mapping[Partition, int], asked_ms: int) -> None:
        """Take the partitions' ends; `asked_ms` is `broker_ms()` before they were asked for."""
        for at, end in ends.items():
            if part := self._parts.get(at):
                part.end, part.asked = end, asked_ms

    @property
    def complete_ms(self) -> int:
        """The turn before which everything has been read of every partition."""
        return min(part.complete_to() for part in self._parts.values())

    def release(self, most: int | None = None) -> list[Slice]:
        """Hand out what is due, partition by partition; `most`: about so many records, those of the earliest turns."""
        if most == 0:
            return []
        self.released_ms = self.complete_ms if most is None else min(self.complete_ms, self._turn_after(most))
        return [found for part in self._parts.values() for found in part.release(self.released_ms)]

    def _turn_after(self, most: int) -> int:
        """Return a turn before which the first `most` waiting records lie, and those of the same turn as the last of them."""
        if self.records <= most:
            return self.complete_ms
        turns = merge(*(chain.from_iterable(each.turns for each in part.slices) for part in self._parts.values()))
        return next(islice(turns, most - 1, None)) + 1

    @property
    def is_due(self) -> bool:
        """Whether records wait that could be handed out now."""
        before = self.complete_ms
        return any(part.slices and part.slices[0].turns[0] < before for part in self._parts.values())

    def wanted(self) -> Collection[Partition]:
        """Return the partitions to read on: those that are not far ahead, and those that the others wait for."""
        before = self.complete_ms
        return [
            at
            for at, part in self._parts.items()
            if (part.records < AHEAD_RECORDS and part.bytes < AHEAD_BYTES) or part.complete_to() == before
        ]

    def released(self, ends: Mapping[Partition, int]) -> bool:
        """Tell whether everything before `ends` has been handed out."""
        return all(self._parts[at].released >= end for at, end in ends.items())

    def unread(self, ends: Mapping[Partition, int]) -> int:
        """Return how many records before `ends` have not been read."""
        return sum(max(0, end - self._parts[at].position) for at, end in ends.items())

    @property
    def records(self) -> int:
        """How many records wait."""
        return sum(part.records for part in self._parts.values())

    @property
    def bytes(self) -> int:
        """How many bytes of frames wait."""
        return sum(part.bytes for part in self._parts.values())


def _turns(found: Slice) -> list[int]:
    turns = [frame.appended_ms or frame.at_ns // MS_NS for frame in found.frames]
    if not found.malformed:
        return turns
    all_ = sorted([*found.frames, *(each.frame for each in found.malformed)], key=lambda frame: frame.offset)
    return [turn_ms(frame) for frame in all_]


def _cut(found: Slice, number: int) -> tuple[Slice, Slice]:
    """Return the first `number` records of a slice, and the rest."""
    if not found.malformed:
        at = found.frames[number].offset
    else:
        offsets = sorted([frame.offset for frame in found.frames] + [each.frame.offset for each in found.malformed])
        at = offsets[number]
    return cut_at(found, at)


def cut_at(found: Slice, at: float) -> tuple[Slice, Slice]:
    """Return the records of a slice before an offset, and those from it on; either may be empty."""
    middle = int(min(max(at, found.start), found.next))
    frames = bisect_left(found.frames, middle, key=lambda frame: frame.offset)
    bad = bisect_left(found.malformed, middle, key=_offset)
    return (
        found._replace(next=middle, frames=found.frames[:frames], malformed=found.malformed[:bad]),
        found._replace(start=middle, frames=found.frames[frames:], malformed=found.malformed[bad:]),
    )


def _offset(each: Malformed) -> int:
    return each.frame.offset
