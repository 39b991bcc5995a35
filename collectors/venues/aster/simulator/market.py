"""Aster: what is listed, pushed and answered. Facts: exchanges/aster.md."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from collectors.history.endpoint import LENGTHS_MS
from collectors.simulator.bars import Bar, bars
from collectors.simulator.budgets import Window
from collectors.simulator.contracts import PERPETUAL_DELIVERY_MS, Contract, Shows, Traded
from collectors.simulator.host import Answer, json_answer
from collectors.simulator.liquidation import Liquidation
from collectors.simulator.market import Market
from collectors.simulator.plain import Endpoints, Pushed, Query, by_symbol
from collectors.venues.aster.simulator.server import AsterLimits, refusal

SHOWS = Shows("fill")
WINDOW_MS = 1000
LIQUIDATIONS, MARKS = "!forceOrder@arr", "!markPrice@arr"
API = "/fapi/v3"


def contract(traded: Traded) -> Contract | None:
    """Return the contract, a perpetual in USDT; None of others."""
    if traded.quote != "USDT" or traded.expiry:
        return None
    return traded.per_unit("aster", "um", f"{traded.unit}{traded.quote}", SHOWS)


class Latest:
    """Of each symbol the latest liquidation of a second, shown when the second is over."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[int, Liquidation]] = {}

    @property
    def pending(self) -> int:
        """Liquidations not yet shown."""
        return len(self._open)

    def frames(self, happened: Sequence[Liquidation], now: int) -> Iterator[Pushed]:
        """Take what happened, and yield the frames of the seconds that are over."""
        for one in happened:
            closes, _ = self._open.get(one.contract.symbol, (one.ts + WINDOW_MS, one))
            self._open[one.contract.symbol] = (closes, one)
        for symbol in [symbol for symbol, (closes, _) in self._open.items() if closes <= now]:
            _, one = self._open.pop(symbol)
            yield Pushed(LIQUIDATIONS, "forceOrder", force_order(one, now), (one,))


def force_order(one: Liquidation, now: int) -> bytes:
    """Return the event: `S` is the order's side, `p` its limit, `ap` where it filled, `l` the last fill only."""
    last = one.contract.qty_text(float(one.qty) / 3)
    order = {
        "s": one.contract.symbol, "S": one.order_side.upper(), "o": "LIMIT", "f": "IOC", "q": one.qty, "p": one.bankruptcy,
        "ap": one.fill, "X": "FILLED", "l": last, "z": one.qty, "T": one.ts,
    }  # fmt: skip
    return orjson.dumps({"e": "forceOrder", "E": now, "o": order})


def mark_frames(market: Market, own: Sequence[Contract], now: int) -> Iterator[Pushed]:
    """Yield the marks of all contracts in one frame."""
    yield Pushed(MARKS, "markPrice", orjson.dumps([_mark(market, each, now) for each in own]))


def _mark(market: Market, each: Contract, now: int) -> dict[str, Any]:
    quote = market.quotes[each]
    return {
        "e": "markPriceUpdate", "E": now, "s": each.symbol, "p": each.price_text(quote.mark, 8),
        "i": each.price_text(quote.index, 8), "r": f"{quote.funding:.8f}", "T": quote.next_funding_ms,
    }  # fmt: skip


def endpoints(market: Market, own: Sequence[Contract], limits: AsterLimits) -> Endpoints:
    """Return its REST: contracts, open interest, funding intervals and settled funding, candles."""
    symbols = by_symbol(own, "aster")
    unknown = json_answer({"code": -1121, "msg": "Invalid symbol."}, 400)

    def interest(query: Query) -> Answer:
        if (each := symbols.get(query.get("symbol", ""))) is None:
            return unknown
        coins = market.quotes[each].open_interest / each.scale
        return json_answer({"symbol": each.symbol, "openInterest": each.qty_text(coins), "time": market.now})

    def settled(query: Query) -> Answer:
        if (each := symbols.get(query.get("symbol", ""))) is None:
            return unknown
        since, until = int(query.get("startTime", market.now - 10**9)), int(query.get("endTime", market.now))
        paid = market.history.settlements(each, since, min(until, market.now))
        limit = min(int(query.get("limit", 100)), 1000)
        kept = paid[:limit] if "startTime" in query else paid[-limit:]
        return json_answer(
            [{"symbol": each.symbol, "fundingRate": f"{one.rate:.8f}", "fundingTime": one.ts + 3} for one in kept]
        )

    def candles(query: Query) -> Answer:
        if (each := symbols.get(query.get("symbol", ""))) is None:
            return unknown
        width = LENGTHS_MS[query["interval"]]
        since, until = int(query.get("startTime", 0)), int(query.get("endTime", market.now))
        found = bars(market, each, width, since, until, min(int(query.get("limit", 500)), 1500))
        return json_answer([_candle(bar, width) for bar in found])

    intervals = [{"symbol": each.symbol, "fundingIntervalHours": each.coin.interval_hours} for each in own]
    paths = {
        f"{API}/exchangeInfo": lambda _: json_answer({"symbols": [_instrument(each) for each in own]}),
        f"{API}/openInterest": interest,
        f"{API}/fundingInfo": lambda _: json_answer(intervals),
        f"{API}/fundingRate": settled,
        f"{API}/klines": candles,
    }
    window = Window(limits.requests, limits.window_s)
    return Endpoints(paths, window, time.monotonic, refusal("http_429"), json_answer({"code": -1, "msg": ""}, 404))


def _candle(bar: Bar, width: int) -> list[Any]:
    volume, money = f"{bar.volume:.3f}", f"{bar.volume * float(bar.close):.4f}"
    return [
        bar.start, bar.open, bar.high, bar.low, bar.close, volume, bar.start + width - 1, money, 1, volume, money, "0",
    ]  # fmt: skip


def _instrument(each: Contract) -> dict[str, Any]:
    return {
        "symbol": each.symbol, "pair": each.symbol, "contractType": "PERPETUAL", "status": "TRADING", "baseAsset": each.unit,
        "quoteAsset": each.quote, "marginAsset": each.settle, "onboardDate": 1_700_000_000_000,
        "deliveryDate": PERPETUAL_DELIVERY_MS, "underlyingType": "COIN",
    }  # fmt: skip
