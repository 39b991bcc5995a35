"""The sub-commands backup, verify and restore."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from warehouse.keeping import rebuild, salvage
from warehouse.keeping import restore as restoring
from warehouse.keeping.backup import backup as back_up
from warehouse.keeping.files import named
from warehouse.keeping.verify import verify as look
from warehouse.settings import WarehouseSettings
from warehouse.terminal import to_read
from warehouse.worlds import told_world

app = typer.Typer()
SOURCES = "SOURCE, --from-copy, --from-files"
UNPROVED = "files have no checksum yet, and were read whole: `liq maintain` records their checksums"
UNPROVED_ON_S3 = "files on S3 have no checksum: their sizes and rows were counted, their contents were not read"


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(help="Folder for the backup; created if it does not exist.")],
) -> None:
    """Copy the warehouse to another folder, also while the pipeline writes to it.

    Copies the catalogue and every file that it names, and compares each file with its checksum. A second run into the same
    folder copies only what is new, and deletes what the warehouse no longer has. A backup is a world: LIQ_DATA=FOLDER liq
    verify checks it, LIQ_DATA=FOLDER liq sql reads it, liq restore FOLDER restores it. If the catalogue is in PostgreSQL,
    pg_dump writes it beside the files. Files on S3 are only listed, in files.txt; copy them with the bucket's own tools. Exit
    code 1: a file is damaged or missing.
    """
    with to_read() as warehouse, _bar("copying") as move:
        done = back_up(warehouse, target, lambda bytes_done, of: move(completed=bytes_done, total=of))
    for fault in done.faults:
        print(fault)
    print(f"{done.copied:,} files copied ({done.size:,} bytes), {done.kept:,} were there, {done.deleted:,} deleted")
    if done.faults:
        print(f"{len(done.faults):,} files are damaged or missing: {target} was not changed; `liq verify` shows more")
    raise typer.Exit(1 if done.faults else 0)


@app.command()
def verify() -> None:
    """Check that the warehouse is whole: every file is there and unchanged, and the frame counts agree.

    Checks the size, rows and SHA-256 of each file that the catalogue names, that the catalogue is the newest one, and that
    session_frames and ingest_commits agree with raw_frames. Reads every byte, changes nothing, and may run while everything
    else runs. Files on S3 have no checksum: of them it checks size and rows. Exit code 1: something is wrong; each line names
    what.
    """
    with to_read() as warehouse, _bar("checking") as move:
        move(total=sum(each.size for each in named(warehouse.connection)))
        found = look(warehouse, lambda size: move(advance=size))
        is_local = warehouse.place.local_files is not None
    for fault in found.faults:
        print(fault)
    print(
        f"{found.files:,} files, {found.size:,} bytes: {f'{len(found.faults):,} faults' if found.faults else 'whole'}"
    )
    if found.unproved:
        print(f"{found.unproved:,} {UNPROVED if is_local else UNPROVED_ON_S3}")
    if found.unknown:
        print(f"{found.unknown:,} files there do not belong to it: `liq maintain --list-unknown` lists them")
    raise typer.Exit(1 if found.faults else 0)


@app.command()
def restore(
    source: Annotated[Path | None, typer.Argument(help="Folder of a backup, as `liq backup` made it.")] = None,
    from_copy: Annotated[
        bool, typer.Option("--from-copy", help="Use the newest copy of the catalogue that is beside the data.")
    ] = False,
    from_files: Annotated[
        bool, typer.Option("--from-files", help="Make a new catalogue for the Parquet files that are there.")
    ] = False,
    without_manifest: Annotated[
        bool,
        typer.Option(
            "--without-manifest",
            help="With --from-files, if the manifest is lost too: find the valid rows by reading all files.",
        ),
    ] = False,
    without_damaged: Annotated[
        bool,
        typer.Option("--without-damaged", help="With --from-files: leave out files that are damaged or missing."),
    ] = False,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Move an existing warehouse aside first; otherwise that is an error."),
    ] = False,
) -> None:
    """Restore a warehouse from a backup or, if only its catalogue is lost, from the files beside it.

    Stop everything that writes to it first. --from-files gives the warehouse of the last commit, from the manifest beside the
    files. --from-copy gives that of the newest copy of the catalogue, minutes older. After both, `liq ingest` continues from
    the offsets that were stored with the rows, so it reads later records from Kafka again, as long as Kafka has them.
    --without-manifest writes the rows again and cannot know everything; warehouse/README.md says what. Exit code 1: nothing
    was changed, and each line says why.
    """
    if (source is not None) + from_copy + from_files != 1 or (without_manifest or without_damaged) > from_files:
        raise typer.BadParameter(f"give one of {SOURCES}")
    world = WarehouseSettings().world(None) if source else told_world()
    with _bar("restoring") as move:

        def tell(done: int, of: int) -> None:
            move(completed=done, total=of)

        if source:
            done = restoring.from_backup(world, source, tell, replace=replace)
        elif from_copy:
            done = restoring.from_copy(world, replace=replace)
        elif without_manifest:
            done = salvage.without_manifest(world, tell, replace=replace)
        else:
            done = rebuild.from_files(world, tell, replace=replace, without_damaged=without_damaged)
    _say(world, done)


def _say(world: Path, done: restoring.Restored) -> None:
    for fault in done.faults:
        print(fault)
    if done.faults:
        print(f"{len(done.faults):,} files are damaged or missing: nothing was changed")
        raise typer.Exit(1)
    print(f"{world} is restored from {done.source}: {done.files:,} files of every snapshot that it has")
    for line in done.left_out:
        print(f"left out: {line}")
    if done.aside:
        print(f"the earlier files are in {done.aside}")
    if done.unknown:
        print(f"{done.unknown:,} files do not belong to it: `liq maintain --list-unknown` lists them")
    print("`liq verify` checks it; `liq ingest` continues where it was")


@contextmanager
def _bar(what: str) -> Iterator[Callable[..., None]]:
    """Show a bar on standard error while the block runs, where that is a terminal.

    Yields what moves it: called with advance=, completed= or total=.
    """
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    shown = Console(stderr=True)
    with Progress(*columns, console=shown, transient=True, disable=not shown.is_terminal) as bars:
        yield partial(bars.update, bars.add_task(what, total=None))
