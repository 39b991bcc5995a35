"""The sub-commands that keep a lake: backup, verify, restore."""

from pathlib import Path
from typing import Annotated

import typer

from warehouse.keeping import rebuild, salvage
from warehouse.keeping import restore as restoring
from warehouse.keeping.backup import backup as back_up
from warehouse.keeping.files import named
from warehouse.keeping.verify import verify as look
from warehouse.settings import WarehouseSettings
from warehouse.terminal import bar, to_read
from warehouse.worlds import told_world

app = typer.Typer()
SOURCES = "SOURCE, --from-copy, --from-files"


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(help="Folder for the backup; made where there is none.")],
) -> None:
    """Copy the warehouse to another folder, beside whatever writes to it: the catalogue and every file that it names.

    Into the same folder again it copies only what is new and deletes what the warehouse no longer has. Each file is checked
    against its checksum on the way. A backup is a world: LIQ_DATA=FOLDER liq verify checks it, LIQ_DATA=FOLDER liq sql reads
    it, liq restore FOLDER brings it back. With the catalogue in PostgreSQL, pg_dump makes its dump beside the files; files on
    S3 are listed in files.txt for the bucket's own tools. Exit code 1: a file could not be copied as it was written.
    """
    with to_read() as warehouse, bar("copying") as move:
        done = back_up(warehouse, target, lambda bytes_done, of: move(completed=bytes_done, total=of))
    for fault in done.faults:
        print(fault)
    print(f"{done.copied:,} files copied ({done.size:,} bytes), {done.kept:,} were there, {done.deleted:,} deleted")
    if done.faults:
        print(f"{len(done.faults):,} files are damaged or missing: {target} is as it was; `liq verify` tells more")
    raise typer.Exit(1 if done.faults else 0)


@app.command()
def verify() -> None:
    """Check that the warehouse is whole: every file there and as it was written, and the accounts right.

    Each file that the catalogue names: is it there, has it its bytes, its rows, its SHA-256? Is the catalogue the newest one?
    Do session_frames and ingest_commits agree with raw_frames? Reads every byte, changes nothing, and may run beside
    everything else. Exit code 1: something is wrong; each line names what.
    """
    with to_read() as warehouse, bar("checking") as move:
        move(total=sum(each.size for each in named(warehouse.connection)))
        found = look(warehouse, lambda size: move(advance=size))
    for fault in found.faults:
        print(fault)
    print(
        f"{found.files:,} files, {found.size:,} bytes: {f'{len(found.faults):,} faults' if found.faults else 'whole'}"
    )
    if found.unproved:
        print(f"{found.unproved:,} files have no checksum yet, and were read whole: `liq maintain` writes them down")
    if found.unknown:
        print(f"{found.unknown:,} files lie there that are not of it: `liq maintain --list-unknown` lists them")
    raise typer.Exit(1 if found.faults else 0)


@app.command()
def restore(
    source: Annotated[Path | None, typer.Argument(help="Folder of a backup, as `liq backup` made it.")] = None,
    from_copy: Annotated[
        bool, typer.Option("--from-copy", help="Take the newest copy of the catalogue that lies beside the data.")
    ] = False,
    from_files: Annotated[
        bool, typer.Option("--from-files", help="Make a new catalogue for the Parquet files that are there.")
    ] = False,
    without_manifest: Annotated[
        bool,
        typer.Option(
            "--without-manifest",
            help="With --from-files: sort out the rows themselves, as no manifest says which files are the warehouse.",
        ),
    ] = False,
    without_damaged: Annotated[
        bool,
        typer.Option("--without-damaged", help="With --from-files: do without files that are damaged or missing."),
    ] = False,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Put what is there aside first; else it is left alone, and nothing is done."),
    ] = False,
) -> None:
    """Bring a warehouse back: from a backup, or, where only its catalogue is lost, from what lies beside the data.

    Stop what writes to it first. --from-files gives the warehouse of the last commit, as the manifest beside the files says;
    --from-copy that of the copy, minutes older, with the files and all. In both `liq ingest` then goes on from the offsets
    that were stored with the rows, so what came later is read from Kafka again, as long as Kafka has it. --without-manifest
    writes rows anew and cannot know all: warehouse/README.md. Exit code 1: nothing was changed, and each line says why.
    """
    if (source is not None) + from_copy + from_files != 1 or (without_manifest or without_damaged) > from_files:
        raise typer.BadParameter(f"give one of {SOURCES}")
    world = WarehouseSettings().world(None) if source else told_world()
    with bar("restoring") as move:

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
    print(f"{world} is restored from {done.source}: {done.files:,} files")
    for line in done.left_out:
        print(f"left out: {line}")
    if done.aside:
        print(f"what was there before is in {done.aside}")
    if done.unknown:
        print(f"{done.unknown:,} files are not of it: `liq maintain --list-unknown` lists them")
    print("`liq verify` checks it; `liq ingest` goes on from where it was")
