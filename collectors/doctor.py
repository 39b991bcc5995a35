"""Whether this machine can collect: the settings, Java, Kafka, and each venue by REST and WebSocket. Reads only.

Nothing is subscribed; of each host the list of instruments is asked for, as the collectors do first.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping
from email.utils import parsedate_to_datetime

import httpx
import msgspec
from aiokafka.errors import KafkaError
from pydantic import ValidationError
from pydantic_settings import BaseSettings
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from collectors.broker import java
from collectors.broker.settings import BrokerSettings
from collectors.cluster import administering
from collectors.embedded import running
from collectors.errors import CollectorError, ConfigurationError, JavaNotFoundError, NetworkError
from collectors.findings import Finding, State
from collectors.history.settings import BackfillSettings
from collectors.kafka import KafkaSettings, connection
from collectors.plan import assumed
from collectors.polls.asking import ask
from collectors.retry import describe
from collectors.settings import CollectorSettings
from collectors.tls import ENCRYPTED
from collectors.topics import TOPICS
from collectors.venues.known import RECORDS, VENUES
from collectors.venues.venue import Poll, Venue

SETTINGS: tuple[type[BaseSettings], ...] = (
    CollectorSettings, KafkaSettings, BrokerSettings, BackfillSettings, *(each.hosts for each in RECORDS.values()),
)  # fmt: skip
TIMEOUT_S = 10.0
CLOCK_OFF_S, CLOCK_WRONG_S = 2.0, 30.0  # a venue tells its time in whole seconds


async def look() -> list[Finding]:
    """Return what was found: of each venue one finding where all is good, else one for each fault."""
    found = [_settings(kind) for kind in SETTINGS]
    wrong = [finding for finding in found if finding is not None]
    if wrong:
        return wrong  # with a wrong address the rest would mislead
    settings = KafkaSettings.load()
    venues = await asyncio.gather(*(_venue(make()) for make in VENUES.values()))
    kafka = [] if settings.kafka_bootstrap else [_java()]
    return [*kafka, await _kafka(settings), *(finding for each in venues for finding in each)]


def _settings(kind: type[BaseSettings]) -> Finding | None:
    try:
        kind()
    except ValidationError as error:
        wrong = ConfigurationError.of(error, str(kind.model_config.get("env_prefix", "LIQ_")))
        return Finding("settings", "broken", str(wrong), "set it right in the environment, or unset it")
    return None


def _java() -> Finding:
    try:
        return Finding("Java", "good", str(java.find()))
    except JavaNotFoundError as error:
        return Finding("Java", "broken", str(error).split(". ")[0], java.WHAT_TO_DO)


async def _kafka(settings: KafkaSettings) -> Finding:
    if settings.kafka_bootstrap is None and running(settings.data) is None:
        told = f"none runs for {settings.data} and LIQ_KAFKA_BOOTSTRAP names none"
        return Finding("Kafka", "warning", told, "`liq up` and `liq broker start` start one")
    try:
        reach = connection(settings)
        async with asyncio.timeout(TIMEOUT_S), administering(reach) as admin:
            there = {str(topic["topic"]) for topic in await admin.describe_topics()}
    except CollectorError as error:
        return Finding("Kafka", "broken", str(error), "see LIQ_KAFKA_*")
    except (KafkaError, TimeoutError, OSError) as error:
        return Finding("Kafka", "broken", f"{settings.kafka_bootstrap}: {describe(error)}", "see LIQ_KAFKA_*")
    if missing := [topic.name for topic in TOPICS if topic.name not in there]:
        told = f"at {reach['bootstrap_servers']}, without the topics {', '.join(missing)}"
        return Finding("Kafka", "warning", told, "`liq collect` makes them, if it may")
    return Finding("Kafka", "good", f"at {reach['bootstrap_servers']}, with all {len(TOPICS)} topics")


async def _venue(venue: Venue) -> list[Finding]:
    hosts = {
        httpx.URL(poll.url).netloc: poll
        for poll in reversed([p for p in venue.polls if p.lists and p.group not in venue.beside])
    }
    async with httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=True, event_hooks=ENCRYPTED) as client:
        asked = [_rest(client, venue, poll) for poll in hosts.values()]
        sockets = {httpx.URL(feed.url).netloc: feed.url for feed in venue.feeds(assumed(venue, 1))}
        found = await asyncio.gather(*asked, *(_socket(venue, url) for url in sockets.values()))
    faults = [finding for finding in found if finding.state != "good"]
    return faults or [Finding(venue.name, "good", "; ".join(finding.said for finding in found))]


async def _rest(client: httpx.AsyncClient, venue: Venue, poll: Poll) -> Finding:
    host = httpx.URL(poll.url).host
    began = time.monotonic()
    try:
        answer = await ask(client, poll.url, poll.params, poll.body)
    except (httpx.HTTPError, NetworkError) as error:
        return Finding(
            venue.name, "broken", f"{host}: {describe(error)}", "is the network up, and a proxy or firewall in between?"
        )
    if refused := venue.refusal(answer):
        return Finding(venue.name, "broken", f"{host}: {refused.reason}", _why_refused(answer.status, refused.reason))
    try:
        count = len(venue.page(answer.body).listed)
    except (msgspec.MsgspecError, ValueError):
        return Finding(
            venue.name, "broken", f"{host} answers, but not with instruments", "something in between answers?"
        )
    off_s = _clock(answer.headers, answer.received_s)
    if abs(off_s) > CLOCK_OFF_S:
        state: State = "broken" if abs(off_s) > CLOCK_WRONG_S else "warning"
        told = f"this machine's clock is {abs(off_s):,.0f} s {'ahead' if off_s > 0 else 'behind'} of {host}"
        return Finding(
            venue.name, state, told, "synchronise it (chrony, systemd-timesyncd): ts_recv and lag depend on it"
        )
    return Finding(venue.name, "good", f"{host} {count:,} contracts in {time.monotonic() - began:.1f} s")


def _clock(headers: Mapping[str, str], received_s: float) -> float:
    """Return by how many seconds our clock is ahead of the answer's; 0 where it tells no time. `Age`: it lay in a cache."""
    try:
        made_s = parsedate_to_datetime(headers["date"]).timestamp()
        return received_s - made_s - float(headers.get("age", 0))
    except (KeyError, ValueError):
        return 0.0


def _why_refused(status: int, reason: str) -> str:
    if status in (403, 451) and "too frequent" not in reason:
        return "the venue does not serve this address: its country or network is not let in"
    if status in (403, 418, 429):
        return "too many requests came from this address; wait, and see `liq collect --plan`"
    return "try again later"


async def _socket(venue: Venue, url: str) -> Finding:
    try:
        async with connect(url, open_timeout=TIMEOUT_S, close_timeout=1):
            return Finding(venue.name, "good", f"{_host(url)} opens")
    except (WebSocketException, OSError, TimeoutError) as error:
        return Finding(
            venue.name, "broken", f"{_host(url)}: {describe(error)}", "does the network let WebSockets through?"
        )


def _host(url: str) -> str:
    return f"{httpx.URL(url).scheme}://{httpx.URL(url).host}"


def names(kinds: Iterable[type[BaseSettings]] = SETTINGS) -> set[str]:
    """Return the environment variables that these settings are read from."""
    return {f"{kind.model_config.get('env_prefix', '')}{name}".upper() for kind in kinds for name in kind.model_fields}
