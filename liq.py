"""The command `liq`: composes the sub-commands of the packages, for one command only what that needs. `import liq` asks."""

import gc
import os
import stat
import sys
from collections.abc import Callable, Sequence
from functools import cache, partial
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from collectors import proxies
from pipelines.commands.command_line import WIDEST, Command, Group, dress
from pipelines.commands.summaries import SUMMARIES
from pipelines.failing import fail
from warehouse.worlds import DEMO, LIVE, reading_world

if TYPE_CHECKING:
    from pipelines.client import connect as connect
    from pipelines.client import liquidations as liquidations
    from pipelines.client import totals as totals

ASK = ("connect", "totals", "liquidations", "AskError")
"""What a program that does `import liq` asks the warehouse with; `pipelines/client` has it."""
_WRITES = """
up demo ingest collect backfill import broker flows rollup cascades levels signals alerts reprocess audit maintain backup verify
restore
"""
WRITES = frozenset(_WRITES.split())
"""The commands that write into a world."""
FILL = frozenset(["up", "ingest", "collect", "backfill", "import", "broker", "restore"])
"""Those of them that bring data in."""

OUTSIDE = frozenset(["up", "collect", "backfill"])
"""Those that ask the venues."""


class Liq(Group):
    """The command itself."""

    panels: ClassVar = {
        "The whole pipeline": ("demo", "up", "watch", "status", "doctor"),
        "Collect": ("collect", "backfill", "import", "broker", "simulate"),
        "Process": (
            "ingest",
            "flows",
            "rollup",
            "cascades",
            "levels",
            "signals",
            "reprocess",
            "audit",
            "parse",
        ),
        "Keep": ("maintain", "backup", "verify", "restore"),
        "Ask": ("sql", "export", "shell", "schema", "views", "venues", "plot", "position", "serve", "mcp", "alerts"),
    }


def _all_of(module: str, app: typer.Typer) -> None:
    app.add_typer(import_module(module).app)


def _under(name: str, module: str, app: typer.Typer) -> None:
    app.add_typer(import_module(module).app, name=name)


def _parse(app: typer.Typer) -> None:
    from pipelines.commands.parse import command
    from pipelines.ingest.resume import known_instruments

    app.command("parse")(command(known_instruments))


def _sql(app: typer.Typer) -> None:
    from warehouse import sql_cli

    sql_cli.sandboxed = lambda *given: import_module("pipelines.serve.sandbox.once").rows(*given)
    app.add_typer(sql_cli.app)


def _position(app: typer.Typer) -> None:
    from pipelines.commands.position import position

    app.command("position")(position)


def _doctor(app: typer.Typer) -> None:
    from collectors.doctor import look, names
    from pipelines.commands.doctor import command

    app.command("doctor")(command(look, names))


def _venues(app: typer.Typer) -> None:
    from collectors.matrix import matrix
    from pipelines.commands.venues import command

    app.command("venues")(command(matrix))


PARTS: dict[tuple[str, ...], Callable[[typer.Typer], None]] = {
    ("broker",): partial(_under, "broker", "collectors.broker.cli"),
    ("import",): partial(_under, "import", "pipelines.commands.imports"),
    ("cascades",): partial(_under, "cascades", "pipelines.commands.cascades"),
    ("levels",): partial(_under, "levels", "pipelines.commands.levels"),
    ("plot",): partial(_under, "plot", "pipelines.commands.plot"),
    ("collect",): partial(_all_of, "collectors.cli"),
    ("backfill",): partial(_all_of, "collectors.history.cli"),
    ("simulate",): partial(_all_of, "collectors.simulator.cli"),
    ("ingest", "demo", "up", "status", "reprocess", "audit", "flows"): partial(_all_of, "pipelines.commands.pipeline"),
    ("watch",): partial(_all_of, "pipelines.commands.watch"),
    ("rollup",): partial(_all_of, "pipelines.commands.rollup"),
    ("signals",): partial(_all_of, "pipelines.commands.signals"),
    ("alerts",): partial(_under, "alerts", "pipelines.commands.alerts"),
    ("mcp",): partial(_all_of, "pipelines.commands.mcp"),
    ("serve",): partial(_all_of, "pipelines.commands.serve"),
    ("sql",): _sql,
    ("export",): partial(_all_of, "pipelines.commands.export"),
    ("shell", "schema", "views", "maintain"): partial(_all_of, "warehouse.cli"),
    ("backup", "verify", "restore"): partial(_all_of, "warehouse.keeping.cli"),
    ("parse",): _parse,
    ("position",): _position,
    ("doctor",): _doctor,
    ("venues",): _venues,
}
"""Commands, and what adds them: a process that runs one of them holds the modules of that one."""
NAMES = frozenset(name for names in PARTS for name in names)


