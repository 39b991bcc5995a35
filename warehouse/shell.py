"""`liq shell`: SQL by hand on a warehouse, read only."""

import difflib
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from rich.console import Console

from warehouse.asked import unknown
from warehouse.completing import DELIMITERS, Completer
from warehouse.describe import columns_table, objects_table
from warehouse.errors import QueryError, UnknownNameError
from warehouse.formats import HELD, Format
from warehouse.lake import Lake
from warehouse.query import run
from warehouse.shown import show

HISTORY = Path.home() / ".liq_history"
HISTORY_LINES = 2_000
HELP = """SQL, ended by ; (several lines are fine). FROM liquidation_totals; is enough for a whole view.
.tables            what there is        .schema NAME   its columns
.help   this       .quit or Ctrl-D      leave          Ctrl-C  drop the line, or stop the query
Tab completes commands, tables, views, macros and columns."""

DOTTED = (".tables", ".schema", ".help", ".quit", ".exit")


def shell(warehouse: Lake, console: Console) -> None:
    """Read statements from the terminal, or from standard input, until its end, and print what they give."""
    interactive, lines = sys.stdin.isatty(), list[str]()
    if interactive:
        _keep_history()
        _complete(Completer(warehouse, lines))
        console.print(f"{warehouse.world}: read only. .help shows what there is.", style="dim")
    for statement in _statements(interactive, lines):
        if statement in (".quit", ".exit"):
            return
        _answer(warehouse, console, statement)


def _statements(interactive: bool, lines: list[str]) -> Iterator[str]:
    """Yield dot commands by line and SQL up to its semicolon; `lines`: those of the statement that is typed."""
    while True:
        try:
            line = input(("... " if lines else "liq> ") if interactive else "")
        except KeyboardInterrupt:
            lines.clear()
            print()
            continue
        except EOFError:
            if any(line.strip() for line in lines):
                yield "\n".join(lines)
            return
        if line.startswith(".") and not lines:
            yield line.strip()
        elif line.strip() or lines:
            lines.append(line)
            if line.rstrip().endswith(";"):
                statement = "\n".join(lines)
                lines.clear()
                yield statement


def _answer(warehouse: Lake, console: Console, statement: str) -> None:
    try:
        if not statement.startswith("."):
            rows = run(warehouse, statement, held=HELD[Format.TABLE])
            show(rows, console)
            for line in unknown(warehouse, statement) if not rows.count else ():
                console.print(line, style="yellow", markup=False)
        elif statement == ".tables":
            console.print(objects_table())
        elif statement.split()[0] == ".schema" and len(statement.split()) == 2:
            console.print(columns_table(statement.split()[1], warehouse))
        elif statement == ".help":
            console.print(HELP)
        else:
            console.print(_not_known(statement), style="red", markup=False)
    except (QueryError, UnknownNameError) as error:
        console.print(f"{error}", style="red", markup=False)
    except KeyboardInterrupt:
        warehouse.connection.interrupt()
        console.print("stopped", style="dim")


def _not_known(statement: str) -> str:
    """Say of a dot command that is none, or is given other words than it takes, what there is."""
    word, *words = statement.split()
    takes = {".tables": "no name: `.schema NAME` shows the columns of one", ".schema": "one name"}
    if word in takes:
        return f"{word} takes {takes[word]}"
    if word in DOTTED:
        return f"{word} takes no {words[0]!r}"
    near = difflib.get_close_matches(word, DOTTED, 1)
    return f"no command {word}; " + (f"did you mean {near[0]}?" if near else f"there are {', '.join(DOTTED)}")


def _complete(completer: Completer) -> None:
    import readline

    readline.set_completer(completer)
    readline.set_completer_delims(DELIMITERS)
    readline.parse_and_bind("bind ^I rl_complete" if "libedit" in (readline.__doc__ or "") else "tab: complete")


def _keep_history() -> None:
    import atexit
    import readline  # not on every platform, and only of use at a terminal

    with suppress(OSError):
        readline.read_history_file(HISTORY)
    readline.set_history_length(HISTORY_LINES)

    def save() -> None:
        with suppress(OSError):
            readline.write_history_file(HISTORY)

    atexit.register(save)
