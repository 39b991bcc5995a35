"""/replay: the frames of a stretch of time as one stream of JSON lines, as the archive's local server gives them."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from pipelines.serve.archive.exchanges import Exchange, exchange
from pipelines.serve.archive.feeds import MINUTE, Slice, check, filters_of, in_an_object, lines
from pipelines.serve.asked import moment
from pipelines.serve.given import bad, near, short
from pipelines.serve.problems import ProblemError
from pipelines.serve.service import Service

KNOWN = ("exchange", "from", "to", "filters", "withDisconnects")
AT_ONCE = 10
"""Minutes that are read at a time."""


class Replay(NamedTuple):
    """What is asked for. `filters`: symbols by channel; `with_breaks`: an empty line where nobody listened."""

    exchange: Exchange
    since: datetime
    until: datetime
    filters: dict[str, frozenset[str]] | None
    with_breaks: bool

    def part(self, since: datetime) -> Slice:
        """Return the minutes that are read together from `since` on."""
        return Slice(since, min(AT_ONCE, (self.until - since) // MINUTE), self.filters)


def asked(text: str) -> Replay:
    """Return what the options, a JSON object, ask for. Raises ProblemError."""
    try:
        given = orjson.loads(text)
    except orjson.JSONDecodeError:
        given = None
    if not isinstance(given, dict):
        raise bad('options is JSON such as {"exchange":"…","from":"2026-11-01","to":"2026-11-02"}')
    if unknown := sorted(given.keys() - set(KNOWN)):
        raise bad(f"no option {short(unknown[0])!r} here; {near(unknown[0], list(KNOWN))}")
    if missing := [name for name in ("exchange", "from", "to") if not isinstance(given.get(name), str)]:
        raise bad(f"{missing[0]} is needed in options, a text")
    filters = filters_of(given["filters"]) if given.get("filters") else None
    return stretch(given)._replace(filters=filters, with_breaks=given.get("withDisconnects") is True)


def stretch(given: Mapping[str, str]) -> Replay:
    """Return the whole minutes of an exchange that are asked for, every channel. Raises ProblemError."""
    if missing := [name for name in ("exchange", "from", "to") if not given.get(name)]:
        raise bad(f"{missing[0]} is needed")
    since, until = (moment(given[name], name).replace(second=0, microsecond=0) for name in ("from", "to"))
    if since >= until:
        raise bad("from must be before to, by a minute or more")
    return Replay(exchange(given["exchange"]), since, until, None, False)


async def checked(service: Service, wanted: Replay) -> None:
    """Return where all of it can be told. Raises ProblemError."""
    whole = Slice(wanted.since, (wanted.until - wanted.since) // MINUTE, None)

    def look(lake: Any) -> None:
        data_to = service.standings.of(lake, is_now=True).data_to
        check(wanted.exchange, whole, data_to, service.exchanges.details(lake, wanted.exchange))

    await service.readers.read(look)


async def told(service: Service, wanted: Replay) -> AsyncIterator[bytes]:
    """Yield the lines, some minutes at a time; ends early where the lake can be read no more."""
    since = wanted.since
    while since < wanted.until:
        part = wanted.part(since)
        try:
            found = await service.readers.read(
                lambda lake, part=part: lines(lake, wanted.exchange, part, service.most_bytes, in_an_object)  # type: ignore[misc]
            )
        except ProblemError as problem:  # what was sent cannot be taken back: a line that is no frame says why
            yield orjson.dumps({"error": problem.detail}) + b"\n"
            return
        yield b"".join(line for line in found if wanted.with_breaks or line != b"\n")
        since = part.until
