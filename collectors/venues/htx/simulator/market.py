"""HTX: what is listed, what its topics push and its REST answers. Facts: exchanges/htx.md §2 to §4."""

import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson

from collectors.history.endpoint import LENGTHS_MS
from collectors.simulator.bars import bars
from collectors.simulator.budgets import Window
from collectors.simulator.contracts import Contract, Shows, Traded
from collectors.simulator.host import Answer
from collectors.simulator.liquidation import Liquidation
from collectors.simulator.market import Market
from collectors.simulator.plain import Endpoints, Pushed, Query
from collectors.venues.htx.history import LENGTHS
from collectors.venues.htx.simulator.server import PATHS, HtxLimits, answered, refusal

SHOWS = Shows("bankruptcy", twins=False)
WORTH_USD = 50.0
"""Of a linear contract, about."""
DAYS_MS = 40 * 86_400_000
KEPT = 20_000
STATS_MS = 300_000
LOCKED = {"locked_ratio": 0.01}
MARKETS = (
    ("linear", "/linear-swap-api", "v1/swap_"),
    ("swap", "/swap-api", "v1/swap_"),
    ("delivery", "/api", "v1/contract_"),
)


def contract(traded: Traded) -> Contract | None:
    """Return the contract: in USDT, or in the coin; None of others."""
    coin, end = traded.coin, f"{traded.expiry:%y%m%d}" if traded.expiry else ""
    if traded.inverse:
        size = 100.0 if coin.name == "BTC" else 10.0
        market, code = ("delivery", f"{coin.name}{end}") if end else ("swap", f"{coin.name}-USD")
        return traded.contract("htx", market, code, SHOWS, size, step=1.0)
    if traded.quote != "USDT":
        return None
    code = f"{coin.name}-USDT-{end}" if end else f"{coin.name}-USDT"
    return traded.contract("htx", "linear", code, SHOWS, 10.0 ** round(math.log10(WORTH_USD / coin.price)), step=1.0)


def order(one: Liquidation) -> dict[str, Any]:
    """Return a liquidation as pushed and as answered; coins and money only of linear contracts."""
    contract, qty = one.contract, float(one.qty)
    told = {
        "symbol": contract.coin.name, "contract_code": contract.symbol, "direction": one.order_side, "offset": "close",
        "volume": qty, "price": float(one.bankruptcy), "created_at": one.ts, "pair": contract.index,
    }  # fmt: skip
    if contract.inverse:
        return told
    coins = qty * contract.size
    return told | {
        "amount": coins,
        "trade_turnover": coins * float(one.bankruptcy),
        "business_type": _business(contract),
    }


def _business(contract: Contract) -> str:
    return "futures" if contract.expiry_ms else "swap"


class Orders:
    """Writes each liquidation to its market's socket, and keeps the latest for who asks by REST."""

    def __init__(self) -> None:
        self.shown: deque[Liquidation] = deque(maxlen=KEPT)

    def frames(self, happened: Sequence[Liquidation], now: int) -> Iterator[Pushed]:
        """Yield a notification a liquidation."""
        for one in happened:
            self.shown.append(one)
            topic = f"public.{code(one.contract)}.liquidation_orders"
            frame = {"op": "notify", "topic": topic, "ts": now, "data": [order(one)]}
            heard_by = f"{PATHS[one.contract.market]}|{topic}"
            yield Pushed(heard_by, "liquidation_orders", orjson.dumps(frame), (one,))


def code(contract: Contract) -> str:
    """Return what its topics name it: the contract, or the coin of one that is delivered in it."""
    return contract.coin.name if contract.market == "delivery" else contract.symbol


def contract_info(own: Sequence[Contract], topic: str, now: int) -> Iterator[bytes]:
    """Yield what a subscription to the contracts that are delivered in a coin begins with, a frame a coin."""
    path, _, told = topic.partition("|")
    if path != PATHS["delivery"] or not told.endswith(".contract_info"):
        return
    for each in own:
        if each.market == "delivery" and told.split(".")[1] in ("*", code(each)):
            data = {"symbol": each.coin.name, "contract_code": each.symbol, "contract_type": "quarter",
                    "contract_size": each.size, "price_tick": each.tick, "delivery_date": f"20{each.symbol[-6:]}",
                    "contract_status": 1}  # fmt: skip
            frame = {"op": "notify", "topic": f"public.{code(each)}.contract_info", "ts": now, "event": "init"}
            yield orjson.dumps(frame | {"data": [data]})


def funding_frames(market: Market, own: Sequence[Contract], now: int) -> Iterator[Pushed]:
    """Yield the running rate of each perpetual."""
    for each in own:
        if each.interval_ms:
            quote = market.quotes[each]
            told = {
                "symbol": each.coin.name, "contract_code": each.symbol, "fee_asset": each.settle,
                "funding_time": str(now - now % 60_000), "funding_rate": f"{quote.funding:.18f}", "estimated_rate": None,
                "settlement_time": str(quote.next_funding_ms),
            }  # fmt: skip
            frame = {"op": "notify", "topic": f"public.{each.symbol}.funding_rate", "ts": now, "data": [told]}
            yield Pushed(f"{PATHS[each.market]}|{frame['topic']}", "funding_rate", orjson.dumps(frame))


