"""What is shown while the pipeline runs: the page of `liq watch` on a terminal, else a line of counters at times."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType

from pipelines.watch.live import Watch
from warehouse import lake, query
from warehouse.errors import NoWarehouseError, WarehouseError

COUNTERS = """
WITH frames AS (
    SELECT venue, sum(frames)::BIGINT AS frames, max(recv_last) AS newest FROM session_frames GROUP BY venue
), liquidated AS (
    SELECT venue, count(*) AS liquidations, sum(notional_usd) AS usd, max(notional_usd) AS largest
    FROM liquidations_filled_in WHERE ts_event > (now() AT TIME ZONE 'UTC') - INTERVAL 24 HOUR GROUP BY venue
)
SELECT venue, frames, coalesce(liquidations, 0) AS liquidations, coalesce(usd, 0) AS usd, coalesce(largest, 0) AS largest,
    epoch((now() AT TIME ZONE 'UTC') - newest) AS age_s
FROM frames LEFT JOIN liquidated USING (venue) ORDER BY venue
"""
TROUBLES = """
SELECT venue, arg_max(event || coalesce(': ' || nullif(reason, ''), ''), ts) AS trouble FROM collector_events
WHERE ts > (now() AT TIME ZONE 'UTC') - INTERVAL 2 MINUTE
    AND event IN ('poll_failed', 'poll_stopped', 'silent', 'refused', 'disconnected', 'notice')
    AND venue NOT IN (SELECT venue FROM session_frames WHERE recv_last > (now() AT TIME ZONE 'UTC') - INTERVAL 15 SECOND)
GROUP BY venue ORDER BY venue
"""
LINE_EVERY_S = 5.0
LOOKS = 60  # at one opening of the warehouse, whose reader holds more with every commit it sees

Rows = Sequence[dict[str, Any]]


async def show(
    out: Console, world: Path, title: str, stop: asyncio.Event, head: Callable[[], RenderableType | None] = lambda: None
) -> None:
    """Show what comes until `stop`; on a terminal the page, which sets it on q, with `head` above; else a line at times."""
    if out.is_terminal:
        await Watch(out, world, title, head).show(stop)
        return
    told: list[str] = []
    async for counters, troubles in _seen(world, stop):
        if counters:
            out.print(_line(counters), soft_wrap=True)
        if troubles and [row["venue"] for row in troubles] != told:
            out.print(_trouble_lines(troubles), soft_wrap=True)
        told = [row["venue"] for row in troubles]


async def _seen(world: Path, stop: asyncio.Event) -> AsyncIterator[tuple[Rows, Rows]]:
    while not stop.is_set():
        # a warehouse that is not there yet, or cannot be read now, is opened anew
        with suppress(WarehouseError), lake.open(world) as warehouse:
            for _ in range(LOOKS):
                if stop.is_set():
                    return
                yield _rows(warehouse, COUNTERS), _rows(warehouse, TROUBLES)
                await _wait(stop, LINE_EVERY_S)
        await _wait(stop, LINE_EVERY_S)


def read(world: Path, sql: str) -> list[dict[str, Any]]:
    """Return the rows of a query on the world's warehouse, none where there is none yet. Raises WarehouseError."""
    try:
        return query.query(sql, world).to_dicts()
    except NoWarehouseError:
        return []


def _rows(warehouse: lake.Lake, sql: str) -> Rows:
    return query.run(warehouse, sql).frame().to_dicts()


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


def _trouble_lines(troubles: Rows) -> str:
    return "\n".join(f"{row['venue']} brings nothing: {row['trouble']}" for row in troubles)


def _line(counters: Rows) -> str:
    return " | ".join(
        f"{row['venue']}: {row['frames']:,} frames, {row['liquidations']:,} liquidations, {row['usd']:,.0f} USD"
        for row in counters
    )
