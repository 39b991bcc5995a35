"""Bybit v5 REST market data, answered from the market. Facts: exchanges/bybit.md §3 to §9."""

import math
import re
import time
from collections.abc import Callable, Sequence
from typing import Any, Literal
from urllib.parse import quote_plus, unquote

from collectors.simulator.budgets import Window
from collectors.simulator.candles import Kind
from collectors.simulator.contracts import Contract
from collectors.simulator.history import DAY_MS, HOUR_MS, MINUTE_MS
from collectors.simulator.host import Answer, json_answer
from collectors.simulator.market import Market
from collectors.venues.bybit.simulator import frames
from collectors.venues.bybit.simulator.server import BybitLimits, refusal

Query = dict[str, str]
KLINES_MS = {str(m): m * MINUTE_MS for m in (1, 3, 5, 15, 30, 60, 120, 240, 360, 720)} | {"D": DAY_MS}
PERIODS_MS = {
    "5min": 5 * MINUTE_MS, "15min": 15 * MINUTE_MS, "30min": 30 * MINUTE_MS, "1h": HOUR_MS, "4h": 4 * HOUR_MS,
    "1d": DAY_MS,
}  # fmt: skip
KLINES: dict[str, Kind | Literal["premium"]] = {
    "kline": "trade", "mark-price-kline": "mark", "index-price-kline": "index", "premium-index-price-kline": "premium",
}  # fmt: skip
LAUNCHED_MS = 1585526400000
RISK_SYMBOLS = 15
TIERS = ((50, 100.0, 0.005), (150, 50.0, 0.01), (400, 25.0, 0.02), (1000, 10.0, 0.05))


class BadRequestError(Exception):
    """A request Bybit answers with retCode 10001 and this text."""


