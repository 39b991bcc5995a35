"""The warehouse's other sub-commands: shell, schema, views, maintain."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from warehouse import catalogue, describe, lake
from warehouse.errors import LostCatalogueError, NoWarehouseError
from warehouse.keeping import unknown
from warehouse.maintain import maintain as maintain_lake
from warehouse.shell import shell as run_shell
from warehouse.sql_cli import UNLOCKED
from warehouse.terminal import console, to_read
from warehouse.worlds import told_world
from warehouse.writing import to_write

app = typer.Typer()


class SchemaFormat(StrEnum):
    """How `liq schema` and `liq views` write."""

    TABLE = "table"
    MARKDOWN = "markdown"


@app.command()
def shell(unlocked: Annotated[bool, typer.Option("--unlocked", help=UNLOCKED)] = False) -> None:
    """Open an SQL prompt on the warehouse: SQL ended by ;, .tables, .schema NAME, .help."""
    with to_read(unlocked=unlocked) as warehouse:
        run_shell(warehouse, console())


@app.command()
def schema(
    table: Annotated[
        str | None, typer.Argument(help="Table or view whose columns to show; if not given, all are listed.")
    ] = None,
    format: Annotated[SchemaFormat, typer.Option("--format", "-f", help="How it is written.")] = SchemaFormat.TABLE,
) -> None:
    """Show the tables and views, or the columns of one: type, unit, meaning, source, when null."""
    with _reader_if_any() as warehouse:
        if format is SchemaFormat.MARKDOWN:
            print(describe.markdown(describe.columns(table, warehouse) if table else describe.objects()))
        else:
            console().print(describe.columns_table(table, warehouse) if table else describe.objects_table())


@app.command()
def views(
    name: Annotated[
        str | None,
        typer.Argument(help="View or macro to show: description, columns and SQL; if not given, all are listed."),
    ] = None,
    format: Annotated[SchemaFormat, typer.Option("--format", "-f", help="How it is written.")] = SchemaFormat.TABLE,
    update: Annotated[
        Path | None, typer.Option("--update", help="File to write the list into, such as sql/README.md.")
    ] = None,
) -> None:
    """List the views and macros by subject, with what each shows. Needs no warehouse."""
    if update:
        print(f"{update}: {'written' if catalogue.update(update) else 'unchanged'}")
    elif format is SchemaFormat.MARKDOWN:
        print(catalogue.page_markdown(name) if name else catalogue.markdown())
    else:
        console().print(catalogue.page(name) if name else catalogue.listing())


@app.command()
def maintain(
    keep_snapshots_h: Annotated[float, typer.Option(min=0, help="How long old snapshots stay readable, hours.")] = 24,
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
    """Merge small files, expire old snapshots, delete unused files. Safe while ingest and readers run.

    Files that the catalogue does not name are counted and not touched. A killed writer leaves some. But they may also be all
    that is left after a catalogue was lost or replaced, so look before you delete them.
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
