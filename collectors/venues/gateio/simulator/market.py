"""Gate: what is listed, what its channels push and its REST answers. Facts: exchanges/gateio-futures.md §2 to §4.

The pushed sign is the order's here: that is what most who read it believe. Nothing in the product may rely on it.
"""

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
from collectors.simulator.host import Answer, json_answer
from collectors.simulator.liquidation import Liquidation
from collectors.simulator.market import Market
from collectors.simulator.plain import Endpoints, Pushed, Query
from collectors.venues.gateio.simulator.server import LIQUIDATIONS, SETTLES, TICKERS, GateioLimits, refusal

SHOWS = Shows("bankruptcy")
WORTH_USD = 6.0
"""Of a linear contract, about."""
DAYS_MS = 40 * 86_400_000
STATS_MS = 300_000
KEPT = 20_000


def contract(traded: Traded) -> Contract | None:
    """Return the contract: in USDT, or BTC's in the coin; None of others."""
    if traded.expiry or traded.quote not in ("USDT", "USD"):
        return None
    coin = traded.coin
    if traded.inverse:
        return traded.contract("gateio", "btc", "BTC_USD", SHOWS, 1.0, step=1.0) if coin.name == "BTC" else None
    size = 10.0 ** round(math.log10(WORTH_USD / coin.price))
    return traded.contract("gateio", "usdt", f"{coin.name}_USDT", SHOWS, size, step=1.0)


class Liquidations:
    """Writes what happened since to each settlement's socket, one array, and keeps the latest for who asks by REST."""

    def __init__(self) -> None:
        self.shown: deque[Liquidation] = deque(maxlen=KEPT)

    def frames(self, happened: Sequence[Liquidation], now: int) -> Iterator[Pushed]:
        """Yield a frame a settlement."""
        self.shown.extend(happened)
        for settle in SETTLES:
            if own := [one for one in happened if one.contract.market == settle]:
                rows = [_pushed(one) for one in own]
                payload = update(LIQUIDATIONS, rows, now)
                yield Pushed(f"{settle}/{LIQUIDATIONS}:!all", "public_liquidates", payload, own)


