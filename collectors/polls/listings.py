"""The instruments a venue lists now, by group, as its polls and feeds go by them."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence

from collectors.venues.venue import Listed


class Listings:
    """Holds the groups named; `by_group` has those heard of."""

    def __init__(self, groups: Sequence[str]) -> None:
        self.by_group: dict[str, tuple[Listed, ...]] = {}
        self.gone: set[str] = set()
        """Symbols that were listed once and are no longer."""
        self._groups = tuple(groups)
        self._known = defaultdict[str, asyncio.Event](asyncio.Event)
        self._doubted: set[str] = set()

    async def known(self, group: str = "") -> None:
        """Wait until a group is known; all of them where none is named."""
        for each in (group,) if group else self._groups:
            await self._known[each].wait()

    def take(self, group: str, listed: tuple[Listed, ...]) -> str:
        """Take a group's instruments over; return "", or why not: less than half must be said twice."""
        before = self.by_group.get(group, ())
        if len(listed) < len(before) / 2 and group not in self._doubted:
            self._doubted.add(group)
            return f"{len(listed)} instruments after {len(before)}: not believed until it is said again"
        self._doubted.discard(group)
        self.gone |= {item.symbol for item in before}
        self.gone -= {item.symbol for item in listed}
        self.by_group[group] = listed
        self._known[group].set()
        return ""
