"""KuCoin: what is listed and answered. Facts: exchanges/kucoin-futures.md §3, §4."""

import math
import time
from collections.abc import Sequence
from typing import Any

import msgspec

from collectors.history.endpoint import LENGTHS_MS
from collectors.simulator.bars import bars
from collectors.simulator.budgets import Window
from collectors.simulator.contracts import Contract, Shows, Traded
from collectors.simulator.faults import Kind
from collectors.simulator.host import Answer, json_answer
from collectors.simulator.market import Market
from collectors.simulator.plain import Endpoints, Query, by_symbol
from collectors.venues.kucoin.history import LENGTHS

COINS = {"BTC": "XBT"}
WORTH_USD = 50.0


class KucoinLimits(msgspec.Struct, frozen=True):
    """`requests` in `window_s`: REST."""

    requests: int = 50
    window_s: float = 10.0


def contract(traded: Traded) -> Contract | None:
    """Return the contract: perpetuals in USDT, and BTC's inverse one; None of others."""
    coin, name = traded.coin, COINS.get(traded.coin.name, traded.coin.name)
    if traded.expiry or traded.quote not in ("USDT", "USD"):
        return None
    if traded.inverse:
        return traded.contract("kucoin", "contracts", "XBTUSDM", Shows(), 1.0, step=1.0) if name == "XBT" else None
    size = 10.0 ** round(math.log10(WORTH_USD / coin.price))
    return traded.contract("kucoin", "contracts", f"{name}USDTM", Shows(), size, step=1.0)


def endpoints(market: Market, own: Sequence[Contract], limits: KucoinLimits) -> Endpoints:
    """Return its REST: contracts with their state, settled funding, candles."""
    symbols = by_symbol(own, "kucoin")

    def settled(query: Query) -> Answer:
        each = symbols.get(query.get("symbol", ""))
        until = min(int(query.get("to", market.now)), market.now)
        paid = market.history.settlements(each, int(query.get("from", 0)), until) if each else []
        rows = [{"symbol": query["symbol"], "fundingRate": one.rate, "timepoint": one.ts} for one in reversed(paid)]
        return answered(rows)

    def candles(query: Query) -> Answer:
        each, length = symbols[query["symbol"]], next(k for k, v in LENGTHS.items() if v == query["granularity"])
        found = bars(market, each, LENGTHS_MS[length], int(query["from"]), int(query["to"]), 500)
        return answered([
            [bar.start, *map(float, (bar.open, bar.high, bar.low, bar.close)), round(bar.volume, 4), 0.0] for bar in found
        ])  # fmt: skip

    paths = {
        "/api/v1/contracts/active": lambda _: answered([_contract(market, each) for each in own]),
        "/api/v1/contract/funding-rates": settled,
        "/api/v1/kline/query": candles,
    }
    unknown = json_answer({"code": "404000", "msg": "Url Not Found"}, 404)
    return Endpoints(paths, Window(limits.requests, limits.window_s), time.monotonic, refusal("http_429"), unknown)


def _contract(market: Market, each: Contract) -> dict[str, Any]:
    quote, name = market.quotes[each], COINS.get(each.coin.name, each.coin.name)
    return {
        "symbol": each.symbol, "type": "FFWCSX", "status": "Open", "baseCurrency": name, "quoteCurrency": each.quote,
        "settleCurrency": name if each.inverse else each.quote, "multiplier": -1.0 if each.inverse else each.size,
        "isQuanto": not each.inverse, "isInverse": each.inverse, "firstOpenDate": 1_585_555_200_000, "expireDate": None,
        "openInterest": f"{each.units(quote.open_interest * quote.mark, quote.mark):.0f}", "markPrice": quote.mark,
        "indexPrice": quote.index, "fundingFeeRate": quote.funding, "predictedFundingFeeRate": quote.funding,
        "nextFundingRateTime": quote.next_funding_ms - market.now,
        "fundingRateSymbol": f".{each.symbol}FPI{each.coin.interval_hours}H",
    }  # fmt: skip


def answered(data: object) -> Answer:
    """Return an answer with data."""
    return json_answer({"code": "200000", "data": data})


def refusal(kind: Kind) -> Answer:
    """Return KuCoin's answer over a limit, of a blocked address, or when it is down."""
    answers = {
        "http_429": json_answer({"code": "429000", "msg": "Too many requests"}, 429),
        "http_403": Answer(403, b"<html><head><title>403 Forbidden</title></head></html>"),
    }
    return answers.get(kind) or json_answer({"code": "500000", "msg": "Internal Server Error"}, 500)
