"""The sub-commands of the pipelines: ingest, reprocess, audit, demo, up, status, flows."""

import asyncio
import logging
import os
import signal
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from collectors.cluster import cluster_id
from collectors.kafka import KafkaSettings, connection
from collectors.logs import log_to_stderr
from collectors.settings import CollectorSettings
from collectors.terminal import since_option, until_option
from pipelines.errors import EndedError, UsageError
from pipelines.flows.schedule import only_known
from pipelines.ingest.alone import alone
from pipelines.settings import SETTINGS, IngestSettings
from pipelines.status import show
from pipelines.status.look import look
from pipelines.status.parts import ask_prefect
from pipelines.up.parts import prefect_env
from warehouse import lake
from warehouse.terminal import TABLES_WIDTH, console, told_world

FLOWS = (
    "refresh (or one of its steps: coverage, rollup, detect_cascades, estimate_levels_if_moved), maintain, estimate_levels, "
    "find_signals, audit, backtest_levels; if not given: refresh, estimate_levels and find_signals"
)

PREFECT_LOOK_S = 1.0
MAY_EMPTY = "{} has what an earlier demo left; delete it and start afresh? [Y/n] "
YES = ("", "y", "yes")

log = logging.getLogger(__name__)

app = typer.Typer()
flows = typer.Typer(help="The Prefect flows that run on a schedule.")
app.add_typer(flows, name="flows")


@app.command()
def ingest(
    follow: Annotated[bool, typer.Option("--follow", help="keep going until Ctrl-C or SIGTERM")] = False,
    new_grid: Annotated[
        bool,
        typer.Option("--new-grid", help="use LIQ_GRID_S for new rows, even if the warehouse used another until now"),
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="log more")] = False,
) -> None:
    """Move what is in Kafka into the warehouse, exactly once, then stop; with --follow keep going.

    Runs the Prefect flow `ingest`, on the server that PREFECT_API_URL names or a temporary one; with --follow it runs
    without Prefect if that server is away, and waits for Kafka if Kafka is away. It may be killed at any time: the next run
    continues from the offsets that were committed together with the rows.
    """
    log_to_stderr(logging.DEBUG if verbose else logging.INFO)
    with alone(IngestSettings().data):  # what cannot be is said at once, not after Prefect's server has started
        pass
    if not follow:
        asyncio.run(cluster_id(connection(KafkaSettings.load())))
    elif away := ask_prefect(os.environ.get("PREFECT_API_URL")):
        from pipelines.ingest.work import work

        log.warning("prefect state=away reason=%r: ingest runs without it", away)
        asyncio.run(work(follow, log.info, new_grid))
        return
    os.environ.update(prefect_env(IngestSettings().data))
    from pipelines.flows.ingest import ingest as flow  # Prefect reads the environment when it is imported
    from pipelines.flows.own_server import start_own_server

    start_own_server()
    try:
        asyncio.run(flow(follow=follow, verbose=verbose, new_grid=new_grid))
    except EndedError as error:
        raise typer.Exit(max(error.code, 1)) from None


@app.command()
def demo(
    venues: Annotated[
        list[str] | None, typer.Argument(metavar="VENUE", help="which venues are simulated; none: the usual three")
    ] = None,
    kill_ingest: Annotated[int, typer.Option(min=0, help="kill the ingest process (SIGKILL) this many times")] = 0,
    minutes: Annotated[
        float | None,
        typer.Option(min=0, help="how long the market lasts, most of it calm; a third of one if not given"),
    ] = None,
    data: Annotated[Path, typer.Option(envvar="LIQ_DATA", help="folder for the demo's data; emptied first")] = Path(
        "data/demo"
    ),
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="empty the folder of an earlier demo without asking")
    ] = False,
) -> None:
    """Run the whole pipeline on an invented market, against local servers that speak the venues' protocols.

    Collectors, Kafka and warehouse are the real ones; no exchange is needed. Ends by itself after about a minute. Deletes
    what an earlier demo left in the folder; on a terminal it asks first. Ctrl-C ends the market early, a second Ctrl-C ends
    everything. Exit code 0: every liquidation sent is stored once and no frame is missing. 130: it was stopped.
    """
    from pipelines.up.demo import demo as run
    from pipelines.up.demo import holds_a_demo

    asks = not yes and sys.stdin.isatty() and sys.stdout.isatty()
    signal.siginterrupt(signal.SIGINT, True)  # polars has a read go on after Ctrl-C
    if asks and holds_a_demo(data) and input(MAY_EMPTY.format(data)).strip().lower() not in YES:
        print(f"{data} was not changed; set LIQ_DATA to use another folder")
        raise typer.Exit(1)
    raise typer.Exit(asyncio.run(run(data, console(TABLES_WIDTH), kill_ingest, venues, minutes)))


