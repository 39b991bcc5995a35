"""KuCoin by REST: what is polled and what it costs, and what an answer says. Facts: exchanges/kucoin-futures.md §3, §4.

One answer has every contract with its state, so no socket is needed, for which a token would have to be asked.
"""

from collections.abc import Sequence

import msgspec

from collectors import topics
from collectors.venues.answers import refused
from collectors.venues.decoded import decoded
from collectors.venues.venue import Answer, Listed, Newest, Page, Poll, Rate, Refusal, perpetual

GROUP = "contracts"
STATE_EVERY_S = 20.0
HOUR_S = 3600.0
BUDGETS = {"requests": Rate(50, 10.0)}
"""Not documented: a careful guess."""
GOOD, TOO_MANY = "200000", "429000"
MOST = 24
"""An answer with this many rates may have more pages: how many rates fit into one is not documented."""
OPEN, PERPETUAL = "Open", "FFWCSX"
RATES = "funding-rates"


class _Contract(msgspec.Struct):
    symbol: str
    type: str = ""
    status: str = ""


class _Contracts(msgspec.Struct):
    data: list[_Contract]


class _Rate(msgspec.Struct):
    timepoint: int


class _Rates(msgspec.Struct):
    data: list[_Rate] | None = None


class _Status(msgspec.Struct):
    code: str = GOOD


_contracts = msgspec.json.Decoder(_Contracts)
_rates = msgspec.json.Decoder(_Rates)
_status = msgspec.json.Decoder(_Status)


def page(body: bytes) -> Page:
    """Return the contracts that are traded; there is one page."""
    traded = (each for each in _contracts.decode(body).data if each.status == OPEN)
    return Page(tuple(Listed(each.symbol, funding=each.type == PERPETUAL) for each in traded))


def times(body: bytes) -> Sequence[int]:
    """Return the times of settled rates, UTC ms. Raises msgspec.MsgspecError."""
    return [each.timepoint for each in _rates.decode(body).data or ()]


def refusal(answer: Answer) -> Refusal | None:
    """Return why an answer is no data: by its status, or by `code` in an answer of status 200."""
    found = decoded(_status, answer.body)
    code = found.code if found else GOOD
    return refused(answer, 10.0, is_too_many=code == TOO_MANY, is_bad=code != GOOD)


def polls(host: str) -> tuple[Poll, ...]:
    """Return all polls."""
    active = f"{host}/api/v1/contracts/active"
    return (
        Poll("contracts-active", "instruments", topics.REFERENCE, active, 600.0, group=GROUP, lists=True),
        Poll("contracts-state", "funding, open interest, mark, index", topics.TICKER, active, STATE_EVERY_S),
        Poll(
            RATES, "settled funding", topics.FUNDING, f"{host}/api/v1/contract/{RATES}", HOUR_S, group=GROUP, param="symbol",
            of=perpetual, newest=Newest("from", "to", MOST, times, first_s=48 * HOUR_S),
        ),
    )  # fmt: skip
