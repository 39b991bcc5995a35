"""The command `liq`: composes the sub-commands of the packages."""

import typer

from collectors import doctor as collectors_doctor
from collectors.broker.cli import app as broker
from collectors.cli import app as collect
from collectors.history.cli import app as backfill
from collectors.simulator.cli import app as simulate
from pipelines.cascades.cli import app as cascades
from pipelines.cli import app as pipelines
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

app = typer.Typer(
    name="liq",
    help="Liquidation data of crypto derivatives: collect it, keep every frame, query it with SQL.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
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


def main() -> None:
    """Run the command."""
    app()


if __name__ == "__main__":
    main()
