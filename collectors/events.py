"""What happened to a collector's connections and polls, as records of the topic `collector.events`.

The value is JSON: event, venue, session, transport, ts_ns (UTC nanoseconds since 1970), frames (of the session so far),
reason (one line) and detail (by event). A session's last event is `disconnected` or `stopped`, whose `frames` is its
highest `seq`: so it can be shown whether every frame arrived. `subscribed` and a poller's `started` tell in detail.channels
what the session brings from then on: a list of {channel, topic, arguments (how many are subscribed; not of polls)}.
"""

import time
from typing import Any, Literal

import msgspec

from collectors.envelope import ALL_SYMBOLS, RawFrame, Transport
from collectors.topics import EVENTS

CHANNEL = "event"

EventName = Literal[
    "connected",  # the socket is open
    "started",  # a poller, a backfill or an import began
    "subscribed",  # everything asked for is answered
    "refused",  # arguments the venue does not give
    "silent",  # the socket is open and brings nothing of what it must
    "resumed",  # the first data after a failure, or the first answer after a stop
    "rolled_over",  # replaced as planned by a session that brings data
    "disconnected",  # ended; `frames` is final
    "stopped",  # ended because the collector was told to; `frames` is final
    "poll_failed",  # a request brought no data
    "poll_stopped",  # all requests to the venue pause
    "notice",  # anything else worth knowing
]


def event_frame(
    venue: str, session: str, transport: Transport, frames: int, event: EventName, reason: str, detail: dict[str, Any]
) -> RawFrame:
    """Return the record that tells an event of a session which has counted `frames` frames."""
    now = time.time_ns()
    value = {
        "event": event, "venue": venue, "session": session, "transport": transport, "ts_ns": now, "frames": frames,
        "reason": reason, "detail": detail,
    }  # fmt: skip
    payload = msgspec.json.encode(value)
    return RawFrame(venue, CHANNEL, ALL_SYMBOLS, transport, now, session, frames, payload, EVENTS)
