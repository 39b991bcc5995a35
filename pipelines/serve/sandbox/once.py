"""`liq sql --safe`: one statement in the sandbox of `liq serve`, with the same limits."""

import asyncio
from pathlib import Path

import duckdb
import pyarrow as pa

from pipelines.serve.problems import ProblemError
from pipelines.serve.sandbox.workers import Workers
from pipelines.serve.service import now
from pipelines.serve.settings import MB, ServeSettings
from warehouse.casts import Held, as_held
from warehouse.errors import QueryError
from warehouse.formats import Format
from warehouse.query import Rows


def rows(world: Path, statement: str, held: Held) -> tuple[Rows, int | None]:
    """Return the rows of a statement of somebody else, and how many they are if there are more.

    `held`: the types that are to come as text. Raises QueryError.
    """
    settings = ServeSettings()
    asked = {"sql": statement, "as_of": str(now()), "format": Format.ARROWS, "rows": settings.rows,
             "size": settings.answer_mb * MB}  # fmt: skip
    try:
        body, count, is_more = asyncio.run(_asked(world, settings, asked))
    except ProblemError as problem:
        raise QueryError(problem.detail) from None
    found = pa.ipc.open_stream(body).read_all()
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.register("found", found)
    query, kinds = as_held(connection, "FROM found", None, *held)
    return Rows(connection.execute(query), kinds), count if is_more else None


async def _asked(world: Path, settings: ServeSettings, asked: dict[str, object]) -> tuple[bytes, int, bool]:
    workers = Workers(world, 1, settings.sql_mb, settings.sql_s)
    try:
        return await workers.run(asked)
    finally:
        await workers.close()
