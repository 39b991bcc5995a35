"""`liq cascades detect`: find the cascades of a stretch of time by hand; the flow `detect_cascades` keeps them up to date."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from collectors.terminal import bar, since_option, until_option
from pipelines.derive.cascades.inputs import require
from pipelines.derive.cascades.rules import RULE, SCOPES
from pipelines.derive.cascades.run import detect
from warehouse.writing import to_write

app = typer.Typer()


@app.callback()
def cascades() -> None:
    """Cascades: bursts of liquidations far above a coin's normal. `liq sql "from cascades_recent"` shows them."""


@app.command("detect")
def command(
    since: Annotated[datetime, since_option("liquidations from this time on")],
    until: Annotated[datetime | None, until_option("and before this time; now if not given")] = None,
) -> None:
    """Find the cascades of a time again, and correct the table `cascades` for that time.

    The rule and its numbers: `liq sql "from cascade_rules"`. A cascade that crosses the start or end is found whole. Rows
    that are right stay, so a second run changes nothing. If the bars are not up to date, run `liq rollup` first.
    """
    now = datetime.now(UTC).replace(tzinfo=None)
    end = min(until or now, now)
    total = max((end - since).total_seconds(), 0)
    with to_write() as warehouse, bar("looking for cascades", total) as move:
        require(warehouse, since, end, RULE)
        done = detect(warehouse, since, end, now, tell=lambda time: move(advance=time.total_seconds()))
    print(f"{done.found:,} cascades found in {len(SCOPES)} scopes ({', '.join(SCOPES)})")
    print(f"{done.stored:,} rows stored, {done.gone:,} deleted, {done.kept:,} unchanged")
