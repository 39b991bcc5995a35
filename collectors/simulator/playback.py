"""Plays recorded frames to who listens, each once, at a set rate. A frame waits until somebody listens to its topic."""

import asyncio
from collections import deque
from collections.abc import Mapping

from collectors.simulator.recordings import Recorded
from collectors.simulator.truth import Truth
from collectors.venues.binance.simulator import BinanceProtocol
from collectors.venues.bybit.simulator import BybitProtocol
from collectors.venues.okx.simulator import OkxProtocol

Hosts = Mapping[str, BinanceProtocol | BybitProtocol | OkxProtocol]
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
        for topic in recorded.topics:
            if not protocol.host.topics.get(topic):
                continue
            if isinstance(protocol, BinanceProtocol):
                single = topic.startswith("!markPrice@arr") and recorded.payload.startswith(b"{")
                heard = protocol.publish(topic, b"[%b]" % recorded.payload if single else recorded.payload)
            else:
                heard = protocol.host.publish(topic, recorded.payload)
            if heard:
                self._truth.wrote(recorded.venue, topic.partition("/")[2] or topic, heard)
                return True
        return False
