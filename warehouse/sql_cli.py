"""`liq sql`: a process that runs it loads only what a query takes."""

import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from warehouse import asked
from warehouse.casts import Held
from warehouse.formats import BINARY, HELD, Format, chosen, write
from warehouse.query import Rows, run
from warehouse.terminal import to_read
from warehouse.worlds import told_world

app = typer.Typer()

sandboxed: Callable[[Path, str, Held], tuple[Rows, int | None]] | None = None
"""Runs SQL of somebody else in a world; returns its rows, and how many these are if there are more. `liq` sets it."""
SAFE = "Run SQL that is not yours, in the sandbox of `liq serve`: one SELECT, with limits of time, memory and rows."

UNLOCKED = "Allow the SQL to read and write files and attach databases, with your rights; without it, it only queries the lake."


@app.command()
def sql(
    statement: Annotated[str, typer.Argument(help='SQL, such as "from liquidation_totals"; - reads standard input.')],
    format: Annotated[
        Format | None,
        typer.Option("--format", "-f", help="Output format; if not given, the ending of --output, else a table."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; standard output if not given.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Most rows to show; if not given, 100, and all in a file.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", "-a", help="On a terminal, show all columns with all digits.")
    ] = False,
    follow: Annotated[
        bool,
        typer.Option("--follow", help="Then query again every few seconds and print new rows, until Ctrl-C."),
    ] = False,
    unlocked: Annotated[bool, typer.Option("--unlocked", help=UNLOCKED)] = False,
    safe: Annotated[bool, typer.Option("--safe", help=SAFE)] = False,
) -> None:
    """Query the warehouse with SQL, also while the pipeline writes to it. Reads LIQ_DATA, else data/live, else data/demo.

    Only queries run, and no file outside the lake is read or written. json is one array, jsonl one object per line; arrow is
    the IPC file, arrows the IPC stream. Types that a format does not have, such as INTERVAL, are written as text. Times are
    UTC; text formats write them with a Z.
    """
    try:
        kind = chosen(format, output)
        if follow and (output or kind in BINARY or kind is Format.JSON):
            raise ValueError("--follow prints only table, csv or jsonl, and takes no --output")
        if safe and (follow or unlocked):
            raise ValueError(f"--safe does not go with {'--follow' if follow else '--unlocked'}")
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    text = sys.stdin.read() if statement == "-" else statement
    if safe:
        _safe(text, kind, output, limit, everything)
        return
    with to_read(unlocked=unlocked) as warehouse:
        if follow:
            from warehouse.follow import follow as follow_rows

            with suppress(KeyboardInterrupt):
                follow_rows(warehouse, text, kind)
            return
        before = signal.signal(signal.SIGINT, signal.SIG_DFL)  # Python would not hear Ctrl-C before DuckDB has answered
        try:
            rows = run(warehouse, text, held=HELD[kind])
            write(rows, kind, output, limit, everything=everything)
            _told(rows, output)
            for line in asked.unknown(warehouse, text) if not rows.count else ():
                print(f"liq sql: {line}", file=sys.stderr)
        finally:
            signal.signal(signal.SIGINT, before)


def _safe(text: str, kind: Format, output: Path | None, limit: int | None, everything: bool) -> None:
    assert sandboxed
    rows, cut_at = sandboxed(told_world(), text, HELD[kind])
    write(rows, kind, output, limit, everything=everything)
    _told(rows, output)
    if cut_at is not None:
        print(f"liq sql: only the first {cut_at:,} rows; LIQ_SERVE_ROWS is the limit", file=sys.stderr)


def _told(rows: Rows, output: Path | None) -> None:
    if output:
        print(f"liq sql: {rows.count:,} {'row' if rows.count == 1 else 'rows'} in {output}", file=sys.stderr)
