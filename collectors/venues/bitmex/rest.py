"""BitMEX by REST: what is polled and what it costs, and what an answer says. Facts: exchanges/bitmex.md §1, §3, §4.

An address without a key has thirty requests a minute. One answer has every contract with its funding, open interest and marks.
"""

import msgspec

from collectors import topics
from collectors.venues.answers import excerpt, refused, retry_after_s
from collectors.venues.venue import Answer, Listed, Page, Poll, Rate, Refusal

GROUP = "contracts"
KINDS = ("FFWCSX", "FFWCSF", "FFCCSX")
PERPETUAL = ("FFWCSX", "FFWCSF")
STATE_EVERY_S = 20.0
LISTS_EVERY_S = 600.0
BUDGETS = {"requests": Rate(30, 60.0)}


class _Instrument(msgspec.Struct):
    symbol: str
    typ: str = ""


_instruments = msgspec.json.Decoder(list[_Instrument])


def page(body: bytes) -> Page:
    """Return the contracts that are traded; there is one page."""
    traded = (each for each in _instruments.decode(body) if each.typ in KINDS)
    return Page(tuple(Listed(each.symbol, funding=each.typ in PERPETUAL) for each in traded))


def refusal(answer: Answer) -> Refusal | None:
    """Return why an answer is no data: by its status."""
    if answer.status == 503:
        return Refusal(f"HTTP 503: {excerpt(answer.body)}", retry_after_s(answer, 5.0))
    return refused(answer, 30.0)


def polls(host: str) -> tuple[Poll, ...]:
    """Return all polls."""
    active = f"{host}/api/v1/instrument/active"
    newest = (("count", "500"), ("reverse", "true"))
    return (
        Poll("instrument-active", "instruments", topics.REFERENCE, active, LISTS_EVERY_S, group=GROUP, lists=True),
        Poll("instrument-state", "funding, open interest, mark, index", topics.TICKER, active, STATE_EVERY_S),
        Poll("funding", "settled funding", topics.FUNDING, f"{host}/api/v1/funding", 3600.0, newest),
    )
