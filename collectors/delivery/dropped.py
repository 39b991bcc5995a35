"""Frames that are given up, named: an event for each of their sessions, with exactly the numbers that are gone."""

from collections.abc import Iterable
from typing import NamedTuple

from collectors.envelope import Origin, RawFrame
from collectors.events import event_frame

MOST_RUNS = 2_000


class Name(NamedTuple):
    """What is left of a frame that was given up."""

    origin: Origin
    seq: int


class Runs:
    """Numbers, as runs of consecutive ones."""

    def __init__(self) -> None:
        self.runs: list[list[int]] = []
        self.count = 0

    def add(self, number: int) -> None:
        """Take in a number; they come in rising order."""
        self.count += 1
        if self.runs and number == self.runs[-1][1] + 1:
            self.runs[-1][1] = number
        else:
            self.runs.append([number, number])


def named(frame: RawFrame) -> Name:
    """Return what names a frame."""
    return Name(Origin(frame.venue, frame.transport, frame.session, frame.feed, frame.source), frame.seq)


def events(topic: str, names: Iterable[Name], reason: str) -> list[RawFrame]:
    """Return the events that say which frames of a topic were given up, by session."""
    found: dict[str, tuple[Name, Runs]] = {}
    for name in sorted(set(names), key=lambda name: (name.origin.session, name.seq)):
        found.setdefault(name.origin.session, (name, Runs()))[1].add(name.seq)
    return [event for name, runs in found.values() for event in _events(topic, name, runs, reason)]


def detail(topic: str, runs: Runs, reason: str) -> dict[str, object]:
    """Return the detail of a `dropped` event."""
    return {
        "topic": topic, "partition": None, "first_seq": runs.runs[0][0], "last_seq": runs.runs[-1][1], "frames": runs.count,
        "runs": runs.runs, "reason": reason,
    }  # fmt: skip


def _events(topic: str, name: Name, runs: Runs, reason: str) -> Iterable[RawFrame]:
    for start in range(0, len(runs.runs), MOST_RUNS):
        part = Runs()
        part.runs = runs.runs[start : start + MOST_RUNS]
        part.count = sum(last - first + 1 for first, last in part.runs)
        told = detail(topic, part, reason)
        yield event_frame(name.origin, part.runs[-1][1], "dropped", reason, told)
