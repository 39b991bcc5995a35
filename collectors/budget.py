"""A token bucket: how much may be done now within a venue's limits, and how long to wait for more."""

import asyncio
import time
from collections.abc import Callable

from collectors.venues.venue import Rate

ROUNDING = 1e-9


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

    async def spend(self, cost: float = 1.0) -> None:
        """Wait until `cost` may be spent, in the order of asking, and spend it."""
        async with self._turn:
            await asyncio.sleep(self.wait_s(cost))
            self.take(cost)