def endpoints(market: Market, own: Sequence[Contract], orders: Orders, limits: HtxLimits) -> Endpoints:
    """Return its REST: contracts, open interest, index, settled funding, liquidations, ratios, candles."""
    told = _Answers(market, own, orders)
    paths: dict[str, Callable[[Query], Answer]] = {}
    for name, base, prefix in MARKETS:
        mine = [each for each in own if each.market == name]
        paths[f"{base}/{prefix}contract_info"] = _listing(_info, mine)
        paths[f"{base}/{prefix}open_interest"] = _listing(told.interest, mine)
        paths[f"{base}/{prefix}index"] = _listing(told.index, mine)
        paths[f"{base}/v1/swap_historical_funding_rate"] = told.settled
        paths[f"{base}/v3/{prefix.removeprefix('v1/')}liquidation_orders"] = told.liquidated(name)
        paths[f"{base}/v1/swap_elite_account_ratio"] = told.accounts
        paths[f"{base}/v1/swap_elite_position_ratio"] = told.positions
        paths[f"{base.removesuffix('-api')}-ex/market/history/kline"] = told.candles
    window = Window(limits.requests, limits.window_s)
    return Endpoints(paths, window, time.monotonic, refusal("http_429"), answered(None, 404))


def _listing(told: Callable[[Contract], dict[str, Any]], mine: Sequence[Contract]) -> Callable[[Query], Answer]:
    return lambda _: answered([told(each) for each in mine])


class _Answers:
    def __init__(self, market: Market, own: Sequence[Contract], orders: Orders) -> None:
        self._market = market
        self._symbols = {each.symbol: each for each in own}
        self._orders = orders

    def interest(self, each: Contract) -> dict[str, Any]:
        quote = self._market.quotes[each]
        contracts = round(each.units(quote.open_interest * quote.mark, quote.mark))
        coins = each.coins(contracts, quote.mark)
        told = {"volume": contracts, "amount": coins, "symbol": each.coin.name, "contract_code": each.symbol}
        return told if each.inverse else told | {"value": coins * quote.mark, "business_type": _business(each)}

    def index(self, each: Contract) -> dict[str, Any]:
        price = float(each.price_text(self._market.quotes[each].index))
        return {"contract_code": each.symbol, "index_price": price, "index_ts": self._market.now}

    def settled(self, query: Query) -> Answer:
        each, now = self._symbols.get(query.get("contract_code", "")), self._market.now
        paid = self._market.history.settlements(each, now - DAYS_MS, now) if each else []
        rows = [
            {"contract_code": query["contract_code"], "funding_rate": f"{one.rate:.18f}", "funding_time": str(one.ts)}
            for one in paid[::-1][: min(int(query.get("page_size", 20)), 50)]
        ]
        return answered({"total_page": 1, "current_page": 1, "total_size": len(rows), "data": rows})

    def liquidated(self, market: str) -> Callable[[Query], Answer]:
        """Of a contract; of a coin's, where they are delivered in it."""
        asked = "symbol" if market == "delivery" else "contract"

        def answer(query: Query) -> Answer:
            since, wanted = int(query.get("start_time", 0)), query.get(asked)
            found = [
                order(one) for one in self._orders.shown
                if (one.contract.market, code(one.contract)) == (market, wanted) and one.ts >= since
            ]  # fmt: skip
            return answered([{"query_id": n, **each} for n, each in enumerate(found[-50:])])

        return answer

    def accounts(self, query: Query) -> Answer:
        return self._shares(query, LOCKED)

    def positions(self, query: Query) -> Answer:
        return self._shares(query, {})

    def _shares(self, query: Query, more: dict[str, float]) -> Answer:
        each, last = self._symbols[query["contract_code"]], self._market.now // STATS_MS * STATS_MS
        rows = []
        for at in range(last - 5 * STATS_MS, last + 1, STATS_MS):
            long = round(self._market.history.long_share(each.coin, at, "top_accounts"), 4)
            rows.append({"buy_ratio": long, "sell_ratio": round(1 - long - sum(more.values()), 4), **more, "ts": at})
        return answered({"list": rows, "symbol": each.coin.name, "contract_code": each.symbol})

    def candles(self, query: Query) -> Answer:
        each, length = (
            self._symbols[query["contract_code"]],
            next(k for k, v in LENGTHS.items() if v == query["period"]),
        )
        since, until = int(query["from"]) * 1000, int(query["to"]) * 1000
        return answered([
            {"id": bar.start // 1000, "vol": 2, "count": 1, "amount": bar.volume * 2,
             **{name: float(getattr(bar, name)) for name in ("open", "close", "low", "high")}}
            for bar in bars(self._market, each, LENGTHS_MS[length], since, until, 2000)
        ])  # fmt: skip


def _info(each: Contract) -> dict[str, Any]:
    return {
        "symbol": each.coin.name, "contract_code": each.symbol, "contract_size": each.size, "price_tick": each.tick,
        "delivery_time": str(each.expiry_ms) if each.expiry_ms else "", "contract_status": 1,
        "business_type": _business(each), "pair": each.index,
    }  # fmt: skip
