"""Bitget v3: what is listed, what its topics push and its REST answers. Facts: exchanges/bitget.md §2 to §4.

Coin-margined contracts are not simulated: nobody knows what their amounts are in.
"""

import time
from collections.abc import Collection, Iterator, Sequence
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
from collectors.simulator.throttles import LargestPerSecond
from collectors.venues.bitget.history import LENGTHS
from collectors.venues.bitget.simulator.server import BitgetLimits, answered, refusal

SHOWS = Shows("fill", largest_per_second=True)
STATS_MS = 300_000
DAYS_MS = 92 * 86_400_000
Item = tuple[str, str, str, str, int]
"""Symbol, side of the position, price, quantity in the quoted unit, UTC ms."""


def contract(traded: Traded) -> Contract | None:
    """Return the contract, a perpetual in USDT or USDC; None of others."""
    if traded.expiry or traded.inverse:
        return None
    symbol = f"{traded.unit}PERP" if traded.quote == "USDC" else f"{traded.unit}{traded.quote}"
    return traded.per_unit("bitget", f"{traded.quote}-FUTURES", symbol, SHOWS)


def liquidation(category: str, items: Sequence[Item], now: int) -> bytes:
    """Return a frame of a category; the amount is money."""
    data = [
        {"symbol": symbol, "side": side, "price": price, "amount": f"{float(price) * float(qty):.12g}", "ts": str(ts)}
        for symbol, side, price, qty, ts in items
    ]
    arg = {"instType": category.lower(), "topic": "liquidation"}
    return orjson.dumps({"action": "update", "arg": arg, "data": data, "ts": now})


class Largest:
    """Of each symbol the largest long and the largest short of a second, in one frame a category."""

    def __init__(self) -> None:
        self._sides = {"long": LargestPerSecond(), "short": LargestPerSecond()}

    @property
    def pending(self) -> int:
        """Liquidations not yet shown."""
        return sum(side.pending for side in self._sides.values())

    def frames(self, happened: Sequence[Liquidation], now: int) -> Iterator[Pushed]:
        """Take what happened, and yield the frames of the seconds that are over."""
        for one in happened:
            self._sides[one.position].offer(one)
        over: dict[str, list[Liquidation]] = {}
        for side in self._sides.values():
            for _, one in side.due(now):
                over.setdefault(one.contract.market, []).append(one)
        for category, shown in over.items():
            payload = liquidation(category, [_item(one) for one in shown], now)
            yield Pushed(f"{category.lower()}:liquidation", "liquidation", payload, shown)


def _item(one: Liquidation) -> Item:
    return one.contract.symbol, "buy" if one.position == "long" else "sell", one.fill, one.qty, one.ts


def ticker_frames(market: Market, own: Sequence[Contract], heard: Collection[str], now: int) -> Iterator[Pushed]:
    """Yield a ticker of each contract that somebody listens to."""
    for each in own:
        if (topic := f"{each.market.lower()}:ticker:{each.symbol}") in heard:
            arg = {"instType": each.market.lower(), "topic": "ticker", "symbol": each.symbol}
            data = _ticker(market, each) | {"nextFundingTime": str(market.quotes[each].next_funding_ms)}
            frame = {"action": "snapshot", "arg": arg, "data": [data], "ts": now}
            yield Pushed(topic, "ticker", orjson.dumps(frame))


def _ticker(market: Market, each: Contract) -> dict[str, str]:
    quote = market.quotes[each]
    return {
        "lastPrice": each.price_text(quote.last), "indexPrice": each.price_text(quote.index, 12),
        "markPrice": each.price_text(quote.mark), "fundingRate": f"{quote.funding:.6f}",
        "openInterest": each.qty_text(quote.open_interest / each.scale), "deliveryTime": "",
    }  # fmt: skip


def _instrument(each: Contract) -> dict[str, Any]:
    return {
        "symbol": each.symbol, "category": each.market, "baseCoin": each.unit, "quoteCoin": each.quote, "isRwa": "NO",
        "type": "perpetual", "status": "online", "deliveryTime": "", "launchTime": "0", "symbolType": "crypto",
        "fundInterval": str(each.coin.interval_hours), "quantityMultiplier": str(each.step), "maxLeverage": "125",
    }  # fmt: skip


def endpoints(market: Market, own: Sequence[Contract], limits: BitgetLimits) -> Endpoints:
    """Return its REST: contracts, tickers, settled funding, ratios and candles."""
    symbols = {each.symbol: each for each in own}

    def of(query: Query) -> list[Contract]:
        return [each for each in own if each.market == query.get("category")]

    def tickers(query: Query) -> Answer:
        now = str(market.now)
        told = [
            {"category": each.market, "symbol": each.symbol, "ts": now, **_ticker(market, each)} for each in of(query)
        ]
        return answered(told)

    def settled(query: Query) -> Answer:
        each = symbols.get(query.get("symbol", ""))
        paid = market.history.settlements(each, market.now - DAYS_MS, market.now) if each else []
        rows = [
            {"symbol": query["symbol"], "fundingRate": f"{one.rate:.6f}", "fundingRateTimestamp": str(one.ts)}
            for one in paid[::-1][: min(int(query.get("limit", 100)), 100)]
        ]
        return answered({"resultList": rows})

    def ratios(query: Query) -> Answer:
        last = market.now // STATS_MS * STATS_MS
        return answered([
            {"longAccountRatio": f"{long:.4f}", "shortAccountRatio": f"{1 - long:.4f}",
             "longShortAccountRatio": f"{long / (1 - long):.4f}", "ts": str(at)}
            for at in range(last - 29 * STATS_MS, last + 1, STATS_MS)
            for long in (market.history.long_share(symbols[query["symbol"]].coin, at, "global_accounts"),)
        ])  # fmt: skip

    def candles(query: Query) -> Answer:
        each, length = symbols[query["symbol"]], next(k for k, v in LENGTHS.items() if v == query["granularity"])
        since, until, most = int(query["startTime"]), int(query["endTime"]), min(int(query.get("limit", 100)), 200)
        return answered([
            [str(bar.start), bar.open, bar.high, bar.low, bar.close, f"{bar.volume:.4f}",
             f"{bar.volume * float(bar.close):.4f}"]
            for bar in bars(market, each, LENGTHS_MS[length], since, until, most)
        ])  # fmt: skip

    base = "/api/v3/market/"
    paths = {
        base + "instruments": lambda query: answered([_instrument(each) for each in of(query)]),
        base + "tickers": tickers,
        base + "history-fund-rate": settled,
        "/api/v2/mix/market/account-long-short": ratios,
        "/api/v2/mix/market/history-candles": candles,
    }
    window = Window(limits.requests, limits.window_s)
    return Endpoints(paths, window, time.monotonic, refusal("http_429"), answered(None, 404))
