"""The ingests that work on one lake side by side, and which partitions each of them has.

Where the catalogue is in PostgreSQL every ingest says there every few seconds that it lives. All of them share out the
partitions by the same rule, so nobody hands them out. While two have one partition for some seconds nothing is stored twice:
a commit of offsets that another has committed is refused (`warehouse/claim.py`). A lake in a SQLite file has one ingest.
"""

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import duckdb

from collectors.topics import EVENTS, FUNDING, KLINE, LIQUIDATION, OPEN_INTEREST, REFERENCE, TICKER
from pipelines.ingest.incarnation import Partition
from warehouse.errors import WarehouseError
from warehouse.members import Member, Members
from warehouse.messages import one_line
from warehouse.place import Place
from warehouse.settings import WarehouseSettings

log = logging.getLogger(__name__)

BEATS = 5
"""So often an ingest says that it lives in the time after which it counts as dead."""
SPREAD = (LIQUIDATION, TICKER, KLINE, OPEN_INTEREST)
"""The topics whose partitions are shared out. The others, which are small, go together: what they say of contracts belongs
together, and one ingest alone writes it down."""
LISTS = frozenset({REFERENCE, FUNDING})
"""The topics whose frames describe contracts, or say how often they pay funding."""
HEARD = LISTS | {EVENTS}
"""What every ingest reads, as rows depend on it: contracts, and the ends of sessions. Only one of them stores it."""


def share_of(number: int, count: int, partitions: Iterable[Partition]) -> frozenset[Partition]:
    """Return the partitions of the ingest with this number (from 0) out of `count`."""
    found = [at for at in partitions if (count - 1 - at[1] % count if at[0] in SPREAD else 0) == number]
    return frozenset(found)


def told(share: Collection[Partition]) -> str:
    """Return a share in words, topic by topic: raw.liquidation 0 2, raw.ticker 1."""
    topics: dict[str, list[int]] = {}
    for topic, partition in sorted(share):
        topics.setdefault(topic, []).append(partition)
    return ", ".join(f"{topic} {' '.join(map(str, own))}" for topic, own in topics.items())


class Workers:
    """This ingest among the others; `changed` is set when they are not those any more that `share` counted."""

    def __init__(self, world: Path, gone_s: float) -> None:
        self._gone_s, self._beat_s = gone_s, gone_s / BEATS
        place = Place(world.expanduser().absolute(), WarehouseSettings())
        self._members = None if place.sqlite else Members(place)
        self._own = Member(secrets.token_hex(6), socket.gethostname(), os.getpid(), str(place.world), "", 0.0)
        self._names: Sequence[str] = ()
        self._beating: asyncio.Task[None] | None = None
        self._is_away = False
        self.changed = asyncio.Event()

    @property
    def are_several(self) -> bool:
        """Whether others may work on this lake."""
        return self._members is not None

    @property
    def count(self) -> int:
        """How many share the lake, this one too."""
        return max(1, len(self._names))

    @property
    def pause_s(self) -> float:
        """How long to wait before beginning again, so that the others have noticed, and have stored what they have."""
        return self._beat_s if self._members is not None else 0.0

    async def join(self) -> None:
        """Be one of them from now on. The lake must have been made."""
        if self._members is not None and self._beating is None:
            names = await asyncio.to_thread(self._beat)
            if names and len(names) > 1:
                await asyncio.sleep(self.pause_s)
                names = await asyncio.to_thread(self._beat) or names
            self._names = names or []
            self._beating = asyncio.create_task(self._keep_beating())

    async def __aenter__(self) -> "Workers":
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._members is None or self._beating is None:
            return
        self._beating.cancel()
        await asyncio.wait([self._beating])
        with suppress(duckdb.Error, WarehouseError):
            await asyncio.to_thread(self._members.leave, self._own.name)
        self._members.close()

    def share(self, partitions: Sequence[Partition]) -> frozenset[Partition]:
        """Return which partitions this ingest has from now on."""
        self.changed.clear()
        if self._members is None:
            return frozenset(partitions)
        names = list(self._names) or [self._own.name]
        own = names.index(self._own.name) if self._own.name in names else 0
        share = share_of(own, len(names), partitions)
        self._own = self._own._replace(has=told(share))
        log.info("share of=%d workers=%d has=%r", own + 1, len(names), self._own.has)
        return share

    async def _keep_beating(self) -> None:
        while True:
            await asyncio.sleep(self._beat_s)
            names = await asyncio.to_thread(self._beat)
            if names is not None and names != self._names:
                log.warning("workers=%d before=%d", len(names), len(self._names))
                self._names = names
                self.changed.set()

    def _beat(self) -> list[str] | None:
        """Say that this one lives, and return who does; None where PostgreSQL does not answer."""
        assert self._members is not None
        try:
            self._members.beat(self._own)
            if not self._names:
                self._members.replace_before(self._own)
            found = [each.name for each in self._members.living(self._gone_s)]
        except (duckdb.Error, WarehouseError) as error:
            if not self._is_away:
                log.warning("workers state=unknown reason=%r", one_line(error))
            self._is_away = True
            return None
        self._is_away = False
        return found
