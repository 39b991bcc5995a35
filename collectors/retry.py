"""What to do after a failure: retryable or fatal, and how long to wait. Pure: no clock, no I/O."""

import random
import ssl
from collections.abc import Iterator
from typing import NamedTuple

import httpx
from websockets.exceptions import ConnectionClosed, InvalidStatus, InvalidURI

from collectors.errors import described

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0
FATAL_DELAY_S = 300.0
STATUS_DELAYS_S = {403: 600.0, 418: 300.0, 429: 60.0}
FATAL_STATUSES = frozenset({400, 401, 404, 405, 410, 451})


class Verdict(NamedTuple):
    """`retryable`: trying again as things are may help. `after_s`: not sooner than this. `reason`: one clear line."""

    retryable: bool
    after_s: float
    reason: str


def judge(error: BaseException) -> Verdict:
    """Say whether a network failure is worth retrying.

    A fatal one (address, certificate, refused by law or path) needs a person; it is tried again only rarely.
    Anything unknown counts as retryable.
    """
    reason = describe(error)
    if isinstance(error, InvalidStatus):
        status = error.response.status_code
        wait = _retry_after_s(error) or STATUS_DELAYS_S.get(status, 0.0)
        fatal = status in FATAL_STATUSES
        return Verdict(not fatal, max(wait, FATAL_DELAY_S) if fatal else wait, reason)
    if isinstance(error, (InvalidURI, httpx.InvalidURL, httpx.UnsupportedProtocol, ssl.SSLCertVerificationError)):
        return Verdict(False, FATAL_DELAY_S, reason)
    return Verdict(True, 0.0, reason)


def delays(
    first_s: float = FIRST_DELAY_S, longest_s: float = LONGEST_DELAY_S, chance: random.Random | None = None
) -> Iterator[float]:
    """Yield growing delays in seconds, each drawn between half and the whole of twice the one before, without end."""
    chance = chance or random.Random()
    limit = first_s
    while True:
        yield limit * (0.5 + chance.random() / 2)
        limit = min(longest_s, limit * 2)


def describe(error: BaseException) -> str:
    """Return one line that names the failure of a connection, or any other."""
    if isinstance(error, ConnectionClosed):
        received, sent = error.rcvd, error.sent
        if sent is not None and not (received and error.rcvd_then_sent):
            return f"closed by us: {sent.code} {sent.reason}".strip()
        return f"closed by the venue: {received.code} {received.reason}".strip() if received else "connection lost"
    if isinstance(error, InvalidStatus):
        return f"the venue refused the connection with HTTP {error.response.status_code}"
    return described(error)


def _retry_after_s(error: InvalidStatus) -> float:
    text = error.response.headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else 0.0
