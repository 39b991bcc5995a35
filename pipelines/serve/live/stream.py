"""/v1/stream: what is stored, as server-sent events. Who comes back with the id of its last event misses nothing."""

import re
from collections.abc import AsyncIterator
from http import HTTPStatus

import orjson
from fastapi import Request
from fastapi.sse import EventSourceResponse, format_sse_event
from starlette.responses import Response

from pipelines.serve.given import only
from pipelines.serve.live.changes import KINDS, Changes, Event, ExpiredError, Place
from pipelines.serve.problems import ProblemError
from pipelines.serve.service import Service

KNOWN = ("kinds", "base", "venue", "min_usd", "last_event_id")
PING_S = 15.0
MOST = 100
"""So many may listen at a time."""
_PLACE = re.compile(r"(\d{1,15})\.(\d{1,9})")
_NUMBER = re.compile(r"\d{1,15}(\.\d+)?")


class Wanted:
    """Which events are asked for."""

    def __init__(self, given: dict[str, str]) -> None:
        self.kinds = frozenset(given.get("kinds", ",".join(KINDS)).split(","))
        if unknown := self.kinds - set(KINDS):
            raise ProblemError(HTTPStatus.BAD_REQUEST, f"kinds are {', '.join(KINDS)}, not {min(unknown)[:100]!r}")
        if not _NUMBER.fullmatch(given.get("min_usd", "0")):
            raise ProblemError(HTTPStatus.BAD_REQUEST, "min_usd is an amount in US dollars, such as 100000")
        self.min_usd = float(given.get("min_usd", "0"))
        self.named = {name: frozenset(given[name].split(",")) for name in ("base", "venue") if name in given}

    def has(self, event: Event) -> bool:
        """Tell whether an event is one of them. A liquidation without an amount is in any."""
        if event.kind not in self.kinds:
            return False
        if any(name in event.row and event.row[name] not in names for name, names in self.named.items()):
            return False
        usd = event.row.get("notional_usd", event.row.get("usd"))
        return usd is None or usd >= self.min_usd


async def stream(request: Request) -> Response:
    """Answer with the events from now on, or from behind the one that `Last-Event-ID` names. Raises ProblemError."""
    service: Service = request.app.state.service
    given = only(request.query_params.multi_items(), KNOWN)
    wanted = Wanted(given)
    last = _place(request.headers.get("last-event-id") or given.get("last_event_id", ""))
    if service.changes.listeners >= MOST:
        raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, f"{MOST} listen already", {"Retry-After": "30"})
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return EventSourceResponse(_events(service.changes, wanted, last), headers=headers)


def _place(text: str) -> Place | None:
    if not text:
        return None
    if found := _PLACE.fullmatch(text):
        return Place(int(found[1]), int(found[2]))
    raise ProblemError(HTTPStatus.BAD_REQUEST, "Last-Event-ID is none that an event here had")


async def _events(changes: Changes, wanted: Wanted, last: Place | None) -> AsyncIterator[bytes]:
    async with changes.listening() as now:
        place = last or now
        yield format_sse_event(comment="listening", id=_id(place))
        while True:
            try:
                found, behind = await changes.after(place, PING_S)
            except ExpiredError as error:
                place = error.place
                told = {
                    "lost": True,
                    "reason": "what was stored before is no longer told apart; ask /v1/liquidations/filled_in",
                }
                yield format_sse_event(event="reset", data_str=orjson.dumps(told).decode(), id=_id(place))
                continue
            except ProblemError:
                return  # no lake: whoever listens comes back
            for event in found:
                if wanted.has(event):
                    yield format_sse_event(
                        event=event.kind, data_str=orjson.dumps(event.row).decode(), id=_id(event.place)
                    )
            place = behind
            if not found:
                yield format_sse_event(comment="ping", id=_id(place))


def _id(place: Place) -> str:
    return f"{place.snapshot}.{place.number}"
