"""The sub-commands of the pipelines: ingest, reprocess, audit, demo, up, status, flows."""

import asyncio
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from aiokafka.errors import KafkaError
from pydantic import ValidationError

from collectors.errors import CollectorError, ConfigurationError
from collectors.kafka import KafkaSettings, connection
from pipelines.errors import PipelineError, UsageError
from pipelines.settings import IngestSettings
from pipelines.status import status as look
from pipelines.up.parts import prefect_env
from pipelines.up.screen import console
from pipelines.up.status_screen import show
from pipelines.up.supervise import StartError
from warehouse.errors import WarehouseError
from warehouse.query import reading_world

TIMES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"]

app = typer.Typer(add_completion=False)
flows = typer.Typer(no_args_is_help=True, help="The Prefect flows that run on a schedule.")
app.add_typer(flows, name="flows")


@app.command()
def ingest(
    follow: Annotated[bool, typer.Option("--follow", help="keep going until Ctrl-C or SIGTERM")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="log more")] = False,
) -> None:
    """Move what Kafka holds into the warehouse, exactly once, then stop; with --follow keep going.

    Runs the Prefect flow `ingest`, on the server that PREFECT_API_URL names or a temporary one. May be killed at any time:
    the next one goes on from the offsets that were committed together with the rows.
    """
    log_to_stderr(logging.DEBUG if verbose else logging.INFO)
    with _one_line_errors():
        connection(KafkaSettings.load())  # no Kafka: said at once, not after Prefect's server has started
        os.environ.update(prefect_env(IngestSettings().data))
        from pipelines.flows.ingest import ingest as flow  # Prefect reads the environment when it is imported

        asyncio.run(flow(follow=follow))


@app.command()
def demo(
    kill_ingest: Annotated[int, typer.Option(min=0, help="kill the ingest process (SIGKILL) so often on the way")] = 0,
    data: Annotated[Path, typer.Option(envvar="LIQ_DATA", help="folder for the demo's data; emptied first")] = Path(
        "data/demo"
    ),
) -> None:
    """Run the whole pipeline, nothing left out, against local servers that speak the venues' protocols.

    Real collectors, real Kafka, real warehouse; needs no exchange. Ends by itself where the output is no terminal, else on
    Ctrl-C. Exit code 0: every liquidation sent is stored once and no frame is missing.
    """
    from pipelines.up.demo import demo as run

    with _one_line_errors():
        raise typer.Exit(asyncio.run(run(data, console(), kill_ingest)))


@app.command()
def up(
    venues: Annotated[list[str] | None, typer.Argument(metavar="[VENUE]...", help="which venues; none: all")] = None,
    data: Annotated[Path, typer.Option(envvar="LIQ_DATA", help="folder for the data")] = Path("data/live"),
) -> None:
    """Run the whole pipeline against the live venues: broker, collectors, ingest. Ctrl-C stops it in good order."""
    from pipelines.up.up import up as run

    with _one_line_errors():
        raise typer.Exit(asyncio.run(run(data, venues or ["all"], console())))


@app.command()
def status() -> None:
    """Show what is alive, how far behind ingest is, and what was lost. Exit code 1 where something needs you."""
    with _one_line_errors():
        world, note = reading_world()
        if note:
            print(f"liq: {note}", file=sys.stderr)
            os.environ["LIQ_DATA"] = str(world)  # its broker, too
        found = asyncio.run(look(world))
        show(console(), found)
        raise typer.Exit(1 if found.problems else 0)


@app.command()
def reprocess(
    since: Annotated[datetime, typer.Option(formats=TIMES, help="frames that arrived from here on, UTC")],
    until: Annotated[
        datetime | None, typer.Option(formats=TIMES, help="and before this, UTC; two minutes ago if not given")
    ] = None,
    table: Annotated[
        str | None, typer.Option(help="only frames that this table's rows come from, such as liquidations; else all")
    ] = None,
) -> None:
    """Read stored frames again with today's parsers and contracts, and make the rows that came from them what they are now.

    Rows that were stored before their contract was known are completed, dead letters that can be read now become rows, and
    what a parser got wrong is put right. Rows that are right stay untouched, so a second run changes nothing.
    """
    from pipelines.reprocess.cli import reprocess_world

    log_to_stderr(logging.WARNING)
    with _one_line_errors():
        world, note = reading_world()
        if note:
            print(f"liq: {note}", file=sys.stderr)
        reprocess_world(world, since, until, table)


@app.command()
def audit(
    since: Annotated[datetime | None, typer.Option(formats=TIMES, help="from here on, UTC; start of yesterday")] = None,
    until: Annotated[datetime | None, typer.Option(formats=TIMES, help="before this, UTC; five minutes ago")] = None,
) -> None:
    """Check what must hold in the tables (sql/checks) over some days, print what does not, and keep the results.

    Brings `feed_coverage` up to date first. Exit code 1: something that must hold does not; warnings alone give 0. The last
    result of each check: `from audit_last`.
    """
    from pipelines.audit.cli import audit_world

    log_to_stderr(logging.WARNING)
    with _one_line_errors():
        world, note = reading_world()
        if note:
            print(f"liq: {note}", file=sys.stderr)
        raise typer.Exit(0 if audit_world(world, since, until) else 1)


@flows.command("run")
def run_flows(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="which; none: what new rows change")
    ] = None,
) -> None:
    """Run scheduled flows once, now: without names refresh (coverage, bars, cascades), estimate_levels and find_signals.

    For when `liq up` does not run: after `liq ingest`, `liq import` or `liq reprocess` the bars, cascades, levels and
    signals are then up to date. Run twice, the second changes nothing.
    """
    log_to_stderr(logging.INFO)
    os.environ.update(prefect_env(IngestSettings().data))
    with _one_line_errors():
        from pipelines.flows.served import run_once  # Prefect reads the environment when it is imported

        run_once(names or ())


@flows.command()
def serve() -> None:
    """Run the scheduled flows when they are due, until Ctrl-C or SIGTERM. Needs Prefect's server: PREFECT_API_URL.

    `liq up` starts a server and this beside it.
    """
    log_to_stderr(logging.INFO)
    os.environ.update(prefect_env(IngestSettings().data))
    if "PREFECT_API_URL" not in os.environ:
        _fail(2, "PREFECT_API_URL is not set: start a server with `prefect server start` and name its address")
    from pipelines.flows.served import serve_all  # Prefect reads the environment when it is imported

    serve_all()


@contextmanager
def _one_line_errors() -> Iterator[None]:
    try:
        yield
    except (ConfigurationError, ValidationError, UsageError) as error:
        _fail(2, str(ConfigurationError.of(error) if isinstance(error, ValidationError) else error))
    except (CollectorError, WarehouseError, KafkaError, LookupError, StartError, PipelineError) as error:
        _fail(1, str(error))


def log_to_stderr(level: int) -> None:
    """Write our log lines to standard error, one line each; other libraries only where they warn."""
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    for package in ("collectors", "pipelines", "warehouse"):
        logging.getLogger(package).setLevel(level)


def _fail(code: int, message: str) -> None:
    print(f"liq: {message}", file=sys.stderr)
    raise typer.Exit(code)
