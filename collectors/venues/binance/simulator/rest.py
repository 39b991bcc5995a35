"""Binance USD-M and COIN-M REST market data, answered from the market. Facts: exchanges/binance.md §3 to §9."""

import time
from collections.abc import Callable, Iterable
from typing import Any, Literal, NamedTuple

from collectors.simulator.budgets import Ladder, Window
from collectors.simulator.candles import Kind
from collectors.simulator.contracts import Contract
from collectors.simulator.history import DAY_MS, HOUR_MS, MINUTE_MS
from collectors.simulator.host import Answer, json_answer
from collectors.simulator.market import Market
from collectors.venues.binance.simulator import frames
from collectors.venues.binance.simulator.lists import exchange_info, funding_info

Query = dict[str, str]
INTERVALS_MS = {
    "1m": MINUTE_MS, "3m": 3 * MINUTE_MS, "5m": 5 * MINUTE_MS, "15m": 15 * MINUTE_MS, "30m": 30 * MINUTE_MS,
    "1h": HOUR_MS, "2h": 2 * HOUR_MS, "4h": 4 * HOUR_MS, "6h": 6 * HOUR_MS, "8h": 8 * HOUR_MS,
    "12h": 12 * HOUR_MS, "1d": DAY_MS,
}  # fmt: skip
KLINES: dict[str, Kind | Literal["premium"]] = {
    "klines": "trade", "markPriceKlines": "mark", "indexPriceKlines": "index", "premiumIndexKlines": "premium",
}  # fmt: skip
PERIODS = ("5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "1d")


class BadRequestError(Exception):
    """A request Binance answers with HTTP 400: its code and text."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class _Endpoint(NamedTuple):
    answer: Callable[[Query], Any]
    weight: Callable[[Query], int]
    bucket: str = "weight"


class BinanceRest:
    """One host's REST. `universe`: um (/fapi) or cm (/dapi); the ladder is shared by both hosts."""

    def __init__(self, market: Market, universe: str, ladder: Ladder) -> None:
        self._market = market
        self._universe = universe
        self._ladder = ladder
        self._buckets = {"funding": Window(500, 300.0), "data": Window(1000, 300.0)}
        self._contracts = {c.symbol: c for c in market.contracts if c.venue == "binance" and c.market == universe}
        self._endpoints = self._table("/fapi/v1/" if universe == "um" else "/dapi/v1/")

    def __call__(self, path: str, query: Query) -> Answer:
        """Answer a GET request, with the weight used in its headers."""
        endpoint = self._endpoints.get(path)
        if endpoint is None:
            return json_answer({"code": -5000, "msg": f"Path {path}, Method GET is invalid"}, 404)
        refused = self._refused(endpoint, query)
        if refused is not None:
            return refused
        used = (("X-MBX-USED-WEIGHT-1M", str(self._ladder.weight.used)),)
        try:
            return json_answer(endpoint.answer(query), 200, used)
        except BadRequestError as error:
            return json_answer({"code": error.code, "msg": str(error)}, 400, used)

    def _refused(self, endpoint: _Endpoint, query: Query) -> Answer | None:
        now = time.monotonic()
        if endpoint.bucket != "weight":
            status, wait = (200, 0) if self._buckets[endpoint.bucket].take(now) else (429, 60)
        else:
            status, wait = self._ladder.status(now, endpoint.weight(query))
        if status == 200:
            return None
        until = int((time.time() + wait) * 1000)
        text = "Too many requests" if status == 429 else f"Way too many requests; IP(127.0.0.1) banned until {until}"
        return json_answer({"code": -1003, "msg": f"{text}."}, status, (("Retry-After", str(wait)),))

    def _table(self, base: str) -> dict[str, _Endpoint]:
        one, ten = (lambda _: 1), (lambda query: 1 if "symbol" in query and self._universe == "um" else 10)
        table = {
            "ping": _Endpoint(lambda _: {}, one),
            "time": _Endpoint(lambda _: {"serverTime": self._market.now}, one),
            "exchangeInfo": _Endpoint(
                lambda _: exchange_info(self._contracts.values(), self._universe, self._market.now), one
            ),
            "openInterest": _Endpoint(self._open_interest, one),
            "premiumIndex": _Endpoint(self._premium_index, ten),
            "fundingInfo": _Endpoint(lambda _: funding_info(self._contracts.values()), one, "funding"),
            "fundingRate": _Endpoint(self._funding_rate, one, "funding" if self._universe == "um" else "weight"),
        }
        table |= {name: _Endpoint(self._klines(kind), _kline_weight) for name, kind in KLINES.items()}
        endpoints = {base + name: endpoint for name, endpoint in table.items()}
        for name in ("globalLongShortAccountRatio", "topLongShortAccountRatio", "topLongShortPositionRatio"):
            endpoints[f"/futures/data/{name}"] = _Endpoint(self._ratio(name), one, "data")
        taker = "takerlongshortRatio" if self._universe == "um" else "takerBuySellVol"
        endpoints[f"/futures/data/{taker}"] = _Endpoint(self._taker, one, "data")
        endpoints["/futures/data/openInterestHist"] = _Endpoint(self._open_interest_history, one, "data")
        return endpoints

    def _open_interest(self, query: Query) -> dict[str, Any]:
        contract = self._contract(query)
        amount = self._units(contract, self._market.quotes[contract].open_interest)
        if not contract.inverse:
            return {"symbol": contract.symbol, "openInterest": amount, "time": self._market.now}
        kind = "CURRENT_QUARTER" if contract.expiry_ms else "PERPETUAL"
        return {"symbol": contract.symbol, "pair": contract.pair, "openInterest": amount, "contractType": kind,
                "time": self._market.now}  # fmt: skip

    def _premium_index(self, query: Query) -> Any:
        asked = [c for c in self._contracts.values() if query.get("symbol", c.symbol) == c.symbol]
        asked = [c for c in asked if query.get("pair", c.pair) == c.pair]
        if not asked:
            raise BadRequestError(-1121, "Invalid symbol.")
        rows = [self._premium(contract) for contract in asked]
        return rows[0] if "symbol" in query and self._universe == "um" else rows

    def _premium(self, contract: Contract) -> dict[str, Any]:
        mark = frames.mark_price(contract, self._market.quotes[contract], self._market.now)
        pair = {"pair": contract.pair} if contract.inverse else {}
        interest = "0.00010000" if contract.interval_ms or not contract.inverse else ""
        return {
            "symbol": contract.symbol, **pair, "markPrice": mark["p"], "indexPrice": mark["i"],
            "estimatedSettlePrice": mark["P"], "lastFundingRate": mark["r"], "interestRate": interest,
            "nextFundingTime": mark["T"], "time": self._market.now,
        }  # fmt: skip

    def _funding_rate(self, query: Query) -> list[dict[str, Any]]:
        start, end, limit = _span(query, 100, 1000)
        until = self._market.now if end is None else min(end, self._market.now)
        chosen = (
            [self._contract(query)] if "symbol" in query or self._universe == "cm" else list(self._contracts.values())
        )
        since = start if start is not None else until - 30 * DAY_MS
        rows = [(s, c) for c in chosen for s in self._market.history.settlements(c, since, until)]
        rows.sort(key=lambda row: row[0].ts)
        if start is None:
            rows = rows[-(200 if end is None and "limit" not in query else limit) :]
        return [
            {"symbol": c.symbol, "fundingTime": s.ts + s.ts // HOUR_MS * 7 % 13, "fundingRate": f"{s.rate:.8f}",
             "markPrice": c.price_text(s.mark, 8), "rateType": "Regular"}
            for s, c in rows[: limit if start is not None else None]
        ]  # fmt: skip

    def _klines(self, kind: Kind | Literal["premium"]) -> Callable[[Query], list[list[Any]]]:
        def answer(query: Query) -> list[list[Any]]:
            contract = self._contract(query, "pair" if kind == "index" else "symbol")
            width = INTERVALS_MS.get(query.get("interval", ""))
            if width is None:
                raise BadRequestError(-1120, "Invalid interval.")
            start, end, limit = _span(query, 500, 1500)
            if self._universe == "cm" and start is not None and end is not None and end - start > 200 * DAY_MS:
                raise BadRequestError(-4088, "Maximum time interval is 200 days.")
            newest = start is None or self._universe == "cm"
            history, now = self._market.history, self._market.now
            opens = _grid(start, end, width, limit, now, newest)
            return [frames.kline_row(contract, history, ts, width, now, kind) for ts in opens]

        return answer

    def _ratio(self, name: str) -> Callable[[Query], list[dict[str, Any]]]:
        def answer(query: Query) -> list[dict[str, Any]]:
            key, contract = self._of_pair(query)
            positions = name == "topLongShortPositionRatio" and self._universe == "cm"
            long, short = ("longPosition", "shortPosition") if positions else ("longAccount", "shortAccount")
            rows = []
            for ts in self._periods(query):
                share = self._market.history.long_share(contract.coin, ts, name)
                rows.append({key: query[key], "longShortRatio": f"{share / (1 - share):.4f}", long: f"{share:.4f}",
                             short: f"{1 - share:.4f}", "timestamp": ts})  # fmt: skip
            return rows

        return answer

    def _taker(self, query: Query) -> list[dict[str, Any]]:
        key, contract = self._of_pair(query)
        width, rows = INTERVALS_MS[query["period"]], []
        history, now = self._market.history, self._market.now
        for ts in self._periods(query):
            candle = history.candle(contract, "trade", ts, width, now)
            coins, buys = candle.coins, history.taker_buy_share(candle)
            if key == "symbol":
                rows.append({"buySellRatio": f"{buys / (1 - buys):.4f}", "buyVol": f"{coins * buys:.4f}",
                             "sellVol": f"{coins * (1 - buys):.4f}", "timestamp": ts})  # fmt: skip
                continue
            units = contract.units(coins * candle.close, candle.close)
            rows.append({
                "pair": contract.pair, "contractType": query["contractType"], "takerBuyVol": f"{units * buys:.0f}",
                "takerSellVol": f"{units * (1 - buys):.0f}", "takerBuyVolValue": f"{coins * buys:.4f}",
                "takerSellVolValue": f"{coins * (1 - buys):.4f}", "timestamp": ts,
            })  # fmt: skip
        return rows

    def _open_interest_history(self, query: Query) -> list[dict[str, Any]]:
        key, contract = self._of_pair(query)
        rows = []
        for ts in self._periods(query):
            coins = self._market.history.open_interest(contract, ts)
            price = self._market.history.mark(contract, ts)
            if key == "symbol":
                rows.append({"symbol": contract.symbol, "sumOpenInterest": f"{coins / contract.size:.8f}",
                             "sumOpenInterestValue": f"{coins * price:.8f}", "timestamp": ts})  # fmt: skip
            else:
                rows.append({"pair": contract.pair, "contractType": query["contractType"],
                             "sumOpenInterest": f"{contract.units(coins * price, price):.0f}",
                             "sumOpenInterestValue": f"{coins:.8f}", "timestamp": ts})  # fmt: skip
        return rows

    def _contract(self, query: Query, key: str = "symbol") -> Contract:
        if key not in query:
            raise BadRequestError(-1102, f"Mandatory parameter '{key}' was not sent, was empty/null, or malformed.")
        wanted = query[key]
        found = (
            self._contracts.get(wanted) if key == "symbol" else self._first(c for c in self._all() if c.pair == wanted)
        )
        if found is None:
            raise BadRequestError(-1121, "Invalid symbol.")
        return found

    def _of_pair(self, query: Query) -> tuple[str, Contract]:
        """Return how these endpoints name a contract here (symbol on UM, pair on CM), and the contract."""
        if self._universe == "um":
            return "symbol", self._contract(query)
        kind = query.setdefault("contractType", "PERPETUAL")
        self._contract(query, "pair")
        wanted = (c for c in self._all() if c.pair == query["pair"] and bool(c.expiry_ms) == (kind != "PERPETUAL"))
        if (found := self._first(wanted)) is None:
            raise BadRequestError(-1104, "Illegal parameter 'contractType'.")
        return "pair", found

    def _periods(self, query: Query) -> list[int]:
        if query.get("period") not in PERIODS:
            raise BadRequestError(-1130, "Data sent for parameter 'period' is not valid.")
        start, end, limit = _span(query, 30, 500)
        now, width = self._market.now, INTERVALS_MS[query["period"]]
        if start is not None and start < now - 31 * DAY_MS:
            raise BadRequestError(-1130, "Data sent for parameter 'startTime' is not valid.")
        return _grid(start, end, width, limit, now, start is None)

    def _all(self) -> Iterable[Contract]:
        return self._contracts.values()

    def _units(self, contract: Contract, coins: float) -> str:
        price = self._market.quotes[contract].mark
        return contract.qty_text(contract.units(coins * price, price))

    @staticmethod
    def _first(contracts: Iterable[Contract]) -> Contract | None:
        return next(iter(contracts), None)


def _span(query: Query, default: int, most: int) -> tuple[int | None, int | None, int]:
    try:
        start, end = (int(query[key]) if key in query else None for key in ("startTime", "endTime"))
        limit = int(query.get("limit", default))
    except ValueError:
        raise BadRequestError(-1100, "Illegal characters found in a parameter.") from None
    if not 1 <= limit <= most:
        raise BadRequestError(-1130, "Data sent for parameter 'limit' is not valid.")
    return start, end, limit


def _grid(start: int | None, end: int | None, width: int, limit: int, now: int, newest: bool) -> list[int]:
    """Return opening times of [start, end], at most `limit`: the newest of them, or those from `start` on."""
    last = min(now, end if end is not None else now)
    last -= last % width
    first = last - (limit - 1) * width if start is None else start + -start % width
    if newest:
        return list(range(max(first, last - (limit - 1) * width), last + 1, width))
    return list(range(first, min(last, first + (limit - 1) * width) + 1, width))


def _kline_weight(query: Query) -> int:
    limit = int(query["limit"]) if query.get("limit", "").isdigit() else 500
    return 1 if limit < 100 else 2 if limit < 500 else 5 if limit <= 1000 else 10
