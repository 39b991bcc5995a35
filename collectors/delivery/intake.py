"""What a socket's session does with its frames when there is no room for them: wait a little, then name what it gives up.

While a session does not read, the venue's pings stay unanswered behind the data, and the venue or the keepalive ends the
connection. So after some seconds of waiting it reads on: what there is room for is kept, the rest is counted and named.
"""

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple

from collectors import moment
from collectors.delivery import dropped
from collectors.delivery.recorder import Recorder, Sink
from collectors.moment import Moment
from collectors.topics import DEAD_LETTER
from collectors.venues.venue import Frame

PATIENCE_S = 5.0
TELL_S = 30.0
REASON = "Kafka did not take frames"


class _Pause(NamedTuple):
    """Since when: the last frame kept, and monotonic seconds."""

    since: Moment
    began: float


class Intake:
    """A session's frames to its recorder. `hold` and `release` are called around a wait, in which nothing is read."""

    def __init__(self, recorder: Recorder, sink: Sink, hold: Callable[[], None], release: Callable[[], None]) -> None:
        self._recorder = recorder
        self._sink = sink
        self._hold = hold
        self._release = release
        self._kept = moment.now()
        self._pause: _Pause | None = None
        self._is_waiting = False
        self._given_up: dict[str, dropped.Runs] = {}
        self._topics: set[str] = set()
        self._told_at = 0.0

    async def take(self, payload: bytes, name: Frame | None, recv_ns: int) -> None:
        """Keep a frame, or give it up where there has been no room for its topic for some seconds."""
        topic, came = name.topic if name else DEAD_LETTER, Moment(recv_ns, moment.steady_ns())
        if self._sink.takes(topic) or await self._room(topic):
            self._recorder.frame(payload, name, *came)
            self._kept = came
        else:
            self._topics.add(topic)
            self._given_up.setdefault(topic, dropped.Runs()).add(self._recorder.skip(topic))

    def look(self) -> bool:
        """Tell of what was given up and of the end of a pause. Say whether one ended in which frames were given up."""
        if self._pause is None or self._is_waiting:
            return False
        is_over = all(map(self._sink.takes, self._topics))
        now = time.monotonic()
        if (
            is_over
            or now - self._told_at > TELL_S
            or any(len(r.runs) > dropped.MOST_RUNS for r in self._given_up.values())
        ):
            self.tell()
            self._told_at = now
        if is_over:
            self._resume()
        return is_over

    def tell(self) -> None:
        """Name what was given up since the last time."""
        for topic, runs in self._given_up.items():
            self._recorder.event("dropped", REASON, **dropped.detail(topic, runs, REASON))
        self._given_up = {}

    async def _room(self, topic: str) -> bool:
        """Wait a little for room, at the begin of a pause only."""
        if self._pause is not None:
            return False
        self._pause = _Pause(self._kept, time.monotonic())
        self._told_at = self._pause.began
        self._topics = {topic}
        self._recorder.event("paused", REASON, since_ns=self._kept.by_the_wall_clock_of_now(), topics=[topic])
        self._hold()
        self._is_waiting = True
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._sink.room(topic)
        except TimeoutError:
            return False
        finally:
            self._is_waiting = False
            self._release()
        self._resume()
        return True

    def _resume(self) -> None:
        assert self._pause is not None
        waited_s = round(time.monotonic() - self._pause.began, 1)
        since_ns = self._pause.since.by_the_wall_clock_of_now()
        self._recorder.event("resumed", "reading goes on", since_ns=since_ns, waited_s=waited_s)
        self._pause = None
