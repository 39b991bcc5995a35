"""`liq collect`: the collector service as a command."""

import asyncio
import logging
import sys
import time
from collections.abc import Callable
from typing import Annotated, NoReturn, TypeVar

import httpx
import msgspec
import typer
from aiokafka.errors import KafkaError
from pydantic import ValidationError

from collectors.errors import CollectorError, ConfigurationError, NetworkError
from collectors.kafka import KafkaSettings
from collectors.plan import assumed, lines
from collectors.retry import describe
from collectors.service import collect as run
from collectors.settings import CollectorSettings
from collectors.venues import VENUES
from collectors.venues.venue import Listed, Listing, Page, Venue

ALL = "all"
T = TypeVar("T")

app = typer.Typer(add_completion=False)


@app.command()
def collect(
    venues: Annotated[
        list[str], typer.Argument(metavar="VENUE...", help=f"which venues: {', '.join(VENUES)}, or {ALL}")
    ],
    plan: Annotated[bool, typer.Option("--plan", help="print what would be subscribed and polled, and stop")] = False,
    symbols: Annotated[
        str | None,
        typer.Option(
            metavar="N[,N...]",
            help="with --plan: assume so many instruments of each venue, or one number for each venue in the order named "
            "(700,800,460 for all); unset: ask the venues",
        ),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="log more")] = False,
) -> None:
    """Collect every frame of the venues into Kafka until SIGTERM or Ctrl-C.

    With --plan: print what would be subscribed and polled, how often, and the share of each venue's REST budgets it takes.

    1-minute klines are polled, each contract every 5 minutes; LIQ_COLLECT_KLINES=stream subscribes to every change of them
    instead (some 80 GB a day of Binance alone), =off leaves them out. LIQ_COLLECT_RATIOS=false leaves out ratios.

    Exit code 0: stopped in good order, Kafka has every frame. 1: it could not. 2: a wrong argument or setting.
    """
    log_to_stderr(logging.DEBUG if verbose else logging.INFO)
    try:
        chosen = [_configured(VENUES[name], f"LIQ_{name.upper()}_") for name in _names(venues)]
        settings = _configured(CollectorSettings, "LIQ_COLLECT_")
        if plan:
            listings = (
                [assumed(v, n) for v, n in zip(chosen, _counts(symbols, len(chosen)), strict=True)]
                if symbols
                else [asyncio.run(_listing(venue)) for venue in chosen]
            )
            print("\n".join(lines(list(zip(chosen, listings, strict=True)), settings)))
            raise typer.Exit(0)
        raise typer.Exit(asyncio.run(run(chosen, KafkaSettings.load(), settings)))
    except ConfigurationError as error:
        _fail(2, str(error))
    except CollectorError as error:
        _fail(1, str(error))
    except KafkaError as error:
        _fail(1, f"Kafka: {describe(error)}")


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
        for poll in (poll for poll in venue.polls if poll.lists):
            listed: list[Listed] = []
            params, following = dict(poll.params), None
            while following != ():
                page = await _page(client, venue, poll.url, params)
                listed += page.listed
                following = page.following
                params |= dict(following)
            listing[poll.group] = tuple(listed)
    return listing


async def _page(client: httpx.AsyncClient, venue: Venue, url: str, params: dict[str, str]) -> Page:
    try:
        response = await client.get(url, params=params)
        return venue.page(response.content)
    except httpx.HTTPError as error:
        raise NetworkError(f"{url} does not answer: {describe(error)}; --symbols N plans without asking") from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise NetworkError(f"{url} answers HTTP {response.status_code}, not with instruments") from error


def _fail(code: int, reason: str) -> NoReturn:
    print(f"liq collect: {reason}", file=sys.stderr)
    raise typer.Exit(code)


def log_to_stderr(level: int) -> None:
    """One line an entry: time in UTC, level, where from, text."""
    logging.Formatter.converter = time.gmtime
    form = "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s %(message)s"
    logging.basicConfig(stream=sys.stderr, level=level, format=form, datefmt="%Y-%m-%dT%H:%M:%S")
    for noisy in ("aiokafka", "httpx", "httpcore", "websockets"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL if noisy == "aiokafka" else logging.WARNING)
