"""Opens a second socket if a feed's liquidations are suspiciously silent, and decides which of the two stays.

The first socket is closed only if the second has received liquidations that the first did not. Both are recorded; a liquidation
that arrives twice is stored once. If neither receives any, the venue may have none, so the first stays.
"""

import asyncio
import time
from collections.abc import Collection, Coroutine, Sequence
from typing import Any, NamedTuple

from collectors.live.session import Session

LISTEN_S = 1.0
"""How often it checks whether liquidations came, seconds."""
PROOF_S = 5.0
"""How long the first socket has to receive a liquidation after the second one did, seconds."""
TRY_S = 600.0
"""How long both sockets are open at most, seconds."""


class Route:
    """The URLs that send the same data; `url` is in use."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = urls
        self._tried = 0
        self.url = urls[0]

    def other(self) -> str:
        """Return the next other URL, each in turn; if there is no other, the one in use."""
        others = [url for url in self._urls if url != self.url] or [self.url]
        self._tried += 1
        return others[(self._tried - 1) % len(others)]


class Running(NamedTuple):
    """A running session, and when it must be replaced (monotonic seconds, None: never)."""

    session: Session
    task: asyncio.Task[Exception | None]
    due: float | None

    @property
    def left_s(self) -> float | None:
        """Seconds until it must be replaced; None: never."""
        return None if self.due is None else max(0.0, self.due - time.monotonic())

    @property
    def is_over(self) -> bool:
        """Whether another should take its place."""
        return self.session.renew.is_set() or self.left_s == 0.0

    def heard_at(self, channels: Collection[str]) -> float:
        """Return when one of the channels last received a frame (monotonic seconds); 0 if none did."""
        return max((self.session.heard.get(channel, 0.0) for channel in channels), default=0.0)


async def second_route(
    first: Running, second: Running, channels: Collection[str], since: float, stop: asyncio.Event
) -> Running:
    """Listen to both until one is shown to be the better; return that one, the other is ended in good order.

    `since`: when `first` was last heard, monotonic seconds.
    """
    until, came_at = time.monotonic() + TRY_S, 0.0
    while not (stop.is_set() or first.task.done() or second.task.done() or time.monotonic() > until):
        if first.heard_at(channels) > since:
            _tell(first, channels, "heard_again", "it is heard again")
            break
        came_at = came_at or second.heard_at(channels)
        if came_at and time.monotonic() - came_at > PROOF_S:
            _tell(
                first,
                channels,
                "silent",
                "its liquidations come on a second route",
                ago_s=round(time.monotonic() - since, 1),
            )
            _tell(second, channels, "heard_again", "it is heard on a second route")
            first.session.stop("rolled_over")
            return second
        if first.is_over and second.session.ready.is_set():
            first.session.stop("rolled_over")
            return second
        await first_of(first.task, second.task, stop.wait(), timeout_s=LISTEN_S)
    if first.task.done():
        return second
    second.session.stop()
    return first


def _tell(of: Running, channels: Collection[str], event: Any, reason: str, **detail: Any) -> None:
    for channel in channels:
        of.session.recorder.event(event, reason, channel=channel, **detail)


async def first_of(*works: asyncio.Task[Any] | Coroutine[Any, Any, Any], timeout_s: float | None) -> None:
    """Wait until one of them ends or the time is over; tasks go on, the others are cancelled."""
    waits = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for work, wait in zip(works, waits, strict=True):
            if wait is not work:
                wait.cancel()
