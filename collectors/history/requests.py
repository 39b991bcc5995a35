"""REST requests of a backfill: inside the venue's budget, repeated where that may help, each answer kept as a frame.

Refusals are heeded as the poller does: what the venue says of stopping holds for every request, and after a stop one goes
ahead alone. Unlike a poll, a request is made again until it is answered or it is clear that it will not be.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, NamedTuple

import httpx

from collectors.delivery.recorder import Recorder, Sink
from collectors.errors import NetworkError, RefusedError
from collectors.history.settings import BackfillSettings
from collectors.polls.asking import ask
from collectors.polls.budget import Budget, Stop
from collectors.retry import delays, describe
from collectors.venues.venue import Frame, Params, Refusal, Venue

TRIES = 6
STOPS_IN_A_ROW = 10
SERVER_ERROR = 500

log = logging.getLogger(__name__)


class Request(NamedTuple):
    """What is asked (with a `body` by POST), which limit it draws on and how much of it, and the name its answer is filed
    under."""

    frame: Frame
    url: str
    params: Params
    budget: str
    cost: int = 1
    body: str = ""


class Requests:
    """Asks one venue. `told` is called with a line whenever the venue lets everything wait."""

    def __init__(
        self, venue: Venue, budget: Budget, recorder: Recorder, sink: Sink, settings: BackfillSettings,
        client: httpx.AsyncClient, told: Callable[[str], object],
    ) -> None:  # fmt: skip
        self._venue = venue
        self._budget = budget
        self._recorder = recorder
        self._sink = sink
        self._settings = settings
        self._client = client
        self._say = told
        self._told: Stop | None = None
        self._stops = 0

    async def ask(self, request: Request) -> bytes:
        """Return the answer, which is kept by then.

        Raises RefusedError where the venue will not answer this, NetworkError where it cannot be reached or lets us wait
        for longer than is set.
        """
        failed = ""
        pauses = delays(self._settings.first_delay_s)
        tries = 0
        while tries < TRIES:
            await self._sink.room(request.frame.topic)
            self._tell_stop()
            outcome = await self._once(request)
            if isinstance(outcome, bytes):
                return outcome
            if outcome.stop_s > 0:
                self._wait_or_give_up(outcome)
                continue
            tries, failed = tries + 1, outcome.reason
            await asyncio.sleep(next(pauses))
        raise NetworkError(
            f"{self._venue.name} gives no answer to {request.frame.channel} after {TRIES} tries: {failed}"
        )

    async def _once(self, request: Request) -> bytes | Refusal:
        """Make one request; return its answer, or why it should be made again. Raises RefusedError."""
        async with self._budget.request(request.budget, request.cost):
            try:
                answer = await ask(self._client, request.url, request.params, request.body)
            except (httpx.HTTPError, httpx.InvalidURL, NetworkError) as error:
                self._tell_failed(request, describe(error))
                return Refusal(describe(error))
            if self._venue.used and (used := self._venue.used(answer.headers)) is not None:
                self._budget.seen(*used)
            refusal = self._venue.refusal(answer)
            if refusal is None or refusal.stop_s <= 0:
                self._budget.answered()
                self._stops = 0
            else:
                self._budget.stop(refusal.stop_s, refusal.reason)
            self._tell_stop()
        if refusal is None:
            self._recorder.frame(answer.body, request.frame, int(answer.received_s * 1e9))
            return answer.body
        self._tell_failed(request, refusal.reason, status=answer.status)
        if refusal.stop_s <= 0 and answer.status < SERVER_ERROR:
            raise RefusedError(f"{request.frame.channel} of {request.frame.symbol}: {refusal.reason}")
        return refusal

    def _wait_or_give_up(self, refusal: Refusal) -> None:
        if refusal.stop_s > self._settings.longest_stop_s or self._stops > STOPS_IN_A_ROW:
            raise NetworkError(f"{self._venue.name} asks to wait {refusal.stop_s:,.0f} s: {refusal.reason}")

    def _tell_failed(self, request: Request, reason: str, **detail: Any) -> None:
        channel, symbol = request.frame.channel, request.frame.symbol
        self._recorder.event("poll_failed", reason, channel=channel, symbol=symbol, **detail)

    def _tell_stop(self) -> None:
        """Tell once of each stop and of its end."""
        stop, told = self._budget.stopped, self._told
        self._told = stop
        if stop is not None and stop != told:
            self._stops += 1
            self._recorder.event("poll_stopped", stop.reason, stop_s=round(stop.seconds, 1))
            self._say(f"{self._venue.name} lets us wait {stop.seconds:,.0f} s: {stop.reason}")
        elif stop is None and told is not None:
            self._recorder.event("resumed", "requests go on")
