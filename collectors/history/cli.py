"""`liq backfill`: a venue's history, as far back as the venue has it, into Kafka."""

import asyncio
import fcntl
import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, get_args

import typer

from collectors.errors import CollectorError, ConfigurationError
from collectors.history import plan
from collectors.history.backfill import FEED, Totals, backfill
from collectors.history.dry_run import dry_run
from collectors.history.endpoint import LENGTHS_MS, WHATS, What
from collectors.history.paging import Span
from collectors.history.screen import watching
from collectors.history.settings import BackfillSettings
from collectors.kafka import KafkaSettings
from collectors.logs import log_to_stderr
from collectors.terminal import since_option, until_option
from collectors.venues.known import VENUES

ALL = "all"
PERIODS = [length for length in LENGTHS_MS if length != "1m"]

app = typer.Typer()


@app.command("backfill")
def command(
    venue: Annotated[str, typer.Argument(metavar="VENUE", help=f"one of {', '.join(VENUES)}")],
    since: Annotated[datetime, since_option("from this time on")],
    what: Annotated[
        str, typer.Option(metavar="WHAT[,WHAT...]", help=f"what to fetch: {', '.join(WHATS)}, or {ALL}")
    ] = ALL,
    until: Annotated[datetime | None, until_option("before this time; now if not given")] = None,
    symbols: Annotated[
        str, typer.Option(metavar="SYMBOL[,SYMBOL...]", help=f"symbols as the venue spells them, or {ALL}")
    ] = ALL,
    period: Annotated[
        str, typer.Option(metavar="LENGTH", help=f"length of open interest and ratio bars: {', '.join(PERIODS)}")
    ] = "5m",
    interval: Annotated[str, typer.Option(metavar="LENGTH", help=f"length of klines: {', '.join(LENGTHS_MS)}")] = "1m",
    dry: Annotated[
        bool, typer.Option("--dry-run", help="print what would be requested, and how long it would take")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="log more")] = False,
) -> None:
    """Fetch a venue's history by REST and put every answer into Kafka, unchanged; `liq ingest` stores it.

    You can stop it at any time and run it again. It continues with what Kafka does not have yet, and data that arrive twice
    are stored once.

    Example: liq backfill bybit --what funding,klines --since 30d --symbols BTCUSDT,ETHUSDT

    Exit code 0: everything is in Kafka. 1: something failed, or it was stopped. 2: a wrong argument or setting.
    """
    log_to_stderr(logging.INFO if verbose else logging.WARNING)
    if not verbose:
        logging.getLogger("collectors.delivery.recorder").setLevel(
            logging.ERROR
        )  # what matters of it is said beside the bar
    if venue not in VENUES:
        raise ConfigurationError(f"unknown venue {venue}; there are {', '.join(VENUES)}")
    order = plan.Order(_whats(what), _wanted(since, until), _symbols(symbols), period, interval)
    raise typer.Exit(asyncio.run(_run(venue, order, dry)))


async def _run(name: str, order: plan.Order, dry: bool) -> int:
    venue, kafka, settings = VENUES[name](), KafkaSettings.load(), BackfillSettings()
    if dry:
        for line in await dry_run(venue, order, kafka, settings):
            print(line)
        return 0
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with _alone(kafka.data / FEED / f"{name}.lock", name), watching(name) as watcher:
        try:
            totals = await backfill(venue, order, kafka, settings, watcher)
        except asyncio.CancelledError:
            watcher.say("stopped; the same command goes on from here")
            return 1
    for line in _told(name, totals):
        print(line)
    return 1 if totals.refused else 0


def _told(name: str, totals: Totals) -> Iterator[str]:
    yield from plan.none_older(totals.at_their_end)
    done = f"{totals.requests:,} answers with {totals.rows:,} rows of {totals.series:,} series are in Kafka"
    yield f"{name}: {done}" if totals.series else f"{name}: nothing was left to ask for"
    if totals.refused:
        yield f"{name}: {len(totals.refused):,} series were refused, the first: {totals.refused[0]}"


def _whats(given: str) -> tuple[What, ...]:
    names = WHATS if given == ALL else tuple(dict.fromkeys(given.split(",")))
    if unknown := [name for name in names if name not in get_args(What)]:
        raise ConfigurationError(f"--what {', '.join(unknown)}: there are {', '.join(WHATS)}, and {ALL}")
    return tuple(what for what in WHATS if what in names)


def _symbols(given: str) -> tuple[str, ...]:
    return () if given == ALL else tuple(name.strip() for name in given.split(",") if name.strip())


def _wanted(since: datetime, until: datetime | None) -> Span:
    now = datetime.now(UTC).replace(tzinfo=None)
    last = min(until or now, now)
    if since >= last:
        raise ConfigurationError(f"--since {since} is not before {until or 'now'}")
    first, end = (int(moment.replace(tzinfo=UTC).timestamp() * 1000) for moment in (since, last))
    return Span(first, end)


@contextmanager
def _alone(path: Path, venue: str) -> Iterator[None]:
    """Hold the venue's lock; two backfills side by side would ask for the same. Raises CollectorError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CollectorError(f"another backfill of {venue} runs in {path.parent.parent}") from None
        yield
