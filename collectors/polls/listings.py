"""The instruments a venue lists now, by group, as its polls and feeds go by them."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from collectors.venues.venue import Beside, Listed, Listing

MOST_SEEN = 20_000


class Seen:
    """Names that came up, such as accounts in trades: the newest MOST_SEEN of them, the latest first."""

    def __init__(self) -> None:
        self._names: dict[str, None] = {}

    def add(self, names: Iterable[str]) -> None:
        """Take in names."""
        for name in names:
            self._names.pop(name, None)
            self._names[name] = None
        while len(self._names) > MOST_SEEN:
            del self._names[next(iter(self._names))]

    def __iter__(self) -> Iterator[str]:
        return reversed(self._names)


class Listings:
    """Holds the groups named; `by_group` has those heard of. `beside`: groups of what is no instrument, with what is asked for
    before what is listed; `seen`: by group what came up elsewhere, and is asked for after the first of what is listed."""

    def __init__(
        self, groups: Sequence[str], beside: Mapping[str, Beside] | None = None, seen: Mapping[str, Seen] | None = None
    ) -> None:
        self.by_group: dict[str, tuple[Listed, ...]] = {}
        self._beside, self._seen = beside or {}, seen or {}
        self.gone: set[str] = set()
        """Symbols that were listed once and are no longer."""
        self._groups = tuple(groups)
        self._known = defaultdict[str, asyncio.Event](asyncio.Event)
        self._doubted: set[str] = set()

    async def known(self, group: str = "") -> None:
        """Wait until a group is known; all of them where none is named."""
        for each in (group,) if group else self._groups:
            if each in self._beside and each not in self._groups:
                continue  # nobody lists it
            await self._known[each].wait()

    @property
    def all(self) -> Listing:
        """What polls go by: the groups heard of, and of what is no instrument also what nobody lists."""
        found: dict[str, Sequence[Listed]] = dict(self.by_group)
        for group, each in self._beside.items():
            listed = [one.symbol for one in self.by_group.get(group, ())]
            before, after = listed[: each.listed_first], listed[each.listed_first :]
            names = (*each.first, *before, *self._seen.get(group, ()), *after)
            found[group] = [Listed(name) for name in dict.fromkeys(names)]
        return found

    def take(self, group: str, listed: tuple[Listed, ...]) -> str:
        """Take a group's instruments over; return "", or why not: less than half must be said twice."""
        before = self.by_group.get(group, ())
        if len(listed) < len(before) / 2 and group not in self._doubted:
            self._doubted.add(group)
            return f"{len(listed)} instruments after {len(before)}: not believed until it is said again"
        self._doubted.discard(group)
        if group not in self._beside:
            self.gone |= {item.symbol for item in before}
            self.gone -= {item.symbol for item in listed}
        self.by_group[group] = listed
        self._known[group].set()
        return ""
