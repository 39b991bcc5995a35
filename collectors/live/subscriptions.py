"""The subscriptions of one connection: requested and acknowledged. Pure: messages and times in, messages and outcomes out.

A venue acknowledges a request as a whole, or argument by argument. One bad argument may make it reject a hundred good ones.
So a request that was refused as a whole is sent again in halves, until the bad argument is found.
"""

import itertools
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from collectors.venues.venue import Control, Operation, Venue

SETTLE_S = 0.5
"""After a refusal, how long to wait for the acknowledgements of the request's other arguments, seconds."""
RETRY_REFUSED_S = 600.0


class Outcome(NamedTuple):
    """What an answer settled: arguments now subscribed, arguments refused, and the venue's words."""

    subscribed: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    detail: str = ""


class _Request:
    def __init__(self, operation: Operation, args: tuple[str, ...], now: float) -> None:
        self.operation = operation
        self.left = dict.fromkeys(args)
        self.sent = now
        self.refused_at: float | None = None
        self.detail = ""
        self.answered = False


class Subscriptions:
    """The arguments wanted and those subscribed on one connection. Times are seconds of any one clock."""

    def __init__(self, venue: Venue, args: Iterable[str]) -> None:
        self._venue = venue
        self._ids = itertools.count(1)
        self._queue: deque[tuple[Operation, tuple[str, ...]]] = deque()
        self._asked: dict[str, _Request] = {}
        self._refused: dict[str, float] = {}
        self.wanted: dict[str, None] = {}
        self.active: dict[str, None] = {}
        self.want(args, now=0.0)

    @property
    def settled(self) -> bool:
        """Whether nothing is to be sent and no answer is awaited."""
        return not self._queue and not self._asked

    def want(self, args: Iterable[str], now: float) -> None:
        """Say what must be subscribed from now on; what is refused is asked for again after ten minutes."""
        before, self.wanted = self.wanted, dict.fromkeys(args)
        self._refused = {
            arg: at for arg, at in self._refused.items() if now - at < RETRY_REFUSED_S and arg in self.wanted
        }
        asked = {arg for request in self._asked.values() for arg in request.left}
        queued = {arg for _, args in self._queue for arg in args}
        known = self.active.keys() | self._refused.keys() | asked | queued
        self._enqueue("subscribe", [arg for arg in self.wanted if arg not in known])
        self._enqueue("unsubscribe", [arg for arg in before if arg not in self.wanted and arg in self.active])

    def leave(self) -> list[str]:
        """Return the messages that unsubscribe from everything; nothing else is sent afterwards."""
        self._queue.clear()
        self._enqueue("unsubscribe", list(self.active))
        messages = [self._venue.request(operation, str(next(self._ids)), args) for operation, args in self._queue]
        self._queue.clear()
        return messages

    def message(self, now: float) -> str | None:
        """Return the next message to send, None when there is none; its answer is awaited from now."""
        if not self._queue:
            return None
        operation, args = self._queue.popleft()
        id = str(next(self._ids))
        self._asked[id] = _Request(operation, args, now)
        return self._venue.request(operation, id, args)

    def answer(self, control: Control, now: float) -> Outcome | None:
        """Take an acknowledgement or refusal; None where it answers nothing that was asked here."""
        id = control.id or self._meant(control)
        if (request := self._asked.get(id)) is None:
            return None
        request.answered = True
        named = control.args or ((control.arg,) if control.arg else tuple(request.left))
        args = tuple(arg for arg in named if arg in request.left)
        if control.kind == "refused" and not control.arg and len(request.left) > 1:
            request.refused_at, request.detail = now, control.detail
            return Outcome()
        for arg in args:
            del request.left[arg]
        if not request.left:
            del self._asked[id]
        return self._settle(request.operation, args, control, now)

    def settle(self, now: float) -> None:
        """Ask again, in halves, for what was refused together, once the rest of that request is acknowledged."""
        for id, request in list(self._asked.items()):
            if request.refused_at is not None and now - request.refused_at >= SETTLE_S:
                del self._asked[id]
                left = tuple(request.left)
                half = (len(left) + 1) // 2
                self._queue += [(request.operation, part) for part in (left[:half], left[half:]) if part]

    def overdue(self, now: float, after_s: float) -> tuple[bool, Outcome]:
        """Give up on requests without answer: whether one got no answer at all, and what others left unanswered."""
        late = {id: r for id, r in self._asked.items() if now - r.sent >= after_s and r.refused_at is None}
        ignored = any(not request.answered for request in late.values())
        refused: list[str] = []
        for id, request in late.items():
            del self._asked[id]
            refused += request.left
        self._refused |= dict.fromkeys(refused, now)
        return ignored, Outcome(refused=tuple(refused), detail="not acknowledged")

    def _meant(self, control: Control) -> str:
        """Return the id of the request an answer without id must belong to: its argument's, else the oldest."""
        if control.arg:
            return next((id for id, request in self._asked.items() if control.arg in request.left), "")
        return next(iter(self._asked), "")

    def _settle(self, operation: Operation, args: tuple[str, ...], control: Control, now: float) -> Outcome:
        if operation == "unsubscribe":
            for arg in args:
                self.active.pop(arg, None)
            self._enqueue("subscribe", [arg for arg in args if arg in self.wanted])
            return Outcome()
        if control.kind == "refused":
            self._refused |= dict.fromkeys(args, now)
            return Outcome(refused=args, detail=control.detail)
        self.active |= dict.fromkeys(args)
        self._enqueue("unsubscribe", [arg for arg in args if arg not in self.wanted])
        return Outcome(subscribed=args)

    def _enqueue(self, operation: Operation, args: list[str]) -> None:
        size = self._venue.limits.args_per_request
        self._queue += [(operation, tuple(args[i : i + size])) for i in range(0, len(args), size)]
