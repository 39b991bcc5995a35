"""What the handlers share: the lake's readers, the processes for SQL of others, what is kept for a moment, and the counts."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from pipelines.serve.answers import Answer, Made, made, tag
from pipelines.serve.archive.exchanges import Exchanges
from pipelines.serve.asked import asked
from pipelines.serve.brief import Document, aged, briefs
from pipelines.serve.figures import ROWS
from pipelines.serve.given import bad, short
from pipelines.serve.kept import Keeper, Kept
from pipelines.serve.live.changes import Changes
from pipelines.serve.names import Names
from pipelines.serve.position import position
from pipelines.serve.problems import ProblemError
from pipelines.serve.readers import Readers
from pipelines.serve.resources import Resource, resources
from pipelines.serve.sandbox.workers import Workers
from pipelines.serve.settings import MB, ServeSettings
from pipelines.serve.standing import Standing, Standings, iso, times
from pipelines.serve.validate import validate
from warehouse.formats import Format
from warehouse.lake import Lake

COINS, AT_ONCE = 200, 50
"""So many coins' briefs are kept, and made together."""
LOOK_S = 30.0
OLDER = "This world was written by an older version and lacks some views; whatever writes to it next (liq ingest) makes them"


def now() -> datetime:
    """Return the time, UTC without a zone, as the warehouse has it."""
    return datetime.now(UTC).replace(tzinfo=None)


class Question(NamedTuple):
    """What is asked of a path of rows; `most`: rows that may be asked for."""

    path: str
    given: tuple[tuple[str, str], ...]
    accept: str
    most: int


class Briefed(NamedTuple):
    """A coin's brief, its ETag and how many bytes it is."""

    document: Document
    tag: str
    size: int


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
        self.keeper = Keeper(self.readers)
        self._briefs = Kept("brief", self.keeper, self._briefed, lambda brief: brief.size, AT_ONCE, COINS)
        self._rows = Kept("rows", self.keeper, self._rowed, lambda made: len(made.rows))

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
        """Return what is asked of a path, and whether it is as of now. Raises ProblemError.

        As of now it may be some seconds old, where it is asked for again and again; its `as_of` says so.
        """
        found = await self.resources()
        if path not in found:
            older = f". {OLDER}" if self._lacks_since else ""
            why = f"nothing is served at {short(path)}; /v1/catalogue lists what is{older}"
            raise ProblemError(HTTPStatus.NOT_FOUND, why)
        question = Question(path, tuple(given), accept, most)
        is_now = not any(name in ("as_of", "cursor") for name, _ in given)
        rows = await (self._rows.get(question) if is_now else self.readers.read(lambda lake: self._row(lake, question)))
        ROWS.labels("/v1/rows").inc(rows.meta["rows"])
        return rows.answer(now() if is_now else None), is_now

    def _rowed(self, lake: Lake, questions: Sequence[Question]) -> dict[Question, Made]:
        return {each: self._row(lake, each) for each in questions}

    def _row(self, lake: Lake, question: Question) -> Made:
        resource = self._resources[question.path]
        wanted = asked(resource, question.given, question.accept, question.most, now(), self.names.of(lake))
        return made(lake, resource, wanted, self.standings, self.most_bytes)

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

    async def position(self, given: Mapping[str, str], as_of: datetime) -> dict[str, Any]:
        """Return what `liq position` says of a position, as of a moment. Raises ProblemError."""

        def work(lake: Lake) -> dict[str, Any]:
            lake.connection.execute(f"SET VARIABLE as_of = TIMESTAMP '{as_of}'")
            data = position(lake, given)
            return {"meta": {**times(lake, as_of), "venues": [given["venue"]]}, "data": data}

        return await self.readers.read(work)

    async def standing(self) -> Standing:
        """Return the lake's standing now. Raises ProblemError."""
        return await self.readers.read(lambda lake: self.standings.of(lake, is_now=True))

    async def brief(self, coin: str) -> tuple[dict[str, Any], str]:
        """Return the brief of a coin, some seconds old at most, and its ETag; `as_of` says of when. Raises ProblemError."""
        found = await self._briefs.get(coin)
        return aged(found.document, now()), found.tag

    def _briefed(self, lake: Lake, coins: Sequence[str]) -> dict[str, Briefed]:
        as_of = now()
        lake.connection.execute(f"SET VARIABLE as_of = TIMESTAMP '{as_of}'")
        found = briefs(lake, coins, as_of, self.standings.of(lake, is_now=True))
        return {coin: _briefed(document) for coin, document in found.items()}


def _briefed(document: Document) -> Briefed:
    told = orjson.dumps({name: value for name, value in document.items() if name not in ("as_of", "age_s")})
    return Briefed(document, tag(told), len(told))
