"""The same Kafka log read by an undisturbed ingest into a fresh world: its tables must be those of the disturbed one."""

import asyncio
from pathlib import Path

import duckdb

from tests.chaos.verdict import FACTS, Promise
from tests.chaos.world import World
from warehouse import lake
from warehouse.tables import TABLES

NOT_OF_THE_LOG = {"collector_events": "event <> 'log_changed'", "leverage_tiers": "source <> 'static'"}
"""What ingest writes by itself: what happened to it, and the margin tables it brings along."""


async def replayed(world: World) -> Promise:
    """Ingest the log again and compare every table of facts, row for row."""
    fresh = world.folder.parent / f"{world.folder.name}-again"
    code = await world.ingest(fresh)
    name = "tables equal those of an undisturbed ingest"
    if code:
        return Promise(name, False, f"the ingest of the log again ended with {code}", ())
    return await asyncio.to_thread(_compared, name, world.folder, fresh)


def _compared(name: str, disturbed: Path, fresh: Path) -> Promise:
    broken: list[str] = []
    rows = 0
    with lake.open(disturbed) as one, lake.open(fresh) as other:
        for table in FACTS:
            columns = ", ".join(f'"{column}"' for column in TABLES[table].types)
            where = f"WHERE {NOT_OF_THE_LOG[table]}" if table in NOT_OF_THE_LOG else ""
            sql = f"SELECT {columns} FROM {table} {where}"
            mine, again = one.connection.execute(sql).to_arrow_table(), other.connection.execute(sql).to_arrow_table()
            rows += len(mine)
            with duckdb.connect() as memory:
                memory.register("mine", mine)
                memory.register("again", again)
                broken += _differences(memory, table)
    return Promise(name, not broken, f"{len(FACTS)} tables, {rows:,} rows, {len(broken)} tables differ", tuple(broken))


def _differences(memory: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    only = {
        side: memory.execute(f"SELECT count(*) FROM (FROM {side} EXCEPT ALL FROM {other})").fetchone()
        for side, other in (("mine", "again"), ("again", "mine"))
    }
    mine, again = ((row or (0,))[0] for row in only.values())
    if not mine and not again:
        return []
    first = (
        memory.execute("FROM mine EXCEPT ALL FROM again LIMIT 1").fetchone()
        or memory.execute("FROM again EXCEPT ALL FROM mine LIMIT 1").fetchone()
    )
    return [
        f"{table}: {mine:,} rows only in the disturbed one, {again:,} only in the other, such as {str(first)[:300]}"
    ]
