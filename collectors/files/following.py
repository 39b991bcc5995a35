"""Follows the files of a folder as a feed: what was written while nobody read, then every line as it comes.

What the files have when it begins is a session of its own with source backfill, as the past of a venue is. Then a session of a
feed lives for as long as somebody writes; if lines stop, it ends, and another begins with the next line.
"""

import asyncio
import logging
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from collectors import moment
from collectors.delivery import dropped
from collectors.delivery.recorder import Recorder, Sink
from collectors.envelope import ALL_SYMBOLS
from collectors.events import ALIVE_S
from collectors.files.lines import Line, Lines
from collectors.files.place import Places
from collectors.live.session import LARGEST_MESSAGE
from collectors.polls.listings import Seen
from collectors.venues.venue import Folder, Frame

LOOK_S = 0.25
AT_ONCE = 2000
"""So many lines are read before others have their turn."""

log = logging.getLogger(__name__)


class Following:
    """One folder of a venue, until `stop`. `kept`: the folder in which it keeps how far it has read, None: nowhere; `seen`:
    takes what lines name."""

    def __init__(self, venue: str, folder: Folder, sink: Sink, kept: Path | None, seen: Seen | None = None) -> None:
        self._seen = seen
        self._venue = venue
        self._folder = folder
        self._sink = sink
        self._places = Places(kept / f"{venue}-{folder.feed}.json" if kept else None)
        self._name = Frame(folder.channel, ALL_SYMBOLS, folder.topic)
        self._lines = Lines(folder, self._places.last())
        self._stop = asyncio.Event()
        self._heard_at = 0.0
        self.read = 0
        """Lines read, those among them that are no frames."""

    async def run(self) -> None:
        """Read until stopped. Raises OSError where a file cannot be read."""
        await self._catch_up()
        while not self._stop.is_set():
            if (first := next(self._lines.new(), None)) is not None:
                await self._listen(first)
            await self._pause(LOOK_S)
        if place := self._lines.place:
            self._places.keep(place)

    def stop(self) -> None:
        """Make `run` end."""
        self._stop.set()

    async def _catch_up(self) -> None:
        """Read what was written before, as a backfill."""
        lines = self._lines.new()
        if (first := next(lines, None)) is None:
            return
        recorder = Recorder(self._venue, self._folder.feed, "ws", self._sink, "backfill")
        recorder.event("started", file=first.behind.file)
        await self._take(first, recorder)
        await self._all(lines, recorder)
        recorder.event("stopped", lines=self.read)

    async def _listen(self, first: Line) -> None:
        """Be a session for as long as lines come."""
        recorder = Recorder(self._venue, self._folder.feed, "ws", self._sink)
        recorder.event("connected", path=str(self._folder.path))
        brings = {"channel": self._folder.channel, "topic": self._folder.topic, "arguments": 1}
        recorder.event("subscribed", arguments=1, channels=[brings])
        await self._take(first, recorder)
        reason, alive_at = "", time.monotonic() + ALIVE_S
        try:
            while not self._stop.is_set():
                await self._all(self._lines.new(), recorder)
                now = time.monotonic()
                if (quiet_s := now - self._heard_at) > self._folder.silent_s:
                    reason = f"no line for {quiet_s:.0f} s"
                    recorder.event("silent", reason, channels=[brings])
                    break
                if now >= alive_at:
                    alive_at = now + ALIVE_S
                    recorder.event("alive", quiet_s=round(quiet_s, 1), lines=self.read)
                await self._pause(LOOK_S)
        except OSError as error:
            reason = f"{error.filename}: {error.strerror}"
            raise
        finally:
            recorder.event("disconnected" if reason else "stopped", reason)

    async def _all(self, lines: Iterator[Line], recorder: Recorder) -> None:
        for line in lines:
            await self._take(line, recorder)
            if self._stop.is_set():
                return

    async def _take(self, line: Line, recorder: Recorder) -> None:
        """Keep a line that is a frame; one that is too long for a frame is counted and named."""
        self._heard_at = time.monotonic()
        self.read += 1
        if self._seen is not None and self._folder.names:
            self._seen.add(self._folder.names(line.payload))
        if line.is_cut:
            runs, why = dropped.Runs(), f"a line of more than {LARGEST_MESSAGE} bytes in {line.behind.file}"
            runs.add(recorder.skip(self._folder.topic))
            recorder.event("dropped", why, **dropped.detail(self._folder.topic, runs, why))
        elif line.payload.strip() and self._folder.keeps(line.payload):
            await self._sink.room(self._folder.topic)
            recorder.frame(line.payload, self._name, *moment.now())
        self._places.passed(line.behind)
        if not self.read % AT_ONCE:
            await asyncio.sleep(0)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)
