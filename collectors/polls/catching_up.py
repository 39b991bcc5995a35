"""A poll of what happens, newest first: what came since the answer before, in as many pages as it takes."""

import logging
import time
from collections.abc import Awaitable, Callable

import msgspec

from collectors.venues.venue import Newest, Params

MOST_PAGES = 200
Ask = Callable[[Params], Awaitable[bytes | None]]

log = logging.getLogger(__name__)


class CatchingUp:
    """How far each value of one poll has been read. What was never asked for begins with the newest page."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._newest: dict[str, int] = {}

    async def ask(self, value: str, how: Newest, ask: Ask) -> bool:
        """Read what is newer than what was read before; whether all of it came, else it is asked for again next time.

        The newest time itself is asked for again, and so is the oldest of a page: more may have happened in that millisecond.
        """
        until = int((self._clock() - how.behind_s) * 1000)
        known = self._newest.get(value, until - int(how.first_s * 1000) if how.first_s else None)
        newer: Params = () if known is None else ((how.newer, str(known - 1)),)
        newest, oldest = known, 0
        older: Params = ((how.older, str(until)),) if how.first_s else ()
        for _ in range(MOST_PAGES):
            if (body := await ask((*newer, *older))) is None:
                return False
            times = _times(how, body)
            newest = max([*times, *([] if newest is None else [newest])], default=None)
            reached = len(times) < how.limit or known is None or min(times) < known
            if reached or min(times) == oldest:
                break
            oldest = min(times)
            older = ((how.older, str(oldest + 1)),)
        else:
            log.warning("more than %d pages since the last answer about %s: it is read again", MOST_PAGES, value)
            return False
        if newest is not None:
            self._newest[value] = newest
        return True


def _times(how: Newest, body: bytes) -> list[int]:
    try:
        return list(how.times(body))
    except (msgspec.MsgspecError, ValueError, TypeError, LookupError, RecursionError) as error:
        log.warning("times of an answer cannot be read: %r", error)
        return []
