"""CoinEx: what is listed and answered. Facts: exchanges/coinex.md §1, §3.

Inverse markets are not simulated: nobody knows what their amounts are in.
"""

import time
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from typing import Any

from collectors.simulator.budgets import Window
from collectors.simulator.contracts import Contract, Shows, Traded
from collectors.simulator.host import Answer, json_answer
from collectors.simulator.liquidation import Liquidation
from collectors.simulator.market import Market
from collectors.simulator.plain import Endpoints, Pushed, Query, by_symbol
from collectors.simulator.truth import Truth
from collectors.venues.coinex.simulator.server import CoinexLimits, answered, refusal

SHOWS = Shows("mark")
KEPT, DAYS_MS = 5000, 4 * 86_400_000
BASE = "/v2/futures"


def contract(traded: Traded) -> Contract | None:
    """Return the market, a perpetual in USDT; None of others."""
    if traded.quote != "USDT" or traded.expiry:
        return None
    step = 0.0001 if traded.coin.price > 100 else 1.0
    return traded.contract("coinex", "futures", f"{traded.coin.name}USDT", SHOWS, 1.0, step=step)


class Past:
    """The liquidations of each market, newest first; one counts as shown when an answer first has it."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._kept: dict[str, deque[Liquidation]] = defaultdict(lambda: deque(maxlen=KEPT))
        self._shown: set[int] = set()

    def frames(self, happened: Sequence[Liquidation], _now: int) -> Iterator[Pushed]:
        """Keep what happened; nothing is pushed."""
        for one in happened:
            self._kept[one.contract.symbol].appendleft(one)
        yield from ()

    def answer(self, query: Query, now: int) -> Answer:
        """Return a page of a market's liquidations within bounds."""
        since, until = int(query.get("start_time") or 0), int(query.get("end_time") or now)
        found = [one for one in self._kept[query.get("market", "")] if since <= one.ts <= until]
        limit = int(query.get("limit", 10))
        start = (int(query.get("page", 1)) - 1) * limit
        for one in found[start : start + limit]:
            if id(one) not in self._shown:
                self._shown.add(id(one))
                self._truth.show(one, now).receivers = 1
        return answered([_row(one) for one in found[start : start + limit]], len(found) > start + limit)


def _row(one: Liquidation) -> dict[str, Any]:
    return {
        "market": one.contract.symbol, "side": one.position, "liq_price": one.mark, "liq_amount": one.qty,
        "bkr_price": one.bankruptcy, "created_at": one.ts,
    }  # fmt: skip


def endpoints(market: Market, own: Sequence[Contract], past: Past, limits: CoinexLimits) -> Endpoints:
    """Return its REST."""
    symbols = by_symbol(own, "coinex")

    def settled(query: Query) -> Answer:
        each = symbols.get(query.get("market", ""))
        paid = market.history.settlements(each, market.now - DAYS_MS, market.now)[::-1] if each else []
        limit = int(query.get("limit", 10))
        rows = [
            {"market": query["market"], "funding_time": one.ts, "theoretical_funding_rate": f"{2 * one.rate:.8f}",
             "actual_funding_rate": f"{one.rate:.8f}"}
            for one in paid[:limit]
        ]  # fmt: skip
        return answered(rows, len(paid) > limit)

    paths = {
        f"{BASE}/market": lambda _: answered([_market(market, each) for each in own]),
        f"{BASE}/ticker": lambda _: answered([_ticker(market, each) for each in own]),
        f"{BASE}/funding-rate": lambda _: answered([_rate(market, each) for each in own]),
        f"{BASE}/funding-rate-history": settled,
        f"{BASE}/liquidation-history": lambda query: past.answer(query, market.now),
    }
    unknown = json_answer({"code": 3639, "data": {}, "message": "Invalid path"}, 404)
    return Endpoints(paths, Window(limits.requests, limits.window_s), time.monotonic, refusal("http_429"), unknown)


def _market(market: Market, each: Contract) -> dict[str, Any]:
    return {
        "market": each.symbol, "contract_type": "linear", "base_ccy": each.coin.name, "quote_ccy": each.quote,
        "is_market_available": True, "open_interest_volume": each.qty_text(market.quotes[each].open_interest),
    }  # fmt: skip


def _ticker(market: Market, each: Contract) -> dict[str, str]:
    quote = market.quotes[each]
    return {
        "market": each.symbol, "last": each.price_text(quote.last), "mark_price": each.price_text(quote.mark, 12),
        "index_price": each.price_text(quote.index, 12),
    }  # fmt: skip


def _rate(market: Market, each: Contract) -> dict[str, Any]:
    quote = market.quotes[each]
    return {
        "market": each.symbol, "mark_price": each.price_text(quote.mark, 12), "latest_funding_rate": f"{quote.funding:.8f}",
        "next_funding_rate": f"{quote.funding:.8f}", "next_funding_time": quote.next_funding_ms,
        "latest_funding_time": quote.next_funding_ms - each.interval_ms,
    }  # fmt: skip