@app.command()
def up(
    venues: Annotated[
        list[str] | None,
        typer.Argument(metavar="VENUE", help="the venues to collect, or all; the usual three if not given"),
    ] = None,
    data: Annotated[Path, typer.Option(envvar="LIQ_DATA", help="folder for the data")] = Path("data/live"),
) -> None:
    """Run the whole pipeline on the live venues: Kafka, collectors, ingest, flows. Ctrl-C stops all parts in order."""
    from pipelines.up.up import up as run

    CollectorSettings()
    for kind in SETTINGS:  # a wrong one is told here, and not by a part that is started again and again
        kind()
    raise typer.Exit(asyncio.run(run(data, venues or [], console(TABLES_WIDTH))))


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="print as JSON")] = False,
) -> None:
    """Show what runs, whether data is late, what was lost, and what to do about it.

    Each line is good, NEEDS YOU, or UNKNOWN (it could not be checked). Exit code 0: every check was made and is good.
    1: something needs you or is unknown.
    """
    logging.basicConfig(level=logging.CRITICAL)  # what does not answer is a line of its own
    checks = look(told_world())
    if as_json:
        print(show.as_json(checks))
    else:
        show.show(console(TABLES_WIDTH), checks)
    raise typer.Exit(0 if show.is_fine(checks) else 1)


@app.command()
def reprocess(
    since: Annotated[datetime, since_option("frames that arrived from this time on")],
    until: Annotated[datetime | None, until_option("and before this time; two minutes ago if not given")] = None,
    table: Annotated[
        str | None,
        typer.Option(
            metavar="TABLE",
            help="only frames from which this table's rows come, such as liquidations; all if not given",
        ),
    ] = None,
) -> None:
    """Parse stored frames again with today's parsers and contract data, and correct the rows that differ.

    Completes rows that were stored before their contract was known, turns dead letters that can be read now into rows, and
    corrects what a parser got wrong. Rows that are right stay, so a second run changes nothing. Funding, open interest and
    mark prices stay on the grid that ingest used, which the warehouse remembers; a different LIQ_GRID_S is refused.
    """
    from pipelines.commands.reprocess import reprocess_world

    log_to_stderr(logging.WARNING)
    world = told_world()
    reprocess_world(world, since, until, table)


@app.command()
def audit(
    since: Annotated[datetime | None, since_option("from this time on; the start of yesterday if not given")] = None,
    until: Annotated[datetime | None, until_option("before this time; five minutes ago if not given")] = None,
) -> None:
    """Run the data checks (sql/checks) on some days, print what fails, and store the results.

    Updates `feed_coverage` first. Exit code 1: a check failed; warnings alone give 0. The last result of each check:
    `liq sql "from audit_last"`.
    """
    from pipelines.commands.audit import audit_world

    log_to_stderr(logging.WARNING)
    world = told_world()
    raise typer.Exit(0 if audit_world(world, since, until) else 1)


@flows.command("run")
def run_flows(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help=FLOWS)] = None,
    when_told: Annotated[
        bool, typer.Option("--when-told", help="get ready, and begin when standard input ends")
    ] = False,
) -> None:
    """Run scheduled flows once, now; without names: refresh (coverage, bars, cascades), estimate_levels and find_signals.

    Use it if `liq up` does not run: it updates the bars, cascades, levels and signals after `liq ingest`, `liq import` or
    `liq reprocess`. A second run changes nothing.
    """
    log_to_stderr(logging.INFO)
    only_known(names or ())
    world = told_world()
    lake.open(world).close()  # none, or none that can be read: said in one line, before Prefect's server has started
    os.environ.update(prefect_env(world))
    from pipelines.flows.served import run_once  # Prefect reads the environment when it is imported

    if when_told:
        sys.stdin.read()
    run_once(names or ())


@flows.command()
def serve() -> None:
    """Run the scheduled flows when they are due, until Ctrl-C or SIGTERM. Needs Prefect's server: PREFECT_API_URL.

    `liq up` starts both by itself.
    """
    log_to_stderr(logging.INFO)
    _await_prefect(_prefect_url())
    os.environ.update(prefect_env(IngestSettings().data))
    from pipelines.flows.served import serve_all  # Prefect reads the environment when it is imported

    serve_all()


@flows.command()
def deploy(
    pool: Annotated[str, typer.Argument(metavar="POOL", help="a work pool of Prefect's server")],
    image: Annotated[
        str, typer.Option(metavar="IMAGE", help="container image in which each run is started, for a Kubernetes pool")
    ] = "",
) -> None:
    """Have Prefect's workers, on any machine, run the scheduled flows in place of `liq flows serve`.

    Needs Prefect's server: PREFECT_API_URL. It never starts a flow while a run of it is under way on any machine.
    """
    log_to_stderr(logging.INFO)
    url = _prefect_url()
    if away := ask_prefect(url):
        raise UsageError(f"Prefect's server: {away}")
    os.environ.update(prefect_env(IngestSettings().data))
    from pipelines.flows.deployed import deploy_all  # Prefect reads the environment when it is imported

    print(f"deployed to work pool {pool}: {', '.join(deploy_all(pool, image))}")


def _prefect_url() -> str:
    url = os.environ.get("PREFECT_API_URL")
    if not url:
        raise UsageError("PREFECT_API_URL is not set: start a server with `prefect server start` and name its address")
    return url


def _await_prefect(url: str) -> None:
    """Return when Prefect's server answers; log once that it waits."""
    told = False
    while away := ask_prefect(url):
        if not told:
            log.warning("prefect state=away reason=%r: waiting for it", away)
            told = True
        time.sleep(PREFECT_LOOK_S)