def update(channel: str, rows: list[dict[str, Any]], now: int) -> bytes:
    """Return a pushed frame."""
    return orjson.dumps({"time": now // 1000, "time_ms": now, "channel": channel, "event": "update", "result": rows})


def _pushed(one: Liquidation) -> dict[str, Any]:
    sign = "-" if one.order_side == "sell" else ""
    return {"price": one.bankruptcy, "size": f"{sign}{one.qty}", "time": one.ts, "contract": one.contract.symbol}


def _reported(one: Liquidation) -> dict[str, Any]:
    sign = "" if one.position == "long" else "-"
    return {
        "time": one.ts // 1000, "contract": one.contract.symbol, "size": f"{sign}{one.qty}", "left": "0",
        "order_price": one.bankruptcy, "fill_price": one.fill,
    }  # fmt: skip


def ticker_frames(market: Market, own: Sequence[Contract], now: int) -> Iterator[Pushed]:
    """Yield a ticker of each contract."""
    for each in own:
        payload = update(TICKERS, [_ticker(market, each)], now)
        yield Pushed(f"{each.market}/{TICKERS}:{each.symbol}", "tickers", payload)


def _ticker(market: Market, each: Contract) -> dict[str, str]:
    quote = market.quotes[each]
    return {
        "contract": each.symbol, "last": each.price_text(quote.last), "mark_price": each.price_text(quote.mark),
        "index_price": each.price_text(quote.index), "funding_rate": f"{quote.funding:.6f}", "quanto_base_rate": "",
        "total_size": each.qty_text(each.units(quote.open_interest * quote.mark, quote.mark)),
    }  # fmt: skip


def _contract(market: Market, each: Contract) -> dict[str, Any]:
    return {
        "name": each.symbol, "type": "inverse" if each.inverse else "direct", "in_delisting": False, "create_time": 0,
        "quanto_multiplier": "0" if each.inverse else f"{each.size:.10f}", "funding_interval": each.interval_ms // 1000,
        "funding_next_apply": market.quotes[each].next_funding_ms // 1000,
    }  # fmt: skip


def endpoints(market: Market, own: Sequence[Contract], shown: Liquidations, limits: GateioLimits) -> Endpoints:
    """Return its REST: contracts, tickers, liquidations, settled funding."""
    symbols = {each.symbol: each for each in own}

    def settled(query: Query) -> Answer:
        each = symbols.get(query.get("contract", ""))
        until = min(int(query.get("to", 1 << 40)) * 1000, market.now)
        since = int(query["from"]) * 1000 if "from" in query else until - DAYS_MS
        paid = market.history.settlements(each, since, until) if each else []
        return json_answer([{"t": one.ts // 1000, "r": f"{one.rate:.6f}"} for one in paid[::-1][: _most(query)]])

    def stats(query: Query) -> Answer:
        each = symbols.get(query.get("contract", ""))
        last, most = market.now // STATS_MS * STATS_MS, min(int(query.get("limit", 30)), 100)
        first = (
            -(-int(query["from"]) * 1000 // STATS_MS) * STATS_MS if "from" in query else last - (most - 1) * STATS_MS
        )
        times = range(first, last + 1, STATS_MS)[:most]
        return json_answer([_stats(market, each, at) for at in times] if each else [])

    def candles(query: Query) -> Answer:
        each, width = symbols[query["contract"]], LENGTHS_MS[query["interval"]]
        found = bars(market, each, width, int(query["from"]) * 1000, int(query["to"]) * 1000, 2000)
        return json_answer([
            {"t": bar.start // 1000, "o": bar.open, "h": bar.high, "l": bar.low, "c": bar.close,
             "v": round(bar.volume / each.size), "sum": f"{bar.volume * float(bar.close):.4f}"}
            for bar in found
        ])  # fmt: skip

    def liquidated(settle: str) -> Callable[[Query], Answer]:
        def answer(query: Query) -> Answer:
            wanted = query.get("contract")
            found = [
                _reported(one) for one in reversed(shown.shown)
                if one.contract.market == settle and wanted in (None, one.contract.symbol)
            ]  # fmt: skip
            return json_answer(found[: _most(query)])

        return answer

    paths: dict[str, Callable[[Query], Answer]] = {}
    for settle in SETTLES:
        mine, base = [each for each in own if each.market == settle], f"/api/v4/futures/{settle}"
        paths[f"{base}/contracts"] = _listing(_contract, market, mine)
        paths[f"{base}/tickers"] = _listing(_ticker, market, mine)
        paths[f"{base}/liq_orders"] = liquidated(settle)
        paths[f"{base}/funding_rate"] = settled
        paths[f"{base}/contract_stats"] = stats
        paths[f"{base}/candlesticks"] = candles
    unknown = json_answer({"label": "INVALID_PARAM_VALUE", "message": "no such path"}, 404)
    return Endpoints(paths, Window(limits.requests, limits.window_s), time.monotonic, refusal("http_429"), unknown)


def _stats(market: Market, each: Contract, at: int) -> dict[str, Any]:
    long = market.history.long_share(each.coin, at, "global_accounts")
    ratio, coins = long / (1 - long), market.history.open_interest(each, min(at, market.start_ms))
    mark = market.quotes[each].mark
    contracts = each.qty_text(each.units(coins * mark, mark))
    return {
        "time": at // 1000, "mark_price": mark * each.scale, "lsr_taker": 1.0, "lsr_account": ratio, "top_lsr_account": ratio,
        "top_lsr_size": ratio, "open_interest": contracts, "open_interest_usd": coins * mark,
    }  # fmt: skip


def _listing(
    told: Callable[[Market, Contract], dict[str, Any]], market: Market, mine: Sequence[Contract]
) -> Callable[[Query], Answer]:
    return lambda _: json_answer([told(market, each) for each in mine])


def _most(query: Query) -> int:
    return min(int(query.get("limit", 100)), 1000)
