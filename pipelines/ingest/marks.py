"""Which frames are stored already, so that each is stored once, however often it reaches Kafka or Kafka is read again.

A collector hands the frames of a session to a partition in the order of their numbers, so a number at or below the highest
one stored from that partition is stored too.
"""

from collections.abc import Mapping, Sequence
from itertools import islice
from operator import gt

from collectors.envelope import RawFrame

MOST = 200_000  # sessions and partitions kept in mind; those not heard for longest are forgotten first
Mark = tuple[str, str, int]  # session, topic, partition


class Marks:
    """The highest number of each session and partition. `known`: what the warehouse has, those heard last at the end."""

    def __init__(self, known: Mapping[Mark, int] | None = None) -> None:
        self._highest = dict(known or {})

    def fresh(self, frames: Sequence[RawFrame]) -> tuple[Sequence[RawFrame], list[RawFrame]]:
        """Return the frames of one partition that are not stored, and those that are; the first count as stored from now on."""
        if not frames:
            return frames, []
        sessions = [frame.session for frame in frames]
        if sessions.count(sessions[0]) == len(sessions):
            return self._of_session(frames)
        by_session: dict[str, list[RawFrame]] = {}
        for frame in frames:
            by_session.setdefault(frame.session, []).append(frame)
        again = [frame for own in by_session.values() for frame in self._of_session(own)[1]]
        if not again:
            return frames, again
        stored = {frame.offset for frame in again}
        return [frame for frame in frames if frame.offset not in stored], again

    def _of_session(self, frames: Sequence[RawFrame]) -> tuple[Sequence[RawFrame], list[RawFrame]]:
        first = frames[0]
        mark = first.session, first.topic, first.partition
        highest = self._highest.pop(mark, -1)  # and put back behind all others
        seqs = [frame.seq for frame in frames]
        if seqs[0] > highest and all(map(gt, islice(seqs, 1, None), seqs)):
            self._set(mark, seqs[-1])
            return frames, []
        new: list[RawFrame] = []
        again: list[RawFrame] = []
        for frame in frames:
            if frame.seq > highest:
                highest = frame.seq
                new.append(frame)
            else:
                again.append(frame)
        self._set(mark, highest)
        return new, again

    def _set(self, mark: Mark, highest: int) -> None:
        self._highest[mark] = highest
        if len(self._highest) > MOST:
            del self._highest[next(iter(self._highest))]
