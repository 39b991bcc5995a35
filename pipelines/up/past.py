"""What `liq demo` asks its venues of the market's past: the day before by the minute, and thirty days by the hour."""

from collections.abc import Iterator

from collectors.history.endpoint import What
from collectors.history.paging import Span
from collectors.history.plan import Order
from collectors.venues.record import Record

PAST: tuple[What, ...] = ("klines", "open-interest", "funding")
ASKED = (("1d", "1m", "5m"), ("30d", "1h", "1h"))
"""How far back, in bars of klines and of open interest of which length."""


def backfills(venue: Record) -> Iterator[list[str]]:
    """Yield the arguments of each `liq backfill` of a venue; none where it gives nothing of this, or no bars so long."""
    endpoints = venue.history().endpoints
    for since, interval, period in ASKED:
        order = Order(PAST, Span(0, 1), (), period, interval)
        given = [
            what for what in PAST
            if (own := [each for each in endpoints if each.what == what])
            and all(not (length := order.length(each.what)) or length in each.lengths for each in own)
        ]  # fmt: skip
        if given:
            yield ["--what", ",".join(given), "--since", since, "--interval", interval, "--period", period]
