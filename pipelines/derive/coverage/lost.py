"""Frames that were received but are not stored, as pauses of their sessions: the time around them counts as not heard.

A session numbers its frames, so `frame_numbers` knows which ones are not stored, and between which others. A collector names
the frames that it dropped (`dropped`), with their topic. Numbers that nobody named are missing. It is not known which channel
they had, so they count for every channel. If Kafka's log is not the one that ingest had read (`log_changed`), frames may be
lost that no number shows.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from collectors.events import DEAD_S
from collectors.topics import EVENTS
from pipelines.derive.coverage.pauses import Pause
from pipelines.derive.coverage.told import Feed, Told, changed
from warehouse.lake import Lake

MISSING = "frames are missing"

NUMBERS = """
SELECT session, seq_from, seq_to, fate, recv_before, recv_after FROM frame_numbers
WHERE fate IN ('dropped', 'missing') AND session IN (SELECT unnest($sessions)) ORDER BY session, seq_from
"""


class _Span(NamedTuple):
    """Consecutive numbers of a session that are not stored, and when the stored frames before and after them arrived."""

    first: int
    last: int
    fate: str
    before: datetime | None
    after: datetime | None


def lost(
    lake: Lake, found: Mapping[tuple[str, Feed], list[Told]], signs: Mapping[str, datetime], settled: datetime
) -> dict[str, list[Pause]]:
    """Return the pauses of each session; `signs`: its last sign. What arrived before `settled` is stored, or never will be."""
    rows = lake.connection.execute(NUMBERS, {"sessions": [session for session, _ in found]}).fetchall()
    spans: dict[str, list[_Span]] = {}
    for session, *span in rows:
        spans.setdefault(session, []).append(_Span(*span))
    return {
        session: list(_pauses(spans[session], events, signs.get(session), settled))
        for (session, _), events in found.items()
        if session in spans
    }


def changes(lake: Lake, since: datetime) -> list[Pause]:
    """Return the times of which something may be lost because a log changed, as ingest told from `since` on."""
    found = []
    for one in changed(lake, since):
        topic = one.detail.topic
        topics = () if topic in ("", EVENTS) else (topic,)  # lost events may have told of anything
        found.append(Pause(one.since, one.until, f"Kafka: {one.reason}", topics=topics))
    return found


def _pauses(
    spans: Sequence[_Span], events: Sequence[Told], sign: datetime | None, settled: datetime
) -> Iterable[Pause]:
    for span in spans:
        start = span.before or events[0].ts
        if span.fate == "missing":
            if (span.after or _end(events, sign)) < settled:
                yield Pause(start, span.after, MISSING)
            continue
        for one in events:
            if one.event == "dropped" and any(a <= span.last and span.first <= b for a, b in one.detail.runs):
                yield Pause(start, span.after, f"dropped: {one.reason}", topics=(one.detail.topic,))


def _end(events: Sequence[Told], sign: datetime | None) -> datetime:
    """Return when a session had ended at the latest; one without an end is dead after a while without a sign."""
    ended = next((one.ts for one in reversed(events) if one.event in ("stopped", "disconnected")), None)
    return ended or max(sign or events[-1].ts, events[-1].ts) + timedelta(seconds=DEAD_S)