class BybitRest:
    """REST of both categories."""

    def __init__(self, market: Market, limits: BybitLimits) -> None:
        self._market = market
        self._window = Window(limits.requests, limits.window_s)
        self._contracts = [c for c in market.contracts if c.venue == "bybit"]
        self._endpoints: dict[str, Callable[[Query], dict[str, Any]]] = {
            "/v5/market/time": self._time,
            "/v5/market/instruments-info": self._instruments,
            "/v5/market/tickers": self._tickers,
            "/v5/market/funding/history": self._funding_history,
            "/v5/market/open-interest": self._open_interest,
            "/v5/market/account-ratio": self._account_ratio,
            "/v5/market/risk-limit": self._risk_limit,
            "/v5/system/status": lambda _: {"list": []},
        }
        self._endpoints |= {f"/v5/market/{name}": self._klines(kind) for name, kind in KLINES.items()}

    def __call__(self, path: str, query: Query) -> Answer:
        """Answer a GET request; errors come with HTTP 200 and a retCode."""
        if not self._window.take(time.monotonic()):
            return refusal("http_403")
        endpoint = self._endpoints.get(path)
        if endpoint is None:
            return Answer(404, b"")
        now = self._market.now
        limits = (("X-Bapi-Limit", "50"), ("X-Bapi-Limit-Status", "49"), ("X-Bapi-Limit-Reset-Timestamp", str(now)))
        code, text, result = 0, "OK", {}
        try:
            result = endpoint(query)
        except BadRequestError as error:
            code, text = 10001, str(error)
        body = {"retCode": code, "retMsg": text, "result": result, "retExtInfo": {}, "time": now}
        return json_answer(body, 200, limits)

    def _time(self, _: Query) -> dict[str, Any]:
        return {"timeSecond": str(self._market.now // 1000), "timeNano": str(self._market.now * 1_000_000)}

    def _instruments(self, query: Query) -> dict[str, Any]:
        category = _category(query)
        found = [c for c in self._contracts if c.market == category or "baseCoin" in query]
        found = [
            c
            for c in found
            if query.get("symbol", c.symbol) == c.symbol and query.get("baseCoin", c.coin.name) == c.coin.name
        ]
        if query.get("status", "Trading") != "Trading":
            found = []
        if "symbol" in query and not found:
            raise BadRequestError("params error: symbol invalid")
        page, cursor = _page(found, query, _limit(query, 500, 1000))
        return {"category": category, "list": [_instrument(contract) for contract in page], "nextPageCursor": cursor}

    def _tickers(self, query: Query) -> dict[str, Any]:
        category, quotes = _category(query), self._market.quotes
        found = [c for c in self._contracts if c.market == category and query.get("symbol", c.symbol) == c.symbol]
        if "symbol" in query and not found:
            raise BadRequestError("params error: symbol invalid")
        history, now = self._market.history, self._market.now
        rows = [frames.ticker(c, quotes[c], history, now, iso_delivery=False) for c in found]
        for row in rows:
            row.pop("tickDirection")
            row.setdefault("deliveryTime", "0")
        return {"category": category, "list": rows}

    def _funding_history(self, query: Query) -> dict[str, Any]:
        contract = self._contract(query)
        start, end = _time(query, "startTime"), _time(query, "endTime")
        if start is not None and end is None:
            raise BadRequestError("params error: endTime is required with startTime")
        until = min(end or self._market.now, self._market.now)
        since = start if start is not None else until - 400 * 8 * HOUR_MS
        paid = self._market.history.settlements(contract, since, until)[::-1][: _limit(query, 200, 200)]
        rows = [
            {"symbol": contract.symbol, "fundingRate": f"{s.rate:.8f}", "fundingRateTimestamp": str(s.ts)} for s in paid
        ]
        return {"category": contract.market, "list": rows}

    def _open_interest(self, query: Query) -> dict[str, Any]:
        contract = self._contract(query)
        rows = []
        for ts in (stamps := self._periods(query, "intervalTime", 200)):
            price = self._market.history.mark(contract, ts)
            one_side = contract.units(self._market.history.open_interest(contract, ts) * price, price)
            rows.append(
                {"openInterest": f"{2 * one_side:.8f}", "singleOpenInterest": f"{one_side:.8f}", "timestamp": str(ts)}
            )
        result = {"symbol": contract.symbol, "category": contract.market, "list": rows}
        return result | {"nextPageCursor": _time_cursor(stamps)}

    def _account_ratio(self, query: Query) -> dict[str, Any]:
        contract = self._contract(query)
        rows = []
        for ts in (stamps := self._periods(query, "period", 500)):
            share = self._market.history.long_share(contract.coin, ts, "accounts")
            rows.append(
                {
                    "symbol": contract.symbol,
                    "buyRatio": f"{share:.4f}",
                    "sellRatio": f"{1 - share:.4f}",
                    "timestamp": str(ts),
                }
            )
        return {"list": rows, "nextPageCursor": _time_cursor(stamps)}

    def _risk_limit(self, query: Query) -> dict[str, Any]:
        category = _category(query)
        found = [c for c in self._contracts if c.market == category and query.get("symbol", c.symbol) == c.symbol]
        page, cursor = _page(found, query, RISK_SYMBOLS if category == "linear" else len(found))
        rows = [row for contract in page for row in _tiers(contract)]
        return {"category": category, "list": rows, "nextPageCursor": cursor}

    def _klines(self, kind: Kind | Literal["premium"]) -> Callable[[Query], dict[str, Any]]:
        def answer(query: Query) -> dict[str, Any]:
            query.setdefault("category", "linear")
            contract, width = self._contract(query), KLINES_MS.get(query.get("interval", ""))
            if width is None:
                raise BadRequestError("params error: interval invalid")
            start, end, now = _time(query, "start"), _time(query, "end"), self._market.now
            last = min(now, end if end is not None else now) // width * width
            first = last - (_limit(query, 200, 1000) - 1) * width
            first = max(first, start + -start % width) if start is not None else first
            rows = [self._kline(contract, ts, width, kind) for ts in range(last, first - 1, -width)]
            return {"symbol": contract.symbol, "category": contract.market, "list": rows}

        return answer

    def _kline(self, contract: Contract, ts: int, width: int, kind: Kind | Literal["premium"]) -> list[str]:
        history, now = self._market.history, self._market.now
        if kind == "premium":
            return [str(ts), *(f"{premium:.6f}" for premium in history.premiums(contract, ts, width, now))]
        candle = history.candle(contract, kind, ts, width, now)
        prices = [contract.price_text(price) for price in candle[:4]]
        coins, usd = candle.coins, candle.coins * candle.close
        volume, turnover = (usd, coins) if contract.inverse else (coins / contract.size, usd)
        return [str(ts), *prices, *([contract.qty_text(volume), f"{turnover:.8f}"] if kind == "trade" else [])]

    def _contract(self, query: Query) -> Contract:
        category = _category(query)
        for contract in self._contracts:
            if contract.market == category and contract.symbol == query.get("symbol"):
                return contract
        raise BadRequestError("params error: symbol invalid")

    def _periods(self, query: Query, name: str, most: int) -> list[int]:
        """Return the times of one page, newest first."""
        width = PERIODS_MS.get(query.get(name, ""))
        if width is None:
            raise BadRequestError(f"params error: {name} invalid")
        end = min(_time(query, "endTime") or self._market.now, self._market.now)
        if found := re.search(r"lasttime=(\d+)", unquote(unquote(query.get("cursor", "")))):
            end = int(found[1]) * 1000 - 1
        last = end - end % width
        first = max(_time(query, "startTime") or 0, LAUNCHED_MS, last - (_limit(query, 50, most) - 1) * width)
        return list(range(last, first - 1, -width))


def _category(query: Query) -> str:
    category = query.get("category", "")
    if category not in ("linear", "inverse"):
        raise BadRequestError("params error: category invalid")
    return category


def _time(query: Query, name: str) -> int | None:
    if not query.get(name):
        return None
    if not query[name].isdigit():
        raise BadRequestError(f"params error: {name} invalid")
    return int(query[name])


def _limit(query: Query, default: int, most: int) -> int:
    text = query.get("limit", str(default))
    if not text.isdigit() or int(text) < 1:
        raise BadRequestError("params error: limit invalid")
    return min(int(text), most)


def _page(found: Sequence[Contract], query: Query, limit: int) -> tuple[Sequence[Contract], str]:
    names = [contract.symbol for contract in found]
    after = re.search(r"last=([^&]+)", unquote(unquote(query.get("cursor", ""))))
    start = names.index(after[1]) + 1 if after and after[1] in names else 0
    page = found[start : start + limit]
    more = start + limit < len(found)
    return page, quote_plus(f"first={page[0].symbol}&last={page[-1].symbol}") if more else ""


def _time_cursor(stamps: Sequence[int]) -> str:
    return quote_plus(f"lastid=1&lasttime={stamps[-1] // 1000}") if stamps and stamps[-1] > LAUNCHED_MS else ""


def _instrument(contract: Contract) -> dict[str, Any]:
    kind = ("Inverse" if contract.inverse else "Linear") + ("Futures" if contract.expiry_ms else "Perpetual")
    digits = max(0, round(-math.log10(contract.tick)))
    tick, step = f"{contract.tick:.{digits}f}", contract.qty_text(contract.step)
    return {
        "symbol": contract.symbol, "contractType": kind, "status": "Trading", "baseCoin": contract.unit,
        "quoteCoin": contract.quote, "launchTime": str(LAUNCHED_MS), "deliveryTime": str(contract.expiry_ms),
        "deliveryFeeRate": "0.0005" if contract.expiry_ms else "", "priceScale": str(digits),
        "leverageFilter": {"minLeverage": "1", "maxLeverage": "100.00", "leverageStep": "0.01"},
        "priceFilter": {"minPrice": tick, "maxPrice": contract.price_text(contract.coin.price * 20), "tickSize": tick},
        "lotSizeFilter": {"maxOrderQty": "1000000", "minOrderQty": step, "qtyStep": step,
                          "postOnlyMaxOrderQty": "1000000", "maxMktOrderQty": "500000", "minNotionalValue": "5"},
        "unifiedMarginTrade": True, "fundingInterval": contract.interval_ms // MINUTE_MS, "settleCoin": contract.settle,
        "copyTrading": "none", "upperFundingRate": "0.005", "lowerFundingRate": "-0.005", "isPreListing": False,
        "preListingInfo": None, "riskParameters": {"priceLimitRatioX": "0.01", "priceLimitRatioY": "0.02"},
        "symbolType": "",
    }  # fmt: skip


def _tiers(contract: Contract) -> list[dict[str, Any]]:
    """Risk limits: in quote currency on linear, in coins on inverse; rates as fractions."""
    unit = 1.0 if contract.inverse else 40_000.0
    rows: list[dict[str, Any]] = []
    deduction = last_rate = last_limit = 0.0
    for number, (limit, leverage, rate) in enumerate(TIERS, 1):
        deduction += last_limit * (rate - last_rate)
        rows.append({
            "id": number, "symbol": contract.symbol, "riskLimitValue": f"{limit * unit:.0f}",
            "maintenanceMargin": f"{rate:g}",
            "initialMargin": f"{1 / leverage:g}", "isLowestRisk": int(number == 1), "maxLeverage": f"{leverage:.2f}",
            "mmDeduction": f"{deduction:g}" if number > 1 else "",
        })  # fmt: skip
        last_rate, last_limit = rate, limit * unit
    return rows
