"""`liq export`: a table or view as files for other tools."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from collectors.terminal import bar, since_option, until_option
from pipelines.errors import UsageError
from warehouse.exporting.days import whole_days
from warehouse.exporting.run import export as run
from warehouse.formats import Format
from warehouse.terminal import to_read

app = typer.Typer()


class ExportFormat(StrEnum):
    """How files are written."""

    PARQUET = "parquet"
    CSV = "csv"


@app.command()
def export(
    name: Annotated[str, typer.Argument(help="Table or view, such as liquidations.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder to write to; export/NAME if not given.")
    ] = None,
    format: Annotated[ExportFormat, typer.Option("--format", "-f", help="Format of the files.")] = ExportFormat.PARQUET,
    since: Annotated[datetime | None, since_option("only whole days from this time on")] = None,
    until: Annotated[datetime | None, until_option("and before this time")] = None,
) -> None:
    """Export a table or view as Parquet or CSV files, one per day where its rows have a time, also while ingest runs.

    Days are UTC. manifest.json names each file with its rows, bytes and SHA-256; `sha256sum -c SHA256SUMS` checks them
    elsewhere. A second run into the same folder replaces the files that differ. With --since or --until it replaces these
    days alone, and the others stay. A run that is interrupted leaves the files of before, or a folder without manifest.json;
    run it again then.
    """
    span = whole_days(since, until)
    if span.since and span.until and span.since >= span.until:
        raise UsageError("--since must be before --until")
    with to_read() as warehouse, bar(name) as move:
        done = run(warehouse, name, output, Format(format), span, move)
    print(
        f"{done.name}: {done.rows:,} rows, {done.bytes:,} bytes; files in {done.path}: {done.files:,}, "
        f"{done.changed:,} of them changed"
    )
