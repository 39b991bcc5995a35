"""What happened to a collector's connections and polls, as records of the topic `collector.events`.

The value is JSON: event, venue, session, transport, ts_ns (UTC nanoseconds since 1970), frames (of the session so far),
reason (one line) and detail (by event). `seq` of the record is `frames` too, so it is not a number of its own.

A session's last event is `disconnected` or `stopped`, whose `frames` is its highest `seq`: so it can be shown whether every
frame arrived. A session without a sign for 90 s and without such an end is dead: it was killed, and its highest number is
not known. `subscribed` and a poller's `started` have in detail.channels what the session brings from then on: a list of
{channel, topic, arguments (how many are subscribed; not of polls), every_s (of polls: seconds from one round to the next)}.

The collector process has a session of its own: venue "", transport rest, no frames, session `collector-...`. It begins with
`alive` and ends with `stopped`.
"""

from typing import Any, Literal

import msgspec

from collectors import moment
from collectors.envelope import ALL_SYMBOLS, Origin, RawFrame
from collectors.topics import EVENTS

CHANNEL = "event"
ALIVE_S = 30.0
DEAD_S = 90.0
"""A session without a sign (frame or event) for so long, and without an end, is dead."""

EventName = Literal[
    "connected",  # the socket is open
    "started",  # a poller, a backfill or an import began
    "subscribed",  # everything asked for is answered
    "refused",  # arguments the venue does not give
    "silent",  # the socket is open and brings nothing of what it must
    "suspect",  # a liquidation channel brings less than is to be expected; detail: channel, and the likelihood of it
    "heard_again",  # a suspect channel brings frames again; detail: channel
    "second_route",  # a second socket is opened beside one that is suspect; detail: channel, url
    "paused",  # frames are not kept. detail: since_ns (collector's clock) of the last frame kept, topics. Until `resumed`
    "resumed",  # data again. detail after a failure: after (the session before), gap_s; after `paused`: since_ns, waited_s
    "rolled_over",  # replaced as planned by a session that brings data
    "disconnected",  # ended; `frames` is final
    "stopped",  # ended because the collector was told to; `frames` is final
    "poll_failed",  # a request brought no data
    "poll_stopped",  # all requests to the venue pause
    "alive",  # every ALIVE_S, by each session that runs; of the process, detail: clock_offset_ms (null: not measured yet),
    #           spool_bytes, spool_frames, waiting_bytes (in memory), host, pid
    "clock",  # the collector's clock is over a second off Kafka's, or right again; detail: clock_offset_ms, + is ahead
    "dropped",  # frames of this session were given up. detail: topic, first_seq, last_seq, frames, runs (exactly those
    #             given up: list of [first, last]), partition (null: of any), reason
    "log_changed",  # Kafka's log is not the one read before; reason: how. Told by ingest, not by collectors
    "notice",  # anything else worth knowing
]


def event_frame(of: Origin, frames: int, event: EventName, reason: str, detail: dict[str, Any]) -> RawFrame:
    """Return the record that tells an event of a session which has counted `frames` frames."""
    now = moment.now()
    value = {
        "event": event, "venue": of.venue, "session": of.session, "transport": of.transport, "ts_ns": now.wall_ns,
        "frames": frames, "reason": reason, "detail": detail,
    }  # fmt: skip
    payload = msgspec.json.encode(value)
    return RawFrame(
        of.venue, CHANNEL, ALL_SYMBOLS, of.transport, now.wall_ns, of.session, of.feed, of.source, frames, payload, EVENTS,
        steady_ns=now.steady_ns,
    )  # fmt: skip
