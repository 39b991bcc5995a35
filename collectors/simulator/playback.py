"""Plays recorded frames to who listens, each once, at a set rate. A frame waits until somebody listens to its topic."""

import asyncio
from collections import deque
from collections.abc import Mapping

from collectors.simulator.host import Protocol
from collectors.simulator.recordings import Recorded
from collectors.simulator.truth import Truth

Hosts = Mapping[str, Protocol]
TICK_S = 0.02
IDLE_S = 1.0


class Playback:
    """`waiting`: frames not sent yet. `finished` once all are sent, or the rest has had no listener for a second."""

    def __init__(
        self, recorded: list[Recorded], hosts: Hosts, rate: float, truth: Truth, finished: asyncio.Event
    ) -> None:
        self.waiting = deque(recorded)
        self._hosts = hosts
        self._rate = rate
        self._truth = truth
        self._finished = finished

    async def run(self) -> None:
        """Send until cancelled."""
        owed = idle = 0.0
        started = False
        while True:
            await asyncio.sleep(TICK_S)
            owed = min(owed + TICK_S * self._rate, max(1.0, self._rate / 5))
            sent = self._send(int(owed))
            owed -= sent
            started = started or sent > 0
            idle = 0.0 if sent or owed < 1 else idle + TICK_S
            if not self.waiting or (started and idle >= IDLE_S):
                self._finished.set()

    def _send(self, most: int) -> int:
        """Send up to `most` of those that have a listener, in their order; return how many."""
        sent = 0
        for _ in range(len(self.waiting)):
            if sent >= most:
                break
            recorded = self.waiting.popleft()
            if self._deliver(recorded):
                sent += 1
            else:
                self.waiting.append(recorded)
        return sent

    def _deliver(self, recorded: Recorded) -> bool:
        protocol = self._hosts[recorded.host]
        for topic, payload in recorded.payloads.items():
            if heard := protocol.publish(topic, payload):
                self._truth.wrote(recorded.venue, topic.partition("/")[2] or topic, heard)
                return True
        return False
