"""What the handlers share: the lake's readers, the processes for SQL of others, what is kept for a moment, and the counts."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from pipelines.serve.answers import Answer, answer
from pipelines.serve.archive.exchanges import Exchanges
from pipelines.serve.asked import asked
from pipelines.serve.brief import brief
from pipelines.serve.figures import ROWS
from pipelines.serve.given import bad, short
from pipelines.serve.live.changes import Changes
from pipelines.serve.names import Names
from pipelines.serve.problems import ProblemError
from pipelines.serve.readers import Readers
from pipelines.serve.resources import Resource, resources
from pipelines.serve.sandbox.workers import Workers
from pipelines.serve.settings import MB, ServeSettings
from pipelines.serve.standing import Standing, Standings, iso
from pipelines.serve.validate import validate
from warehouse.formats import Format
from warehouse.lake import Lake

FRESH_S, KEPT_S, KEPT = 2.0, 15.0, 500
"""A brief younger than FRESH_S is given as it is; up to KEPT_S too, and made anew meanwhile; at most KEPT coins."""

LOOK_S = 30.0
OLDER = "This world was written by an older version and lacks some views; whatever writes to it next (liq ingest) makes them"


def now() -> datetime:
    """Return the time, UTC without a zone, as the warehouse has it."""
    return datetime.now(UTC).replace(tzinfo=None)


class Service:
    """One world, served. Use it in an `async with`."""

    def __init__(self, world: Path, settings: ServeSettings) -> None:
        self.world = world
        self.settings = settings
        self.standings = Standings()
        self.exchanges = Exchanges()
        self._resources: dict[str, Resource] = {}
        self._lacks_since = 0.0
        self._looking = asyncio.Lock()  # of many who come at once one looks
        self.names = Names()
        self.readers = Readers(world, settings.readers, settings.query_s)
        self.workers = Workers(world, settings.sql_workers, settings.sql_mb, settings.sql_s)
        self.changes = Changes(self.readers)
        self.most_bytes = settings.answer_mb * MB
        self._briefs: dict[str, tuple[float, dict[str, Any]]] = {}
        self._making: dict[str, asyncio.Task[dict[str, Any]]] = {}

    async def close(self) -> None:
        """Close all connections and processes."""
        await self.workers.close()
        await asyncio.to_thread(self.readers.close)

    async def resources(self) -> Mapping[str, Resource]:
        """Return what the lake can serve, by path; looked at once, again as long as there is no lake, and after LOOK_S as long
        as it lacks some. Raises ProblemError."""
        async with self._looking:
            if not self._resources or (self._lacks_since and time.monotonic() - self._lacks_since > LOOK_S):
                found = await self.readers.read(resources)
                self._resources = {each.path: each for each in found.made}
                self._lacks_since = time.monotonic() if found.lacks else 0.0
        return self._resources

    async def rows(self, path: str, given: Sequence[tuple[str, str]], accept: str, most: int) -> tuple[Answer, bool]:
        """Return what is asked of a path, and whether it is as of now. Raises ProblemError."""
        found = await self.resources()
        if path not in found:
            older = f". {OLDER}" if self._lacks_since else ""
            why = f"nothing is served at {short(path)}; /v1/catalogue lists what is{older}"
            raise ProblemError(HTTPStatus.NOT_FOUND, why)

        def work(lake: Lake) -> tuple[Answer, bool]:
            wanted = asked(found[path], given, accept, most, now(), self.names.of(lake))
            return answer(lake, found[path], wanted, self.standings, self.most_bytes), wanted.is_now

        return await self.readers.read(work)

    async def sql(self, query: str, as_of: datetime, kind: Format, most: int) -> tuple[bytes, dict[str, Any]]:
        """Return what a query of somebody else gives, and what is said of it. Raises ProblemError."""
        wanted = {"sql": query, "as_of": str(as_of), "format": kind, "rows": most, "size": self.most_bytes}
        found = await self.workers.run(wanted)
        ROWS.labels("/v1/sql").inc(found.rows)
        return found.body, {"as_of": iso(as_of), "rows": found.rows, "more": found.more}

    async def validated(self, instrument: str, venue: str, since: datetime, until: datetime) -> dict[str, Any]:
        """Return whether a stretch of time is fit for a backtest. Raises ProblemError."""
        if since >= until:
            raise bad("since must be before until")
        return await self.readers.read(lambda lake: validate(lake, instrument, venue, since, until))

    async def standing(self) -> Standing:
        """Return the lake's standing now. Raises ProblemError."""
        return await self.readers.read(lambda lake: self.standings.of(lake, is_now=True))

    async def brief(self, coin: str) -> dict[str, Any]:
        """Return the brief of a coin, a few seconds old at most; its `as_of` says when it was made. Raises ProblemError."""
        kept = self._briefs.get(coin)
        age_s = time.monotonic() - kept[0] if kept else KEPT_S
        if kept and age_s < FRESH_S:
            return kept[1]
        making = self._making.get(coin)
        if making is None:
            making = self._making[coin] = asyncio.create_task(self._brief(coin))
            making.add_done_callback(lambda _: self._making.pop(coin, None))
        if kept and age_s < KEPT_S:
            making.add_done_callback(
                lambda task: task.cancelled() or task.exception()
            )  # the next one who asks hears of it
            return kept[1]
        return await asyncio.shield(making)

    async def _brief(self, coin: str) -> dict[str, Any]:
        made = await self.readers.read(lambda lake: self._brief_of(lake, coin))
        if len(self._briefs) >= KEPT:
            del self._briefs[min(self._briefs, key=lambda each: self._briefs[each][0])]
        self._briefs[coin] = time.monotonic(), made
        return made

    def _brief_of(self, lake: Lake, coin: str) -> dict[str, Any]:
        as_of = now()
        lake.connection.execute(f"SET VARIABLE as_of = TIMESTAMP '{as_of}'")
        return brief(lake, coin, as_of, self.standings.of(lake, is_now=True))
