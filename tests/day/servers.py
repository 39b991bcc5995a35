"""The simulated venues' servers, asked as functions: what their feeds publish to, and what a GET request is answered."""

from collections.abc import Callable
from urllib.parse import urlsplit

import orjson

from collectors.simulator.budgets import Ladder
from collectors.simulator.contracts import Contract
from collectors.simulator.faults import Faults
from collectors.simulator.host import Answer
from collectors.simulator.liquidation import Liquidation
from collectors.simulator.market import Market
from collectors.venues.binance.simulator import BinanceLimits, BinanceProtocol
from collectors.venues.binance.simulator import frames as binance_frames
from collectors.venues.binance.simulator.rest import BinanceRest
from collectors.venues.bybit.simulator import BybitLimits, BybitProtocol
from collectors.venues.bybit.simulator import frames as bybit_frames
from collectors.venues.bybit.simulator.rest import BybitRest
from collectors.venues.okx.simulator import OkxLimits, OkxProtocol, known_topics
from collectors.venues.okx.simulator import frames as okx_frames
from collectors.venues.okx.simulator.rest import OkxRest
from collectors.venues.venue import Listed, Venue
from tests.day.sessions import Protocol

LIMITS = (
    BybitLimits(ticker_ms=100_000),
    OkxLimits(mark_ms=120_000, index_ms=120_000, open_interest_ms=90_000, funding_ms=(180_000, 180_001)),
)
"""Slower than the venues: a value in one to three minutes."""

Ask = Callable[[str, dict[str, str]], Answer]


def payload(one: Liquidation, shown_ms: int) -> bytes:
    if one.contract.venue == "binance":
        return orjson.dumps(binance_frames.force_order(one, shown_ms))
    if one.contract.venue == "bybit":
        return orjson.dumps(bybit_frames.all_liquidation([one], shown_ms))
    arg = {"channel": "liquidation-orders", "instType": one.contract.market}
    return orjson.dumps({"arg": arg, "data": okx_frames.liquidation_orders([one])})


def _rest(market: Market, url: str) -> Ask:
    """Return a fresh server: its budgets count by the wall clock, which is not the market's."""
    host = urlsplit(url).netloc
    if "bybit" in host:
        return BybitRest(market, LIMITS[0])
    if "okx" in host:
        return OkxRest(market)
    return BinanceRest(market, "cm" if host.startswith("dapi") else "um", Ladder(2400))


def ask(market: Market, url: str, params: dict[str, str]) -> bytes:
    answer = _rest(market, url)(urlsplit(url).path, params)
    assert answer.status == 200, (url, params, answer.body[:300])
    return answer.body


def listing(market: Market, venue: Venue) -> dict[str, tuple[Listed, ...]]:
    return {
        poll.group: venue.page(ask(market, poll.url, dict(poll.params))).listed for poll in venue.polls if poll.lists
    }


def protocols(market: Market) -> dict[str, Protocol]:
    symbols: dict[str, set[str]] = {"linear": set(), "inverse": set()}
    okx: list[Contract] = []
    for contract in market.contracts:
        if contract.venue == "bybit":
            symbols[contract.market].add(contract.symbol)
        okx += [contract] if contract.venue == "okx" else []
    no, faults = (lambda _path, _query: Answer(404, b"")), Faults({})
    return {
        "um": BinanceProtocol(True, no, faults, BinanceLimits()),
        "cm": BinanceProtocol(False, no, faults, BinanceLimits()),
        "bybit": BybitProtocol(symbols, no, faults, LIMITS[0]),
        "okx": OkxProtocol(known_topics(okx), no, faults, LIMITS[1]),
    }


def binance_of(served: dict[str, Protocol]) -> tuple[BinanceProtocol, BinanceProtocol]:
    um, cm = served["um"], served["cm"]
    assert isinstance(um, BinanceProtocol)
    assert isinstance(cm, BinanceProtocol)
    return um, cm


def bybit_of(served: dict[str, Protocol]) -> BybitProtocol:
    found = served["bybit"]
    assert isinstance(found, BybitProtocol)
    return found


def okx_of(served: dict[str, Protocol]) -> OkxProtocol:
    found = served["okx"]
    assert isinstance(found, OkxProtocol)
    return found
