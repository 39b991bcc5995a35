"""`liq cascades detect`: find the cascades of a stretch of time by hand; the flow `detect_cascades` keeps them up to date."""

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from pipelines.cascades.rules import SCOPES
from pipelines.cascades.run import Done, detect
from pipelines.errors import PipelineError
from warehouse import lake, schema
from warehouse.errors import WarehouseError
from warehouse.query import reading_world

TIMES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"]

app = typer.Typer(no_args_is_help=True, help="Cascades: bursts of liquidations far above a coin's normal.")


@app.callback()
def cascades() -> None:
    """Cascades: bursts of liquidations far above a coin's normal. Ask `liq sql "from cascades_recent"` for them."""


@app.command("detect")
def command(
    since: Annotated[datetime, typer.Option(formats=TIMES, help="liquidations from here on, UTC")],
    until: Annotated[
        datetime | None, typer.Option(formats=TIMES, help="and before this, UTC; now if not given")
    ] = None,
) -> None:
    """Find the cascades in a stretch of time and make the table `cascades` hold exactly them.

    The rule and its numbers: `liq sql "from cascade_rules"`. One over an edge is found whole. Rows that are right stay, so a
    second run changes nothing.
    """
    try:
        world, note = reading_world()
        if note:
            print(f"liq: {note}", file=sys.stderr)
        if lake.exists(world):
            schema.create_or_migrate(world)
        with lake.open(world, read_only=False) as warehouse:
            done = _shown(warehouse, since, until)
    except (PipelineError, WarehouseError) as error:
        print(f"liq: {error}", file=sys.stderr)
        raise typer.Exit(1) from error
    print(f"{done.found:,} cascades found in {len(SCOPES)} scopes ({', '.join(SCOPES)})")
    print(f"{done.stored:,} rows stored, {done.gone:,} taken out, {done.kept:,} as they were")


def _shown(warehouse: lake.Lake, since: datetime, until: datetime | None) -> Done:
    now = datetime.now(UTC).replace(tzinfo=None)
    until = min(until or now, now)
    columns = TextColumn("looking for cascades"), BarColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=max((until - since).total_seconds(), 0))
        return detect(warehouse, since, until, now, tell=lambda time: progress.advance(task, time.total_seconds()))
