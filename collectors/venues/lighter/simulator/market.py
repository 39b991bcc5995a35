"""Lighter: what is listed, pushed and answered. Facts: pipelines/venues/lighter/README.md."""

import random
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson

from collectors.simulator.budgets import Window
from collectors.simulator.contracts import COINS, Contract, Shows, Traded
from collectors.simulator.host import Answer, json_answer
from collectors.simulator.liquidation import Liquidation
from collectors.simulator.market import Market
from collectors.simulator.plain import Pushed, by_symbol
from collectors.venues.lighter.simulator.server import ALL, TRADE, LighterLimits, refusal

SHOWS = Shows("fill", twins=True)
KEPT = 50
OTHERS, DELEVERAGED, UNTOLD = 0.3, 0.05, 0.2
HOUR_MS, HOURS = 3_600_000, 8
NUMBERS = {coin.name: number for number, coin in enumerate(COINS)}


def contract(traded: Traded) -> Contract | None:
    """Return the market, a perpetual in USDC that is known by a number; None of others."""
    if traded.quote != "USDT" or traded.expiry:
        return None
    return traded.per_unit("lighter", "perps", str(NUMBERS[traded.coin.name]), SHOWS)


class Trades:
    """Writes liquidations in the list of their own, with others beside them, and keeps a market's latest."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"{seed}/lighter")
        self._number = 0
        self.kept: dict[str, deque[dict[str, Any]]] = defaultdict(lambda: deque(maxlen=KEPT))

    def frames(self, happened: Sequence[Liquidation], now: int) -> Iterator[Pushed]:
        """Yield a frame a liquidation, now and then with trades that are none."""
        for one in happened:
            market = one.contract.symbol
            others = [self._trade(one, "trade")] if self._random.random() < OTHERS else []
            others += [self._trade(one, "deleverage")] if self._random.random() < DELEVERAGED else []
            forced = self._trade(one, "liquidation")
            self.kept[market].appendleft(forced)
            told = {"channel": f"{TRADE}:{market}", "type": f"update/{TRADE}", "nonce": now, "trades": others,
                    "liquidation_trades": [forced]}  # fmt: skip
            yield Pushed(f"{TRADE}/{market}", TRADE, orjson.dumps(told), (one,))

    def _trade(self, one: Liquidation, kind: str) -> dict[str, Any]:
        self._number += 1
        is_long = one.position == "long"
        told = {
            "trade_id": self._number, "tx_hash": f"{self._number:080x}", "type": kind, "market_id": int(one.contract.symbol),
            "size": one.qty, "price": one.fill, "usd_amount": f"{float(one.qty) * float(one.fill):.6f}", "ask_id": 1,
            "bid_id": 2, "ask_account_id": 3, "bid_account_id": 4, "is_maker_ask": not is_long, "block_height": 1,
            "timestamp": one.ts,
        }  # fmt: skip
        if self._random.random() >= UNTOLD:
            told["taker_position_size_before"] = one.qty if is_long else f"-{one.qty}"
        return told


def stats(market: Market, own: Sequence[Contract]) -> dict[str, Any]:
    """Return the state of all markets by number; rates in percent an hour, open interest in USD."""
    return {each.symbol: _stats(market, each) for each in own}


def _stats(market: Market, each: Contract) -> dict[str, Any]:
    quote = market.quotes[each]
    mark, rate = each.price_text(quote.mark, 10), f"{quote.funding / HOURS * 100:.10f}"
    return {
        "symbol": each.unit, "market_id": int(each.symbol), "index_price": each.price_text(quote.index, 10), "mark_price": mark,
        "open_interest": f"{quote.open_interest * quote.mark:.6f}", "last_trade_price": mark, "current_funding_rate": rate,
        "funding_rate": rate, "funding_timestamp": market.now // HOUR_MS * HOUR_MS + 2,
    }  # fmt: skip


def stats_frames(market: Market, own: Sequence[Contract]) -> Iterator[Pushed]:
    """Yield the state of all markets."""
    told = {"channel": "market_stats:all", "market_stats": stats(market, own), "timestamp": market.now,
            "type": "update/market_stats"}  # fmt: skip
    yield Pushed(ALL, "market_stats", orjson.dumps(told))


def endpoints(
    market: Market, own: Sequence[Contract], limits: LighterLimits
) -> Callable[[str, dict[str, str]], Answer]:
    """Return its REST: the list of markets, a market's settled funding."""
    symbols, window = by_symbol(own, "lighter"), Window(limits.requests, limits.window_s)

    def settled(each: Contract, since: int, count: int) -> list[dict[str, Any]]:
        paid = market.history.settlements(each, since - HOURS * HOUR_MS, market.now + HOURS * HOUR_MS)
        rows = [(one.ts - hour * HOUR_MS, one.rate / HOURS * 100) for one in paid for hour in range(HOURS)]
        found = sorted((at, rate) for at, rate in rows if since <= at <= market.now)
        return [_settled(at, rate) for at, rate in found[-count:]]

    def answer(path: str, query: dict[str, str]) -> Answer:
        if not window.take(time.monotonic()):
            return refusal("http_429")
        if path == "/api/v1/orderBookDetails":
            details = [_detail(each) for each in own]
            return json_answer({"code": 200, "order_book_details": details, "spot_order_book_details": []})
        if path == "/api/v1/fundings" and (each := symbols.get(query.get("market_id", ""))):
            rows = settled(each, int(query.get("start_timestamp", 0)), int(query.get("count_back", 1)))
            return json_answer({"code": 200, "resolution": "1h", "fundings": rows})
        return json_answer({"code": 20001, "message": "invalid param"}, 400)

    return answer


def _detail(each: Contract) -> dict[str, Any]:
    return {"symbol": each.unit, "market_id": int(each.symbol), "market_type": "perp", "status": "active"}


def _settled(at: int, rate: float) -> dict[str, Any]:
    direction = "long" if rate >= 0 else "short"
    return {"timestamp": at // 1000, "value": "0.01", "rate": f"{abs(rate):.8f}", "direction": direction}
