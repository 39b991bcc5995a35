"""The warehouse's sub-commands: sql, shell, schema, views, maintain."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from warehouse import asked, catalogue, describe, lake
from warehouse.errors import LostCatalogueError, NoWarehouseError
from warehouse.follow import follow as follow_rows
from warehouse.formats import BINARY, HELD, Format, chosen, write
from warehouse.keeping import unknown
from warehouse.maintain import maintain as maintain_lake
from warehouse.query import run
from warehouse.shell import shell as run_shell
from warehouse.terminal import console, to_read, to_write
from warehouse.worlds import told_world

app = typer.Typer()


UNLOCKED = (
    "Let the SQL read and write files and attach databases, as you may yourself; without it it only queries the lake."
)


class SchemaFormat(StrEnum):
    """How `liq schema` and `liq views` write."""

    TABLE = "table"
    MARKDOWN = "markdown"


@app.command()
def sql(
    statement: Annotated[str, typer.Argument(help='SQL, such as "from liquidation_totals"; - reads standard input.')],
    format: Annotated[
        Format | None, typer.Option("--format", "-f", help="How rows are written; else as --output ends, else a table.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write; else standard output.")] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Rows a table shows at most; else 100, and all in a file.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", "-a", help="All columns of a table on a terminal, with all their digits.")
    ] = False,
    follow: Annotated[
        bool,
        typer.Option("--follow", help="Then look every few seconds, and print the rows that are new, until Ctrl-C."),
    ] = False,
    unlocked: Annotated[bool, typer.Option("--unlocked", help=UNLOCKED)] = False,
) -> None:
    """Query the warehouse with SQL, beside whatever writes to it. Reads LIQ_DATA, else data/live, else data/demo.

    Only queries run, and no file outside the lake is read or written. json is one array and jsonl an object a line; arrow is
    the IPC file and arrows the IPC stream. Types that a format does not have, such as INTERVAL, are written as text. Times are
    UTC: text formats write them with a Z.
    """
    try:
        kind = chosen(format, output)
        if follow and (output or kind in BINARY or kind is Format.JSON):
            raise ValueError("--follow prints lines as they come: as table, csv or jsonl, and into no --output")
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    with to_read(unlocked=unlocked) as warehouse:
        text = sys.stdin.read() if statement == "-" else statement
        if follow:
            with suppress(KeyboardInterrupt):
                follow_rows(warehouse, text, kind)
            return
        before = signal.signal(signal.SIGINT, signal.SIG_DFL)  # Python would not hear Ctrl-C before DuckDB has answered
        try:
            rows = run(warehouse, text, held=HELD[kind])
            write(rows, kind, output, limit, everything=everything)
            for line in asked.unknown(warehouse, text) if not rows.count else ():
                print(f"liq sql: {line}", file=sys.stderr)
        finally:
            signal.signal(signal.SIGINT, before)


@app.command()
def shell(unlocked: Annotated[bool, typer.Option("--unlocked", help=UNLOCKED)] = False) -> None:
    """Query the warehouse by hand: SQL ended by ;, .tables, .schema NAME, .help."""
    with to_read(unlocked=unlocked) as warehouse:
        run_shell(warehouse, console())


@app.command()
def schema(
    table: Annotated[
        str | None, typer.Argument(help="Table or view whose columns to show; none lists them all.")
    ] = None,
    format: Annotated[SchemaFormat, typer.Option("--format", "-f", help="How it is written.")] = SchemaFormat.TABLE,
) -> None:
    """Show the tables and views, or one's columns: type, unit, meaning, source, when null."""
    with _reader_if_any() as warehouse:
        if format is SchemaFormat.MARKDOWN:
            print(describe.markdown(describe.columns(table, warehouse) if table else describe.objects()))
        else:
            console().print(describe.columns_table(table, warehouse) if table else describe.objects_table())


@app.command()
def views(
    name: Annotated[
        str | None, typer.Argument(help="View or macro whose head, columns and SQL to show; none lists them all.")
    ] = None,
    format: Annotated[SchemaFormat, typer.Option("--format", "-f", help="How it is written.")] = SchemaFormat.TABLE,
    update: Annotated[
        Path | None, typer.Option("--update", help="File, such as sql/README.md, to write the catalogue into.")
    ] = None,
) -> None:
    """List the views and macros by subject, each with what it shows. Needs no warehouse."""
    if update:
        print(f"{update}: {'written' if catalogue.update(update) else 'as it was'}")
    elif format is SchemaFormat.MARKDOWN:
        print(catalogue.page_markdown(name) if name else catalogue.markdown())
    else:
        console().print(catalogue.page(name) if name else catalogue.listing())


@app.command()
def maintain(
    keep_snapshots_h: Annotated[float, typer.Option(min=0, help="How far back snapshots stay readable, hours.")] = 24,
    keep_files_h: Annotated[
        float, typer.Option(min=0, help="How long replaced files stay for running queries, hours.")
    ] = 1,
    list_unknown: Annotated[
        bool, typer.Option("--list-unknown", help="Only list the files that the catalogue does not name.")
    ] = False,
    delete_unknown: Annotated[
        bool,
        typer.Option(
            "--delete-unknown",
            help="List them, and delete those older than an hour that no other catalogue and no copy of this one names.",
        ),
    ] = False,
) -> None:
    """Merge small files, expire old snapshots, delete files out of use. Safe beside readers and ingest.

    Files that the catalogue does not name are left alone and counted. A writer that was killed leaves some; but they may
    also be all that is left of a catalogue that was lost or replaced, so look before you delete them.
    """
    with to_write() as warehouse:
        if list_unknown or delete_unknown:
            _unknown(warehouse, delete_unknown)
            return
        with Console(stderr=True).status("maintaining the warehouse"):
            done = maintain_lake(warehouse, timedelta(hours=keep_snapshots_h), timedelta(hours=keep_files_h))
    for name, count in done._asdict().items():
        print(f"{name.replace('_', ' '):20}{count:>12,}")


def _unknown(warehouse: lake.Lake, delete: bool) -> None:
    found = unknown.unknown(warehouse)
    for each in found:
        print(f"{each.size:>14,}  {each.path}{f'  (named by {each.named_by})' if each.named_by else ''}")
    print(f"{len(found):,} files, {sum(each.size for each in found):,} bytes, in {warehouse.place.files}")
    if delete:
        gone = unknown.delete_unknown(warehouse, found)
        print(f"{len(gone):,} of them deleted")


@contextmanager
def _reader_if_any() -> Iterator[lake.Lake | None]:
    try:
        opened = lake.open(told_world())
    except (NoWarehouseError, LostCatalogueError):
        yield None
        return
    with opened as warehouse:
        yield warehouse
