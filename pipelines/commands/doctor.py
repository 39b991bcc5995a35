"""`liq doctor`: why something does not work. Looks at the settings, the disk, the warehouse, and what the collectors need."""

import asyncio
import difflib
import logging
import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import typer
from pydantic import BaseModel, ValidationError
from rich.console import Console
from rich.table import Table

from collectors import proxies
from collectors.errors import ConfigurationError
from collectors.findings import Finding
from pipelines.plots.settings import PlotSettings
from pipelines.settings import SETTINGS as PIPELINES
from pipelines.status.look import look
from pipelines.status.parts import at_rest
from warehouse import lake
from warehouse.errors import WarehouseError
from warehouse.place import Place
from warehouse.settings import WarehouseSettings
from warehouse.terminal import TABLES_WIDTH, console
from warehouse.worlds import named, told_world

SETTINGS: tuple[type[BaseModel], ...] = (*PIPELINES, PlotSettings)
NO_SETTINGS = {"LIQ_SIMULATOR"}  # what `liq simulate` prints beside them
SCARCE_GB, TOO_LITTLE_GB = 20.0, 2.0
GB = 1e9
MARKS = {"good": "[green]ok[/]", "warning": "[yellow]![/]", "broken": "[red]x[/]"}
LOOKED_AT = ("last commit", "lag", "frames", "losses", "audit")
"""What of `liq status` means that something does not work, rather than that it does not run."""

Look = Callable[[], Awaitable[list[Finding]]]


def command(collectors_look: Look, collectors_names: Callable[[], set[str]]) -> Callable[[], None]:
    """Return the command `doctor`; given are what the collectors find at fault, and their environment variables."""

    def doctor() -> None:
        """Find out why the pipeline does not work, and say what to do about it. Changes nothing.

        Checks settings, disk, warehouse, Java, Kafka, and whether each venue answers by REST and WebSocket and has the same
        time. Exit code 1: something is broken.
        """
        logging.basicConfig(level=logging.CRITICAL)  # what fails is told below
        found = [*settings(collectors_names()), *proxy()]
        if not any(finding.state == "broken" for finding in found):
            found += asyncio.run(_all(told_world(), collectors_look))
        show(console(TABLES_WIDTH), found)
        raise typer.Exit(1 if any(finding.state == "broken" for finding in found) else 0)

    return doctor


async def _all(world: Path, collectors_look: Look) -> list[Finding]:
    around = await collectors_look()
    if at_rest(world):  # so no Kafka is to run
        around = [finding for finding in around if finding.subject != "Kafka"]
    return [disk(world), *around, *await asyncio.to_thread(warehouse, world)]


def settings(collectors_names: set[str]) -> list[Finding]:
    """Look at the environment: values that cannot be read, and LIQ_ variables that no setting has."""
    found = []
    for kind in SETTINGS:
        try:
            kind()
        except ValidationError as error:
            found.append(Finding("settings", "broken", str(ConfigurationError.of(error)), "correct it, or unset it"))
    known = collectors_names | NO_SETTINGS
    for kind in SETTINGS:
        known |= {f"{kind.model_config.get('env_prefix', 'LIQ_')}{name}".upper() for name in kind.model_fields}
    given = sorted(name for name in os.environ if name.startswith("LIQ_"))
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            found.append(Finding("settings", "warning", f"nothing reads {name}", f"{near[0]}?" if near else "unset it"))
    told = ", ".join(name for name in given if name in known) or "no LIQ_ variable is set, so all defaults apply"
    return found or [Finding("settings", "good", told)]


def proxy() -> list[Finding]:
    """Look at the proxies of the environment, where there are some."""
    if wrong := proxies.wrong(os.environ):
        line, _, mend = wrong.rpartition(", or ")
        return [Finding("proxy", "broken", line, f"do so, or {mend}")]
    told = proxies.told(os.environ)
    return [Finding("proxy", "good", f"{told}; this machine itself is reached without it")] if told else []


def disk(world: Path) -> Finding:
    """Look at the folder of the data: may it be written, how much room is left."""
    there = next(folder for folder in (world, *world.parents) if folder.exists())
    if not os.access(there, os.W_OK):
        return Finding("disk", "broken", f"{there} cannot be written", "change its owner, or set LIQ_DATA")
    free = shutil.disk_usage(there).free / GB
    told = f"{free:,.1f} GB free in {world}"
    mend = "make room, or move the data and set LIQ_DATA; `liq maintain` merges and deletes files"
    if free < TOO_LITTLE_GB:
        return Finding("disk", "broken", told, mend)
    return Finding("disk", "warning" if free < SCARCE_GB else "good", told, mend if free < SCARCE_GB else "")


def warehouse(world: Path) -> list[Finding]:
    """Look at the warehouse: can it be read, and what does `liq status` find that needs somebody."""
    where = Place(world, WarehouseSettings())
    try:
        if not lake.exists(world):
            mend = "`liq ingest` creates it, `liq up` and `liq demo` too"
            return [Finding("warehouse", "warning", f"none yet in {where}", mend)]
        lake.open(world).close()
    except WarehouseError as error:
        mend = "if an older version made it, `liq ingest` updates it"
        return [Finding("warehouse", "broken", str(error), mend if where.sqlite else "see LIQ_CATALOGUE and LIQ_S3_*")]
    checks = [check for check in look(world, LOOKED_AT) if check.state == "needs you"]
    return [Finding(check.subject, "broken", check.said, check.mend) for check in checks] or [
        Finding("warehouse", "good", f"in {where}; nothing waits for long, nothing is missing")
    ]


def show(out: Console, found: list[Finding]) -> None:
    """Print the findings, what to do under each that is not good."""
    table = Table.grid(padding=(0, 2))
    for finding in found:
        table.add_row(MARKS[finding.state], finding.subject, finding.said)
        if finding.mend:
            table.add_row("", "", f"[dim]-> {named(finding.mend)}[/]")
    out.print(table)
