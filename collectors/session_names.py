"""What a session is called, and what its name said before a record had its feed and source in headers of their own."""

import re
import secrets
import time
from typing import Literal

Source = Literal["live", "backfill", "import"]

NOT_LIVE: tuple[Source, ...] = ("backfill", "import")
STAMP = re.compile(r"-[0-9a-f]+-[0-9a-f]{4}$")


def session_name(venue: str, feed: str) -> str:
    """Return a name that no other session has; only a record of version 1 asks anybody to take it apart."""
    return "-".join([*filter(None, (venue, feed)), f"{time.time_ns():x}", secrets.token_hex(2)])


def feed_and_source(session: str, venue: str) -> tuple[str, Source]:
    """Return the feed and the source of a session of version 1, whose name is `<venue>-<feed>-<time>-<random>`.

    `venue`: the record's own word for it; a venue's name may have hyphens, so the session's alone does not say where it ends.
    """
    feed = STAMP.sub("", session).removeprefix(f"{venue}-")
    return feed, next((source for source in NOT_LIVE if session.startswith(f"{venue}-{source}-")), "live")
