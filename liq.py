"""The command `liq`: composes the sub-commands of the packages."""

import os
import stat
import sys
from collections.abc import Sequence
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from collectors import doctor as collectors_doctor
from collectors.broker.cli import app as broker
from collectors.cli import app as collect
from collectors.history.cli import app as backfill
from collectors.simulator.cli import app as simulate
from pipelines.cascades.cli import app as cascades
from pipelines.cli import app as pipelines
from pipelines.command_line import WIDEST, Group, dress
from pipelines.doctor import command as doctor
from pipelines.imports.cli import app as imports
from pipelines.ingest.resume import known_instruments
from pipelines.levels.cli import app as levels
from pipelines.parse_cli import command as parse
from pipelines.plots.cli import app as plots
from pipelines.position.cli import position
from pipelines.rollup.cli import app as rollup
from pipelines.signals.cli import app as signals
from warehouse.cli import app as warehouse
from warehouse.keeping.cli import app as keeping

_WRITES = """
up demo ingest collect backfill import broker flows rollup cascades levels signals reprocess audit maintain backup verify
restore
"""
WRITES = frozenset(_WRITES.split())
"""The commands that write into a world."""


class Liq(Group):
    """The command itself."""

    panels: ClassVar = {
        "The whole pipeline": ("demo", "up", "status", "doctor"),
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
        "Ask": ("sql", "shell", "schema", "views", "plot", "position"),
    }


app = typer.Typer(name="liq", cls=Liq, context_settings=WIDEST, rich_markup_mode=None, pretty_exceptions_enable=False)
app.add_typer(broker, name="broker")
app.add_typer(imports, name="import")
app.add_typer(cascades, name="cascades")
app.add_typer(levels, name="levels")
app.add_typer(plots, name="plot")
for commands in (collect, backfill, simulate, pipelines, rollup, signals, warehouse, keeping):
    app.add_typer(commands)
app.command("parse")(parse(known_instruments))
app.command("position")(position)
app.command("doctor")(doctor(collectors_doctor.look, collectors_doctor.names))
dress(app)


def _told_version(wanted: bool) -> None:
    if wanted:
        print(f"liq {version('liquidation-warehouse')}")
        raise typer.Exit


@app.callback()
def liq(
    _version: Annotated[
        bool, typer.Option("--version", callback=_told_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Liquidation data of crypto derivatives: collect it, keep every frame, query it with SQL."""


def keep_private(words: Sequence[str]) -> None:
    """Let the files that a command writes into a world be read by whom the world's folder lets in: at first its owner alone.

    In: the command line, without `liq`. What is written for the user elsewhere (a query's rows, a picture) goes by his umask.
    """
    if not WRITES.intersection(words[:1]):
        return
    given = dict(word.split("=", 1) for word in words if word.startswith("--data="))
    given |= {word: value for word, value in pairwise(words) if word == "--data"}
    world = Path(
        given.get("--data") or os.environ.get("LIQ_DATA") or f"data/{'demo' if words[0] == 'demo' else 'live'}"
    )
    open_to = stat.S_IMODE(world.stat().st_mode) if world.exists() else 0o700
    os.umask(os.umask(0o077) | ~open_to & 0o077)


def main() -> None:
    """Run the command."""
    keep_private(sys.argv[1:])
    app(prog_name="liq")


if __name__ == "__main__":
    main()
