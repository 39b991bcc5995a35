"""The rows that each snapshot of the lake added, in one order: an event's place is its snapshot and its number in it.

So who says the place of the last event it has seen gets the next one, whoever was restarted meanwhile. Rows are read off
the lake, not off Kafka: what is sent is stored.
"""

import asyncio
from bisect import bisect_right
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple

from pipelines.serve.brief import plain
from pipelines.serve.problems import ProblemError
from pipelines.serve.readers import Readers
from warehouse.lake import Lake
from warehouse.query import run

LOOK_S = 1.0
KEPT = 20_000
"""So many events are kept in memory for those who were away for a moment; for others they are read again."""
AT_ONCE = 200
"""Snapshots that are read at a time."""
FEED_EVENTS = ("silent", "resumed", "suspect", "heard_again", "disconnected", "paused", "failed", "lost")
_QUERIES = {
    "liquidation": """
        SELECT snapshot_id, ts_event, venue, symbol, instrument, base, position_side, price, price_kind, qty_base, notional_usd,
            completeness, event_key, occurrence
        FROM ducklake_table_insertions('lake', 'main', 'liquidations', {first}, {last}) WHERE source = 'live'
        ORDER BY snapshot_id, ts_event, venue, symbol, event_key, occurrence
    """,
    "cascade": """
        SELECT snapshot_id, cascade_id, base, position_side, ts_start, ts_end, closed, usd, count, move, market_wide, venues,
            completeness, lower_bound, coverage_share
        FROM ducklake_table_insertions('lake', 'main', 'cascades', {first}, {last}) WHERE scope = 'all'
        ORDER BY snapshot_id, ts_start, cascade_id
    """,
    "feed": f"""
        SELECT snapshot_id, ts, venue, feed, transport, event, reason
        FROM ducklake_table_insertions('lake', 'main', 'collector_events', {{first}}, {{last}})
        WHERE event IN {FEED_EVENTS} ORDER BY snapshot_id, ts_ns, session, event
    """,
}
KINDS = tuple(_QUERIES)
_SPAN = "SELECT min(snapshot_id), max(snapshot_id) FROM ducklake_snapshots('lake')"
_NEWEST = "SELECT id FROM ducklake_current_snapshot('lake')"


class Place(NamedTuple):
    """Where an event lies: the snapshot that added it, and its number there from 1 on; 0: before the first."""

    snapshot: int
    number: int


class Event(NamedTuple):
    """A row that was stored. `kind`: one of KINDS."""

    place: Place
    kind: str
    row: dict[str, Any]


class Changes:
    """Looks at the lake every second as long as anybody listens, once for all of them."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers
        self._events = deque[Event](maxlen=KEPT)
        self._from = Place(0, 0)  # every event behind it is in `_events`
        self._at = 0
        self._listeners = 0
        self._looking: asyncio.Task[None] | None = None
        self._new = asyncio.Condition()
        self._beginning = asyncio.Lock()  # of two who come at once one begins to look

    @property
    def listeners(self) -> int:
        """How many listen."""
        return self._listeners

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Place]:
        """Look at the lake while the block runs; gives the place behind everything that is stored now. Raises ProblemError."""
        self._listeners += 1
        try:
            async with self._beginning:
                if self._looking is None or self._looking.done():
                    newest = await self._readers.read(_newest)
                    self._events.clear()
                    self._at, self._from = newest, Place(newest + 1, 0)
                    self._looking = asyncio.create_task(self._look())
            yield Place(self._at + 1, 0)
        finally:
            self._listeners -= 1
            if not self._listeners and self._looking:
                self._looking.cancel()
                self._looking = None

    async def after(self, place: Place, wait_s: float) -> tuple[list[Event], Place]:
        """Return events behind a place, the oldest first, and the place behind them; waits up to `wait_s` for one.

        Raises ProblemError, and ExpiredError where the lake no longer knows what was added then.
        """
        if place < self._from:
            known = self._at
            if found := await self._readers.read(lambda lake: _read_on(lake, place, known)):
                return found, found[-1].place
            place = Place(known + 1, 0)
        if not (found := self._behind(place)):
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s), self._new:
                    await self._new.wait_for(lambda: self._behind(place))
            found = self._behind(place)
        return found, found[-1].place if found else place

    def _behind(self, place: Place) -> list[Event]:
        events = list(self._events)
        return events[bisect_right(events, place, key=lambda event: event.place) :]

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            with suppress(ProblemError):  # no lake now: later
                newest = await self._readers.read(_newest)
                while self._at < newest:
                    last = min(newest, self._at + AT_ONCE)
                    await self._add(self._at + 1, last)
                    self._at = last

    async def _add(self, first: int, last: int) -> None:
        found = await self._readers.read(lambda lake: read(lake, first, last))
        for event in found:
            if len(self._events) == KEPT:
                self._from = self._events[0].place
            self._events.append(event)
        if found:
            async with self._new:
                self._new.notify_all()


class ExpiredError(Exception):
    """What was added after a place cannot be told any more; `place`: from where it can."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.place = place


def _newest(lake: Lake) -> int:
    row = lake.connection.execute(_NEWEST).fetchone()
    return int(row[0]) if row else 0


def _read_on(lake: Lake, place: Place, newest: int) -> list[Event]:
    """Return the events behind a place, of the next snapshots that have some, up to `newest`."""
    oldest, _ = lake.connection.execute(_SPAN).fetchone() or (0, 0)
    if place.snapshot < oldest:
        raise ExpiredError(Place(oldest + 1, 0))
    first = max(place.snapshot, 1)
    while first <= newest:
        last = min(newest, first + AT_ONCE)
        if found := [event for event in read(lake, first, last) if event.place > place]:
            return found
        first = last + 1
    return []


def read(lake: Lake, first: int, last: int) -> list[Event]:
    """Return what the snapshots from `first` to `last` added, in order."""
    rows: list[tuple[int, str, dict[str, Any]]] = []
    for kind, query in _QUERIES.items():
        for row in run(lake, query.format(first=first, last=last)).frame().iter_rows(named=True):
            rows.append((row.pop("snapshot_id"), kind, plain(row)))
    rows.sort(key=lambda each: each[0])  # within one they stay by kind
    events, number, before = list[Event](), 0, -1
    for snapshot, kind, row in rows:
        number = number + 1 if snapshot == before else 1
        before = snapshot
        events.append(Event(Place(snapshot, number), kind, row))
    return events
