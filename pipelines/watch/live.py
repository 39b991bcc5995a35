"""Reads, draws and listens to keys until it is told to stop: `liq watch`, and the middle of `liq demo` and `liq up`."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from rich.console import Console, Group, RenderableType
from rich.live import Live

from pipelines.watch import sight
from pipelines.watch.choice import Choice
from pipelines.watch.keys import listening
from pipelines.watch.page import Seen, page
from pipelines.watch.sight import TICKER
from warehouse import lake
from warehouse.errors import NoWarehouseError, WarehouseError
from warehouse.lake import Lake

DRAW_S = 0.5
QUICK_S, SLOW_S = 1.0, 3.0
EASE = 4
"""Between two looks it rests so many times as long as the look took, so that it stays light on any machine."""
T = TypeVar("T")
NOT_YET = "does not exist"
"""What the lake says of a table while it is being made."""
LOOKS = 60  # at one opening of the warehouse, whose reader holds more with every commit it sees


class Watch:
    """The page of one world. `head`: lines above it, asked for anew at each drawing."""

    def __init__(
        self, out: Console, world: Path, title: str, head: Callable[[], RenderableType | None] = lambda: None
    ) -> None:
        self.choice = Choice()
        self._out = out
        self._world = world
        self._title = title
        self._head = head
        self._seen = Seen()
        self._changed = asyncio.Event()
        self._slow_due = 0.0

    async def show(self, stop: asyncio.Event, *, screen: bool = False) -> None:
        """Show it until `stop`, or q, which sets it. `screen`: on a screen of its own, else below what was printed."""
        reading = asyncio.create_task(self._read(stop))
        try:
            with (
                listening(self._pressed),
                Live(console=self._out, screen=screen, auto_refresh=False, transient=True) as live,
            ):
                while not stop.is_set():
                    live.update(self.drawn(), refresh=True)
                    await _either(stop, self._changed, DRAW_S)
                    self._changed.clear()
                    if self.choice.ended:
                        stop.set()
        finally:
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading

    def drawn(self) -> RenderableType:
        """Return the page as of now."""
        head = self._head()
        lines = len(self._out.render_lines(head)) if head is not None else 0
        size = self._out.size
        body = page(self._seen, self.choice, self._title, sight.utc_now(), size.width, max(size.height - 1 - lines, 12))
        return Group(head, body) if head is not None else body

    def _pressed(self, key: str) -> None:
        before = self.choice
        self.choice = before.after(key, self._coins(), self._venues())
        if before.asked != self.choice.asked:
            self._slow_due = 0.0
        self._changed.set()

    def _coins(self) -> list[str]:
        """Return the coins to choose from: those of the day's totals, the most first, then those of the ticker."""
        usd: dict[str, float] = {}
        for row in self._seen.slow.totals if self._seen.slow else ():
            if row["base"] and row["hours"] == max(sight.HOURS):
                usd[row["base"]] = usd.get(row["base"], 0.0) + (row["usd"] or 0.0)
        return list(dict.fromkeys([*sorted(usd, key=lambda coin: -usd[coin]), *TICKER]))

    def _venues(self) -> list[str]:
        return sorted({row["venue"] for row in self._seen.quick.heard}) if self._seen.quick else []

    async def _read(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                opened = await asyncio.to_thread(lake.open, self._world)
            except WarehouseError as error:  # not there yet, or it cannot be read now
                told = "" if isinstance(error, NoWarehouseError) else str(error)
                self._seen = self._seen._replace(trouble=told)
                await _either(stop, stop, QUICK_S)
                continue
            with opened:
                await self._look(opened, stop)

    async def _look(self, warehouse: Lake, stop: asyncio.Event) -> None:
        """Read again and again, until the reader is to be opened anew."""
        for _ in range(LOOKS):
            if stop.is_set():
                return
            began = time.monotonic()
            try:
                await self._once(warehouse, began)
            except WarehouseError as error:
                told = "" if NOT_YET in str(error) and self._seen.quick is None else str(error)
                self._seen = self._seen._replace(trouble=told)
                await _either(stop, stop, QUICK_S)
                return
            await _either(stop, stop, max(QUICK_S, EASE * (time.monotonic() - began)))

    async def _once(self, warehouse: Lake, now: float) -> None:
        self._seen = self._seen._replace(quick=await _in_thread(sight.quick, warehouse), trouble="")
        if now >= self._slow_due:
            chosen = self.choice.asked
            began = time.monotonic()
            self._seen = self._seen._replace(slow=await _in_thread(sight.slow, warehouse, *chosen))
            took = time.monotonic() - began
            if chosen == self.choice.asked:
                self._slow_due = time.monotonic() + max(SLOW_S, EASE * took)


async def _in_thread(read: Callable[..., T], *given: object) -> T:
    """Read in a thread. Where whoever waits is cancelled the thread ends first: the connection is closed after it."""
    task = asyncio.create_task(asyncio.to_thread(read, *given))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


async def _either(one: asyncio.Event, other: asyncio.Event, seconds: float) -> None:
    """Return when one of the events is set, or after so many seconds."""
    waits = [asyncio.create_task(event.wait()) for event in {one, other}]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
