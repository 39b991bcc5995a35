"""The pauses of a session: when it was connected but did not listen, or when its frames were dropped. Pure.

A poller pauses from `poll_stopped` until `resumed`. One of its channels pauses from the failure of a request for all symbols
until the channel's next answer; if one of many requests fails, that is no pause. Any session pauses from the last frame it
read before `paused` until `resumed`. If a second socket showed that a liquidation channel is dead, it is paused since its
last frame.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from collectors.envelope import ALL_SYMBOLS
from pipelines.derive.coverage.told import Told
from pipelines.kept import NOT_KEPT


class Pause(NamedTuple):
    """A time in which a session received nothing, of one channel or of some topics, if they are given (else of all).

    `end` None: until the session's end. `by_answers`: it ends with the channel's next frame, which not all topics keep.
    """

    start: datetime
    end: datetime | None
    reason: str
    channel: str | None = None
    topics: tuple[str, ...] = ()
    by_answers: bool = False

    def is_of(self, channel: str, topic: str) -> bool:
        """Say whether it is one of the channel, whose frames go to `topic`."""
        unknown = self.by_answers and topic in NOT_KEPT
        return not unknown and self.channel in (None, channel) and (not self.topics or topic in self.topics)


def pauses(events: Iterable[Told], answers: Mapping[str, list[datetime]]) -> Iterable[Pause]:
    """Yield the pauses that a session's events tell, oldest first; `answers`: when answers came, by channel."""
    open_: dict[str, Told] = {}
    for one in events:
        if one.event in ("poll_stopped", "paused"):
            open_.setdefault(one.event, one)
        elif one.event == "resumed":
            waited = one.detail.waited_s is not None or one.detail.since_ns is not None
            if first := open_.pop("paused" if waited else "poll_stopped", None):
                yield _pause(first, one.ts)
        elif one.event == "poll_failed" and one.detail.symbol == ALL_SYMBOLS:
            after = answers.get(one.detail.channel, [])
            at = bisect_right(after, one.ts)
            end = after[at] if at < len(after) else None
            yield Pause(one.ts, end, f"poll failed: {one.reason}", one.detail.channel, by_answers=True)
        elif one.event == "silent" and one.detail.channel:
            yield Pause(one.since, None, f"silent: {one.reason}", one.detail.channel)
    yield from (_pause(first, None) for first in open_.values())


def _pause(first: Told, end: datetime | None) -> Pause:
    if first.event == "poll_stopped":
        return Pause(first.ts, end, f"polls stopped: {first.reason}")
    return Pause(first.since, end, f"paused: {first.reason}", topics=first.detail.topics)
