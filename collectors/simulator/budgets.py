"""The venues' request limits, as counters of sliding or fixed windows. Pure; the clock is passed in, in seconds."""

from collections import deque


class Window:
    """At most `limit` units in any `seconds`."""

    def __init__(self, limit: int, seconds: float) -> None:
        self.limit = limit
        self.seconds = seconds
        self._taken: deque[tuple[float, int]] = deque()
        self.used = 0

    def take(self, now: float, units: int = 1) -> bool:
        """Use up units; False, and nothing used, where that is over the limit."""
        while self._taken and now - self._taken[0][0] >= self.seconds:
            self.used -= self._taken.popleft()[1]
        if self.used + units > self.limit:
            return False
        self._taken.append((now, units))
        self.used += units
        return True

    def left(self) -> int:
        """Units left, as of the last `take`."""
        return self.limit - self.used

    def wait_s(self, now: float) -> float:
        """Seconds until the oldest units are given back."""
        return max(0.0, self.seconds - (now - self._taken[0][0])) if self._taken else 0.0


class Ladder:
    """A budget of weight a minute and what follows: 429 over it, 418 for `ban_s` after `patience` more requests."""

    def __init__(self, limit: int = 2400, patience: int = 20, ban_s: float = 120.0) -> None:
        self.weight = Window(limit, 60.0)
        self._patience = patience
        self._ban_s = ban_s
        self._ignored = 0
        self._banned_until = float("-inf")

    def status(self, now: float, weight: int) -> tuple[int, int]:
        """Use up weight; return the HTTP status (200, 429 or 418) and the seconds for Retry-After."""
        if now < self._banned_until:
            return 418, int(self._banned_until - now) + 1
        if self.weight.take(now, weight):
            self._ignored = 0
            return 200, 0
        self._ignored += 1
        if self._ignored <= self._patience:
            return 429, int(self.weight.wait_s(now)) + 1
        self._banned_until, self._ignored = now + self._ban_s, 0
        return 418, int(self._ban_s)
