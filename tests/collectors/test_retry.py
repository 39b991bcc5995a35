"""Retryable or fatal, how long to wait, what a budget allows. Pure."""

import random
import ssl
from itertools import islice

import pytest
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosedError, InvalidStatus, InvalidURI
from websockets.frames import Close
from websockets.http11 import Response

from collectors.polls.budget import Bucket
from collectors.retry import FATAL_DELAY_S, delays, describe, judge
from collectors.venues.venue import Rate


def _status(status: int, **headers: str) -> InvalidStatus:
    return InvalidStatus(Response(status, "", Headers({k.replace("_", "-"): v for k, v in headers.items()})))


@pytest.mark.parametrize(
    ("error", "retryable", "after_s"),
    [
        (ConnectionRefusedError(), True, 0.0),
        (TimeoutError("timed out during opening handshake"), True, 0.0),
        (ConnectionClosedError(None, None), True, 0.0),
        (_status(503), True, 0.0),
        (_status(429, Retry_After="9"), True, 9.0),
        (_status(403), True, 600.0),
        (_status(404), False, FATAL_DELAY_S),
        (_status(451), False, FATAL_DELAY_S),
        (InvalidURI("ws:/x", "no host"), False, FATAL_DELAY_S),
        (ssl.SSLCertVerificationError("self-signed"), False, FATAL_DELAY_S),
    ],
)
def test_a_failure_is_retryable_or_fatal(error: Exception, retryable: bool, after_s: float) -> None:
    verdict = judge(error)
    assert (verdict.retryable, verdict.after_s) == (retryable, after_s)
    assert verdict.reason
    assert "\n" not in verdict.reason


def test_delays_double_to_the_longest_and_are_never_all_alike() -> None:
    drawn = list(islice(delays(0.5, 30.0, random.Random(1)), 12))
    limits = [min(30.0, 0.5 * 2**i) for i in range(12)]
    assert all(limit / 2 <= delay <= limit for delay, limit in zip(drawn, limits, strict=True))
    assert len(set(drawn)) == 12


def test_a_frame_too_big_says_so() -> None:
    error = ConnectionClosedError(None, Close(1009, "frame with 9 bytes exceeds limit of 8 bytes"), None)
    assert describe(error) == "closed by us: 1009 frame with 9 bytes exceeds limit of 8 bytes"


class _Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def _spent(bucket: Bucket, clock: _Clock, seconds: float) -> int:
    """Spend whenever it is allowed, for so long; return how often."""
    spent, end = 0, clock.now + seconds
    while clock.now < end:
        if bucket.wait_s() == 0:
            bucket.take()
            spent += 1
        else:
            clock.now += min(bucket.wait_s(), end - clock.now)
    return spent


def test_no_period_exceeds_the_venues_rate() -> None:
    clock = _Clock()
    bucket = Bucket(Rate(100, 60.0), clock=clock)
    first = _spent(bucket, clock, 60.0)
    assert 90 <= first <= 101
    clock.now += 1000.0  # idle: a burst and a period's refill together must fit
    assert _spent(bucket, clock, 60.0) <= 101


def test_what_the_venue_counts_is_heeded() -> None:
    clock = _Clock()
    bucket = Bucket(Rate(100, 60.0), clock=clock)
    bucket.seen(130)
    assert bucket.wait_s() > 15.0
    bucket.seen(0)
    assert bucket.wait_s() > 15.0, "others' use is not given back"
