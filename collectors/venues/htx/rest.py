"""HTX by REST: what is polled and what it costs, and what an answer says. Facts: exchanges/htx.md §1 to §4.

An address has 240 requests in three seconds for all of it. Liquidations are pushed, and polled besides: each contract's of the
last two hours, every half hour, so that a gap of the socket is filled; stream and answer name one by the same fields.
"""

from collections.abc import Iterator

import msgspec

from collectors import topics
from collectors.venues.answers import refused
from collectors.venues.decoded import decoded
from collectors.venues.venue import Answer, Listed, Page, Poll, Rate, Refusal, perpetual, symbol

MINUTE_S = 60.0
HOUR_S = 60 * MINUTE_S
STATE_EVERY_S = 30.0
REPAIR_EVERY_S = 30 * MINUTE_S
RATIOS_EVERY_S = 5 * MINUTE_S
REPAIRED_S = 2 * HOUR_S - 10.0
"""How far back, seconds: the page says two hours at most."""
BUDGETS = {"requests": Rate(240, 3.0)}
LISTED = 1
TOO_MANY = (1032, "too-many-request")


class _Contract(msgspec.Struct):
    contract_code: str
    symbol: str = ""
    pair: str = ""
    contract_status: int = LISTED
    business_type: str = "swap"


class _Answer(msgspec.Struct):
    data: list[_Contract]


class _Status(msgspec.Struct):
    status: str = "ok"
    code: int | str = msgspec.field(default=0, name="err_code")


_contracts = msgspec.json.Decoder(_Answer)
_status = msgspec.json.Decoder(_Status)


def page(body: bytes) -> Page:
    """Return the contracts of a market that are traded; there is one page."""
    traded = (each for each in _contracts.decode(body).data if each.contract_status == LISTED)
    return Page(
        tuple(
            Listed(c.contract_code, c.pair or c.symbol, "-" in c.contract_code and c.business_type == "swap")
            for c in traded
        )
    )


def refusal(answer: Answer) -> Refusal | None:
    """Return why an answer is no data: by its status, or by `status` and `err_code` in an answer of status 200."""
    found = decoded(_status, answer.body) or _Status()
    return refused(answer, 5.0, is_too_many=found.code in TOO_MANY, is_bad=found.status != "ok")


def polls(host: str) -> tuple[Poll, ...]:
    """Return all polls."""
    linear, swap, delivery = f"{host}/linear-swap-api", f"{host}/swap-api", f"{host}/api"
    both = (("business_type", "all"),)
    return (
        *_of("linear", linear, "v1/swap_", both),
        *_of("swap", swap, "v1/swap_"),
        *_of("delivery", delivery, "v1/contract_"),
        _settled("linear", f"{linear}/v1/swap_historical_funding_rate"),
        _settled("swap", f"{swap}/v1/swap_historical_funding_rate"),
        *_ratios("linear", f"{linear}/v1"),
        *_ratios("swap", f"{swap}/v1"),
        _repair("linear", f"{linear}/v3/swap_liquidation_orders"),
        _repair("swap", f"{swap}/v3/swap_liquidation_orders"),
    )


def _of(market: str, base: str, prefix: str, params: tuple[tuple[str, str], ...] = ()) -> Iterator[Poll]:
    contracts = "contract_contract_info" if market == "delivery" else "swap_contract_info"
    yield Poll(
        contracts, f"{market} instruments", topics.REFERENCE, f"{base}/{prefix}contract_info", 10 * MINUTE_S, params,
        group=market, lists=True,
    )  # fmt: skip
    yield Poll(
        "open-interest", f"{market} open interest", topics.OPEN_INTEREST, f"{base}/{prefix}open_interest", STATE_EVERY_S,
        params,
    )  # fmt: skip
    if market != "delivery":
        yield Poll("index", f"{market} index", topics.TICKER, f"{base}/{prefix}index", STATE_EVERY_S)


def _settled(market: str, url: str) -> Poll:
    return Poll(
        "historical_funding_rate", f"{market} settled funding", topics.FUNDING, url, HOUR_S, (("page_size", "50"),),
        group=market, param="contract_code", of=perpetual,
    )  # fmt: skip


def _ratios(market: str, base: str) -> Iterator[Poll]:
    for what, channel in (("account", "elite-ratio@5min"), ("position", "elite-position-ratio@5min")):
        yield Poll(
            channel, f"{market} shares of top traders' {what}s", topics.RATIO, f"{base}/swap_elite_{what}_ratio",
            RATIOS_EVERY_S, (("period", "5min"),), group=market, param="contract_code", of=perpetual,
        )  # fmt: skip


def _repair(market: str, url: str) -> Poll:
    return Poll(
        "liquidation_history", f"{market} liquidations, again", topics.LIQUIDATION, url, REPAIR_EVERY_S, (("trade_type", "0"),),
        group=market, param="contract", of=symbol, since=("start_time", REPAIRED_S),
    )  # fmt: skip
