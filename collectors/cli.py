"""`liq collect`: the collector service as a command."""

import asyncio
import logging
from collections.abc import Callable
from typing import Annotated, TypeVar

import httpx
import msgspec
import typer
from pydantic import ValidationError

from collectors.errors import ConfigurationError, NetworkError
from collectors.kafka import KafkaSettings
from collectors.logs import log_to_stderr
from collectors.plan import assumed, lines, others
from collectors.polls.asking import ask
from collectors.retry import describe
from collectors.service import collect as run
from collectors.settings import CollectorSettings
from collectors.venues.known import USUAL, VENUES
from collectors.venues.venue import Listed, Listing, Page, Poll, Venue

ALL = "all"
T = TypeVar("T")

app = typer.Typer()


@app.command()
def collect(
    venues: Annotated[
        list[str] | None,
        typer.Argument(metavar="VENUE", help=f"which venues: {', '.join(VENUES)}, or {ALL}; none: {', '.join(USUAL)}"),
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="print what would be subscribed to and polled, then stop")
    ] = False,
    symbols: Annotated[
        str | None,
        typer.Option(
            metavar="N[,N...]",
            help="with --plan: assume this number of instruments for each venue, or one number per venue in the order given "
            "(700,800,460 for the usual three); if not given, the venues are asked",
        ),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="log more")] = False,
) -> None:
    """Collect every frame of the venues into Kafka until SIGTERM or Ctrl-C.

    With --plan: print what would be subscribed to and polled, how often, and how much of each venue's REST limits that takes.

    1-minute klines are polled, each contract every 5 minutes. LIQ_COLLECT_KLINES=stream subscribes to every change instead
    (about 80 GB a day for the largest venue alone); LIQ_COLLECT_KLINES=off collects none. LIQ_COLLECT_RATIOS=false collects no
    ratios.

    Kafka may be away, at the start or later. Frames then wait on disk in LIQ_DATA/spool, and are delivered in order when Kafka
    is back, if need be by the next collector. LIQ_COLLECT_SPOOL_MIB (4096) limits the spool. If it is full, tickers are
    dropped first and liquidations last, and an event names every frame that was dropped.

    LIQ_COLLECT_METRICS_PORT=9464 serves /metrics (Prometheus) and /health (503 if no data arrive) at 127.0.0.1.

    Example: liq collect all --plan, then: liq collect binance bybit

    Exit code 0: stopped, and Kafka or the spool has every frame. 1: frames were lost, or Kafka refuses the topics. 2: a wrong
    argument or setting.
    """
    log_to_stderr(logging.DEBUG if verbose else logging.INFO)
    if not verbose:
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # while Kafka is away: a thousand lines a second
    if symbols and not plan:
        raise ConfigurationError("--symbols goes with --plan")
    chosen = [VENUES[name]() for name in _names(venues or list(USUAL))]
    settings = _configured(CollectorSettings, "LIQ_COLLECT_")
    if plan:
        listings = (
            [assumed(v, n) for v, n in zip(chosen, _counts(symbols, len(chosen)), strict=True)]
            if symbols
            else [asyncio.run(_listing(venue)) for venue in chosen]
        )
        print("\n".join(lines(list(zip(chosen, listings, strict=True)), settings)))
        return
    raise typer.Exit(asyncio.run(run(chosen, KafkaSettings.load(), settings)))


def _names(given: list[str]) -> list[str]:
    names = list(VENUES) if ALL in given else list(dict.fromkeys(given))
    if unknown := [name for name in names if name not in VENUES]:
        raise ConfigurationError(f"unknown venue {', '.join(unknown)}; there are {', '.join(VENUES)}, and {ALL}")
    return names


def _counts(given: str, venues: int) -> list[int]:
    """Return a number of instruments for each venue. Raises ConfigurationError."""
    counts = given.split(",")
    if not all(count.strip().isdecimal() and int(count) for count in counts) or len(counts) not in (1, venues):
        raise ConfigurationError(f"--symbols {given}: one number, or {venues} with commas, one for each venue named")
    return [int(count) for count in counts] * (venues if len(counts) == 1 else 1)


def _configured(make: Callable[[], T], prefix: str) -> T:
    try:
        return make()
    except ValidationError as error:
        raise ConfigurationError.of(error, prefix) from None


async def _listing(venue: Venue) -> Listing:
    """Ask the venue for its instruments. Raises NetworkError where it does not answer with them."""
    listing: dict[str, tuple[Listed, ...]] = {}
    async with httpx.AsyncClient(timeout=10.0) as client:
        for poll in (poll for poll in venue.polls if poll.lists and poll.group not in venue.beside):
            listed: list[Listed] = []
            params, following = dict(poll.params), None
            while following != ():
                page = await _page(client, venue, poll, params)
                listed += page.listed
                following = page.following
                params |= dict(following)
            listing[poll.group] = tuple(listed)
    return {**listing, **others(venue)}


async def _page(client: httpx.AsyncClient, venue: Venue, poll: Poll, params: dict[str, str]) -> Page:
    try:
        answer = await ask(client, poll.url, tuple(params.items()), poll.body)
        return venue.page(answer.body)
    except httpx.HTTPError as error:
        raise NetworkError(
            f"{poll.url} does not answer: {describe(error)}; --symbols N plans without asking"
        ) from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise NetworkError(f"{poll.url} answers HTTP {answer.status}, not with instruments") from error
