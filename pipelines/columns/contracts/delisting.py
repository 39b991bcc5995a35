"""When a contract counts as delisted: once its venue's own list has not held it for more than two hours of reading.

A list may come in pages, and a venue may lose half of it for a minute, so no single answer says that a contract is gone. Of
each list (a venue's contracts of one group) the time it has been read is counted, a gap in the reading as half an hour at
most; a contract that no page held while that count rose by two hours is delisted, from the first page without it on. Lists
are answers to REST requests: a push on a WebSocket tells of changes and says nothing of what it leaves out.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from collectors.envelope import RawFrame
from pipelines.facts import Instrument
from pipelines.venues import VENUES

DELISTED = "delisted"
"""Our word in `instruments.status`; every other is the venue's."""

ABSENT_US = 2 * 3_600_000_000
LONGEST_GAP_US = 1_800_000_000


class Page(NamedTuple):
    """What one answer held of a venue's list of `group`."""

    group: str
    symbols: frozenset[str]


class Missing(NamedTuple):
    """Since which page (UTC microseconds) a contract is missing, and how long the list had been read by then."""

    since_us: int
    read_us: int


class Reading(NamedTuple):
    """How long one list has been read, when last (UTC microseconds), and what was missing then."""

    read_us: int = 0
    last_us: int = 0
    missing: Mapping[str, Missing] = {}

    def after(self, page: Page, at: int, listed: Iterable[str]) -> tuple["Reading", dict[str, int]]:
        """Return the reading after a page that came `at`, and which contracts are delisted since when.

        `listed`: the contracts of the group that are not known as delisted.
        """
        read = self.read_us + (min(max(at - self.last_us, 0), LONGEST_GAP_US) if self.last_us else 0)
        missing = {
            symbol: self.missing.get(symbol, Missing(at, read)) for symbol in listed if symbol not in page.symbols
        }
        gone = {symbol: since for symbol, (since, began) in missing.items() if read - began > ABSENT_US}
        still = {symbol: each for symbol, each in missing.items() if symbol not in gone}
        return Reading(read, max(at, self.last_us), still), gone


def pages(frame: RawFrame, listed: Collection[Instrument]) -> list[Page]:
    """Return what a frame with these contracts is of its venue's lists; nothing where it is no answer to a list request."""
    venue = VENUES[frame.venue]
    groups = venue.lists.get(frame.channel, ()) if frame.transport == "rest" else ()
    symbols = {group: frozenset(i.symbol for i in listed if venue.group_of(i) == group) for group in groups}
    return [Page(group, found) for group, found in symbols.items() if found]
