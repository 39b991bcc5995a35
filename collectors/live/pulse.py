"""Whether a connection is alive: when to ping, and when it has been silent for too long. Pure: times are passed in.

An acknowledgement does not prove that a feed works: a retired path acknowledges and then sends nothing. So a feed is judged by
a channel that must send data all the time, and the connection by the answer to the venue's own ping.
"""

from collections.abc import Iterable

from collectors.venues.venue import ANY, Heartbeat, Liveness

ANSWER_S = 10.0


class Pulse:
    """The times of one connection, in seconds of any one clock."""

    def __init__(self, liveness: Liveness, heartbeat: Heartbeat | None, silent_s: float, now: float) -> None:
        self._liveness = liveness
        self._heartbeat = heartbeat
        self._silent_s = silent_s
        self._heard_at = self._beat_at = self._pinged_at = now
        self._expected = False
        self._held = False
        self.beaten = False
        """Whether the channel that must tick has brought anything yet."""
        self.heard: dict[str, float] = {}
        """When each channel last brought a frame."""

    def hear(self, now: float, channel: str = "") -> None:
        """Note a message; `channel` of a data frame."""
        self._heard_at = now
        if channel:
            self.heard[channel] = now
        if channel and self._liveness.channel in (channel, ANY):
            self._beat_at = now
            self.beaten = True

    def quiet_s(self, now: float) -> float:
        """Return how long ago the last message of any kind came; a connection that was only opened counts as heard."""
        return max(0.0, now - self._heard_at)

    def hold(self) -> None:
        """Do not judge until `release`, because nothing is read meanwhile."""
        self._held = True

    def release(self, now: float) -> None:
        """Begin again after `hold`."""
        self._held = False
        self._heard_at = self._beat_at = self._pinged_at = now

    def ping(self, now: float) -> str | None:
        """Return the venue's ping when it is due and none is unanswered; it counts as sent."""
        if self._heartbeat is None or self._held or self._heard_at < self._pinged_at:
            return None
        since = max(self._pinged_at, self._heard_at) if self._heartbeat.when_quiet else self._pinged_at
        if now - since < self._heartbeat.every_s:
            return None
        self._pinged_at = now
        return self._heartbeat.message

    def ticks(self, args: Iterable[str]) -> bool:
        """Say whether a connection subscribed to `args` must tick."""
        return any(arg.startswith(self._liveness.arg_prefix) for arg in args)

    def silence(self, now: float, args: Iterable[str]) -> str | None:
        """Return how the connection, subscribed to `args`, has been silent for too long; None when it has not."""
        expected, before = self.ticks(args), self._expected
        self._expected = expected
        if expected and not before:
            self._beat_at = max(self._beat_at, now)
        if self._held:
            return None
        if self._heard_at < self._pinged_at <= now - ANSWER_S:
            return f"no answer to a ping for {now - self._pinged_at:.0f} s"
        if expected and now - self._beat_at >= self._silent_s:
            channel = "message" if self._liveness.channel == ANY else self._liveness.channel
            return f"no {channel} for {now - self._beat_at:.1f} s"
        return None
