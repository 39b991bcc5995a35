"""What a person sees while the pipeline runs: counters read from the warehouse, live on a terminal, else a line at times."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from warehouse import lake, query
from warehouse.errors import NoWarehouseError, WarehouseError

COUNTERS = """
WITH frames AS (
    SELECT venue, sum(frames)::BIGINT AS frames, max(recv_last) AS newest FROM session_frames GROUP BY venue
), liquidated AS (
    SELECT venue, count(*) AS liquidations, sum(notional_usd) AS usd, max(notional_usd) AS largest
    FROM liquidations_complete WHERE ts_event > (now() AT TIME ZONE 'UTC') - INTERVAL 24 HOUR GROUP BY venue
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
TABLE_EVERY_S = 1.0
LINE_EVERY_S = 5.0
LOOKS = 60  # at one opening of the warehouse, whose reader holds more with every commit it sees

Rows = Sequence[dict[str, Any]]


class Screen:
    """Shows the counters of one world until `stop` is set."""

    def __init__(self, out: Console, world: Path, title: str) -> None:
        self._out = out
        self._world = world
        self._title = title

    async def show(self, stop: asyncio.Event) -> None:
        """Show the counters until `stop`; on a terminal in place, else a line every few seconds."""
        if self._out.is_terminal:
            with Live(self._table([], []), console=self._out, refresh_per_second=4) as live:
                async for counters, troubles in self._seen(stop, TABLE_EVERY_S):
                    live.update(self._table(counters, troubles))
            return
        told: list[str] = []
        async for counters, troubles in self._seen(stop, LINE_EVERY_S):
            if counters:
                self._out.print(_line(counters), soft_wrap=True)
            if troubles and [row["venue"] for row in troubles] != told:
                self._out.print(_trouble_lines(troubles), soft_wrap=True)
            told = [row["venue"] for row in troubles]

    async def _seen(self, stop: asyncio.Event, every_s: float) -> AsyncIterator[tuple[Rows, Rows]]:
        while not stop.is_set():
            # a warehouse that is not there yet, or cannot be read now, is opened anew
            with suppress(WarehouseError), lake.open(self._world) as warehouse:
                for _ in range(LOOKS):
                    if stop.is_set():
                        return
                    yield await asyncio.to_thread(lambda: (_rows(warehouse, COUNTERS), _rows(warehouse, TROUBLES)))
                    await _wait(stop, every_s)
            await _wait(stop, every_s)

    def _table(self, counters: Rows, troubles: Rows) -> Group:
        columns = ("venue", "frames committed", "liquidations 24 h", "USD 24 h", "largest USD", "age of newest, s")
        table = Table(title=self._title, title_justify="left")
        for number, name in enumerate(columns):
            table.add_column(name, justify="left" if number == 0 else "right")
        for row in counters:
            table.add_row(
                row["venue"], f"{row['frames']:,}", f"{row['liquidations']:,}", f"{row['usd']:,.0f}",
                f"{row['largest']:,.0f}", f"{row['age_s']:.1f}",
            )  # fmt: skip
        return Group(table, Text(_trouble_lines(troubles), style="yellow"))


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


def show_rows(out: Console, title: str, rows: Rows) -> None:
    """Print rows as a table under a title."""
    table = Table(title=title, title_justify="left")
    for name, value in (rows[0] if rows else {"no rows": ""}).items():
        table.add_column(name, justify="right" if isinstance(value, int | float) else "left")
    for row in rows:
        table.add_row(*(_cell(value) for value in row.values()))
    out.print(table)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.6g}"
    return (
        f"{value:,}"
        if isinstance(value, int) and not isinstance(value, bool)
        else str(value if value is not None else "")
    )


def _trouble_lines(troubles: Rows) -> str:
    return "\n".join(f"{row['venue']} brings nothing: {row['trouble']}" for row in troubles)


def _line(counters: Rows) -> str:
    return " | ".join(
        f"{row['venue']}: {row['frames']:,} frames, {row['liquidations']:,} liquidations, {row['usd']:,.0f} USD"
        for row in counters
    )
