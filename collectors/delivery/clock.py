"""By how much this machine's clock differs from Kafka's, measured by the answers to what is produced. Pure: times passed in.

Kafka stamps a batch between the moment it is sent and the moment the answer is here. So each batch says that our clock is
ahead by no less than (sent - stamp) and no more than (answered - stamp). What all batches of a while agree on is the
offset; a batch that waited in a queue says less than others, never something wrong.
"""

from typing import NamedTuple

WINDOW_NS = 30_000_000_000
MS = 1_000_000
WRONG_NS = 1_000_000_000


class Bounds(NamedTuple):
    """Our clock's lead over Kafka's is between these, nanoseconds."""

    low: int
    high: int

    def both(self, other: "Bounds") -> "Bounds":
        """Return what this and the other agree on."""
        return Bounds(max(self.low, other.low), min(self.high, other.high))


class Offset:
    """The lead of our clock over Kafka's, from the batches of the last half to whole minute; negative where it is behind."""

    def __init__(self) -> None:
        self._before: Bounds | None = None
        self._now: Bounds | None = None
        self._since = 0
        self.is_wrong = False
        """Whether the clocks differ by more than a second for certain."""

    @property
    def ns(self) -> int | None:
        """The offset in nanoseconds; None before the first answer."""
        return sum(self._agreed()) // 2 if self._now else None

    def saw(self, sent_ns: int, stamp_ms: int, answered_ns: int, monotonic_ns: int) -> bool:
        """Take in a batch: our clock when it was sent and answered, Kafka's stamp. Say whether `is_wrong` changed."""
        bounds = Bounds(sent_ns - (stamp_ms + 1) * MS, answered_ns - stamp_ms * MS)
        if monotonic_ns - self._since > WINDOW_NS:
            self._before, self._now, self._since = self._now, bounds, monotonic_ns
        self._now = self._now.both(bounds) if self._now else bounds
        if self._agreed().low > self._agreed().high:  # a clock was set, and what was measured before it is void
            self._before, self._now, self._since = None, bounds, monotonic_ns
        low, high = self._agreed()
        before, middle = self.is_wrong, abs(low + high) // 2
        self.is_wrong = middle > WRONG_NS if before else low > WRONG_NS or high < -WRONG_NS
        return self.is_wrong != before

    def _agreed(self) -> Bounds:
        assert self._now is not None
        return self._now.both(self._before) if self._before else self._now