@cache
def composed(only: str | None = None) -> typer.Typer:
    """Return the command with all sub-commands, or those of the part that has the one named."""
    app = _bare()
    for names, add in PARTS.items():
        if only is None or only in names:
            add(app)
    dress(app)
    Command.venues = lambda: import_module("collectors.venues.known").VENUES
    Command.of_files = lambda: import_module("pipelines.venues").OF_FILES
    app.callback()(liq)
    return app


@cache
def listed() -> typer.Typer:
    """Return the command with the names of all sub-commands and their first lines, and nothing behind them."""
    app = _bare()
    for name, text in SUMMARIES.items():
        app.command(name, help=text)(_nothing)
    app.callback()(liq)
    return app


def _bare() -> typer.Typer:
    return typer.Typer(
        name="liq", cls=Liq, context_settings=WIDEST, rich_markup_mode=None, pretty_exceptions_enable=False
    )


def _nothing() -> None:
    """Do nothing: the command is only listed."""


def __getattr__(name: str) -> Any:
    if name == "app":
        return composed()
    if name in ASK:
        return getattr(import_module("pipelines.client"), name)
    raise AttributeError(name)


def _told_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"liq {version('liquidation-warehouse')}, DuckDB {version('duckdb')}")
        raise typer.Exit


def liq(
    _version: Annotated[
        bool, typer.Option("--version", callback=_told_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Liquidation data of crypto derivatives: collect it, keep the raw frames, query it with SQL."""


def keep_private(words: Sequence[str]) -> None:
    """Let the files that a command writes into a world be read by whom the world's folder lets in: at first its owner alone.

    In: the command line, without `liq`. What is written for the user elsewhere (a query's rows, a picture) goes by his umask.
    """
    if not WRITES.intersection(words[:1]):
        return
    given = dict(word.split("=", 1) for word in words if word.startswith("--data="))
    given |= {word: value for word, value in pairwise(words) if word == "--data"}
    world = Path(given.get("--data") or os.environ.get("LIQ_DATA") or _usual(words))
    open_to = stat.S_IMODE(world.stat().st_mode) if world.exists() else 0o700
    os.umask(os.umask(0o077) | ~open_to & 0o077)


def _usual(words: Sequence[str]) -> Path:
    """Return the world that a command writes into where nothing names one."""
    if words[0] == "demo":
        return DEMO
    return LIVE if words[0] in FILL or list(words[:2]) == ["flows", "serve"] else reading_world()[0]


def settle_proxies(words: Sequence[str]) -> None:
    """Never use a proxy for this machine itself. Where the proxy for other machines cannot be used, end with one line."""
    proxies.spare_loopback(os.environ)
    wrong = proxies.wrong(os.environ)
    if wrong and OUTSIDE.intersection(words[:1]) and "--help" not in words:
        fail(2, f"liq {words[0]}: {wrong}")
    if words[:1] != ["doctor"]:  # which says so
        proxies.drop_unusable(os.environ)


def main() -> None:
    """Run the command."""
    gc.disable()  # what is imported is no garbage, and the search for some takes a twentieth of a second
    keep_private(sys.argv[1:])
    settle_proxies(sys.argv[1:])
    app = _composed_for(sys.argv[1:])
    gc.freeze()
    gc.enable()
    app(prog_name="liq")


def _composed_for(words: Sequence[str]) -> typer.Typer:
    """Return the command with as much of it as the words take."""
    if "_LIQ_COMPLETE" in os.environ:
        return composed()
    wanted = next((word for word in words if not word.startswith("-")), None)
    return composed(wanted) if wanted in NAMES else listed()


if __name__ == "__main__":
    main()
