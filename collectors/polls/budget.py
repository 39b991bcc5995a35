"""How much a venue allows to be asked: token buckets, and the budget that every poller of this process draws on."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Hashable, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from collectors.venues.venue import Rate, Venue

ROUNDING = 1e-9
SAME_STOP_S = 1.0


class Bucket:
    """At most `share` of the venue's rate, in any period: a burst of at most `burst`, and the rest refilled evenly.

    The refill is slower than the rate by the burst, so that both together stay within it.
    """

    def __init__(
        self, rate: Rate, share: float = 1.0, burst: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = rate.most * share
        self.burst = min(self._limit / 2, self._limit / 4 if burst is None else burst)
        self.per_s = (self._limit - self.burst) / rate.per_s
        self._tokens = self.burst
        self._clock = clock
        self._at = clock()
        self._turn = asyncio.Lock()

    def wait_s(self, cost: float = 1.0) -> float:
        """Return the seconds until `cost` may be spent; 0 when it may be now. What exceeds a burst leaves a debt."""
        now = self._clock()
        self._tokens = min(self.burst, self._tokens + (now - self._at) * self.per_s)
        self._at = now
        missing = min(cost, self.burst) - self._tokens
        return missing / self.per_s if missing > ROUNDING else 0.0

    def take(self, cost: float = 1.0) -> None:
        """Spend `cost` now."""
        self.wait_s(cost)
        self._tokens -= cost

    def seen(self, used: float) -> None:
        """Heed the venue's own count of what was used in this period, by us and by others of the same address."""
        self.wait_s()
        self._tokens = min(self._tokens, self._limit - used)

    def drain(self) -> None:
        """Leave nothing for a burst: only what is refilled from now on may be spent."""
        self.wait_s()
        self._tokens = min(self._tokens, 0.0)

    async def spend(self, cost: float = 1.0) -> None:
        """Wait until `cost` may be spent, in the order of asking, and spend it."""
        async with self._turn:
            await asyncio.sleep(self.wait_s(cost))
            self.take(cost)


class Stop(NamedTuple):
    """A venue is not to be asked until a time of our clock; `seconds` from when it said so."""

    until: float
    seconds: float
    reason: str


class Budget:
    """What a venue allows one address to ask by REST: a bucket for each of its limits, and whether it told us to stop.

    After a stop one request goes ahead alone; the others follow, without a burst, once that one was answered.
    """

    def __init__(self, rates: Mapping[str, Rate], share: float) -> None:
        self._buckets = {name: Bucket(rate, share) for name, rate in rates.items()}
        self._tried = False
        self._changed = asyncio.Event()
        self.stopped: Stop | None = None

    @asynccontextmanager
    async def request(self, name: str, cost: float = 1.0) -> AsyncIterator[None]:
        """Hold while one request is made: waits until `cost` of the named limit may be spent and nothing is stopped."""
        tries = await self._allowed(False)
        try:
            await self._buckets[name].spend(cost)
            tries = await self._allowed(tries)
            yield
        finally:
            if tries:
                self._tried = False
                self._changed.set()

    def seen(self, name: str, used: float) -> None:
        """Heed the venue's own count of what was used of a limit."""
        self._buckets[name].seen(used)

    def stop(self, seconds: float, reason: str) -> None:
        """Let nothing be asked for so long; what is already stopped as long stays as it is."""
        now = time.monotonic()
        if self.stopped and now < self.stopped.until and now + seconds <= self.stopped.until + SAME_STOP_S:
            return
        self.stopped = Stop(now + seconds, seconds, reason)
        for bucket in self._buckets.values():
            bucket.drain()

    def answered(self) -> None:
        """Say that the venue gave an answer: a stop whose time is over ends."""
        if self.stopped and time.monotonic() >= self.stopped.until:
            self.stopped = None
            self._changed.set()

    async def _allowed(self, tries: bool) -> bool:
        """Wait out a stop; return whether this is the one request that tries whether the venue answers again."""
        while self.stopped:
            wait_s = self.stopped.until - time.monotonic()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            elif tries or not self._tried:
                self._tried = True
                return True
            else:
                self._changed.clear()
                await self._changed.wait()
        return tries


_budgets = WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Hashable, Budget]]()


def shared(venue: Venue, share: float) -> Budget:
    """Return the one budget of a venue at its addresses, for every poller of the running event loop.

    Venues count by address, so two services side by side have no more than one. `share` of each published limit, as the
    first to ask has it, is used at most.
    """
    known = _budgets.setdefault(asyncio.get_running_loop(), {})
    key = venue.name, frozenset(urlsplit(poll.url).netloc for poll in venue.polls)
    if key not in known:
        known[key] = Budget(venue.budgets, share)
    return known[key]
