"""What this process has counted of its sessions, for `/metrics` and `/health`; changed by recorders only."""

from collections import Counter

from collectors.envelope import Transport
from collectors.events import EventName

BEGINS: frozenset[EventName] = frozenset({"connected", "started"})
ENDS: frozenset[EventName] = frozenset({"disconnected", "stopped"})


class Counts:
    """Of all recorders of a process."""

    def __init__(self) -> None:
        self.heard: dict[tuple[str, str], float] = {}
        """When the last frame came, UTC seconds, by venue and channel."""
        self.frames: Counter[tuple[str, str]] = Counter()
        """Frames by venue and channel."""
        self.events: Counter[tuple[str, EventName]] = Counter()
        """Events by venue and name."""
        self.sessions: Counter[tuple[str, Transport]] = Counter()
        """Sessions that are open now, by venue and transport."""
        self.given_up: Counter[str] = Counter()
        """Frames for which there was no room, by topic."""
        self.given_up_at = 0.0
        """When that last happened, UTC seconds."""


COUNTS = Counts()
