"""Kraken Futures by REST: its list of contracts. Facts: exchanges/kraken-futures.md §1, §4. State comes by the socket."""

import msgspec

from collectors import topics
from collectors.venues.answers import refused
from collectors.venues.decoded import decoded
from collectors.venues.venue import Answer, Listed, Page, Poll, Rate, Refusal

GROUP = "futures"
KINDS = ("futures_inverse", "futures_vanilla", "flexible_futures")
PERPETUAL = ("PI_", "PF_")
BUDGETS = {"requests": Rate(60, 60.0)}
"""Not documented: a careful guess."""


class _Instrument(msgspec.Struct):
    symbol: str
    type: str = ""
    tradeable: bool = True


class _Answer(msgspec.Struct):
    instruments: list[_Instrument]


class _Result(msgspec.Struct):
    result: str = "success"


_instruments = msgspec.json.Decoder(_Answer)
_result = msgspec.json.Decoder(_Result)


def page(body: bytes) -> Page:
    """Return the contracts that are traded; there is one page."""
    traded = (i for i in _instruments.decode(body).instruments if i.tradeable and i.type in KINDS)
    return Page(tuple(Listed(i.symbol.upper(), funding=i.symbol.upper().startswith(PERPETUAL)) for i in traded))


def refusal(answer: Answer) -> Refusal | None:
    """Return why an answer is no data: by its status, or by `result` in an answer of status 200."""
    found = decoded(_result, answer.body)
    result = found.result if found else "success"
    return refused(answer, 10.0, is_too_many=b"apiLimitExceeded" in answer.body[:500], is_bad=result != "success")


def polls(host: str) -> tuple[Poll, ...]:
    """Return the one poll."""
    return (
        Poll(
            "instruments", "instruments", topics.REFERENCE, f"{host}/derivatives/api/v3/instruments", 600.0, group=GROUP,
            lists=True,
        ),
    )  # fmt: skip
