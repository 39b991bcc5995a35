"""The command `liq`: composes the sub-commands of the packages."""

from importlib.metadata import version
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
            "maintain",
            "parse",
        ),
        "Ask": ("sql", "shell", "schema", "views", "plot", "position"),
    }


app = typer.Typer(name="liq", cls=Liq, context_settings=WIDEST, rich_markup_mode=None, pretty_exceptions_enable=False)
app.add_typer(broker, name="broker")
app.add_typer(imports, name="import")
app.add_typer(cascades, name="cascades")
app.add_typer(levels, name="levels")
app.add_typer(plots, name="plot")
for commands in (collect, backfill, simulate, pipelines, rollup, signals, warehouse):
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


def main() -> None:
    """Run the command."""
    app(prog_name="liq")


if __name__ == "__main__":
    main()
